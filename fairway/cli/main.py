"""The entry point: which verbs there are, and what each error means to the shell.

Room: ``fairway.cli``. A verb's module is loaded when the verb is asked for, so ``fairway --help``
pays for none of them. This is the one place that maps errors to exit codes; it never shows a
traceback unless asked.
"""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

import fairway

if TYPE_CHECKING:
    from fairway.errors import FairwayError

EXIT_CODES: Mapping[str, int] = {
    "GateError": 1,
    "ContractError": 1,
    "ProjectError": 2,
    "RequestError": 2,
    "NotFoundError": 2,
    "StepError": 3,
    "StoreError": 4,
    "ConflictError": 4,
    "IntegrityError": 5,
}
"""Exit code by class of ``fairway.errors``, by name so that help need not load even those."""

UNEXPECTED = 4
INTERRUPTED = 130
BROKEN_PIPE = 141


class Verb(NamedTuple):
    """One row of the table of verbs; the command in ``module`` has the name of the verb."""

    module: str
    group: str
    help: str


VERBS: Mapping[str, Verb] = {
    "new": Verb(module="new", group="Develop", help="Write a first project from a table."),
    "check": Verb(module="check", group="Develop", help="Check project, contracts and leaks."),
    "contract suggest": Verb(
        module="contract", group="Develop", help="Write a first contract from data."
    ),
    "run": Verb(module="run", group="Develop", help="Train and measure all candidates."),
    "candidates": Verb(module="candidates", group="Develop", help="List, filter and sort them."),
    "logs": Verb(module="logs", group="Develop", help="Show what a step or candidate printed."),
    "demo": Verb(module="demo", group="Develop", help="Run the whole line on real flights."),
    "release": Verb(module="release", group="Release", help="Judge a candidate and release it."),
    "approve": Verb(module="approve", group="Release", help="Approve a release."),
    "verify": Verb(module="verify", group="Release", help="Compare a release with its digests."),
    "deploy": Verb(module="deploy", group="Release", help="Point an environment to a release."),
    "rollback": Verb(module="rollback", group="Release", help="Point it to an earlier release."),
    "at": Verb(module="at", group="Look back", help="Say what stood where at a time."),
    "trace": Verb(module="trace", group="Look back", help="Follow a digest or commit both ways."),
    "data log": Verb(module="data", group="Look back", help="List the snapshots."),
    "data diff": Verb(module="data", group="Look back", help="Compare two snapshots."),
    "audit verify": Verb(module="audit", group="Look back", help="Check the journal's chain."),
    "push": Verb(module="push", group="Move", help="Copy a release to another home."),
    "pull": Verb(module="pull", group="Move", help="Copy a release from another home."),
    "gc": Verb(module="gc", group="Keep", help="Delete bytes that nothing needs."),
}


class Verbs(click.Group):
    """The verbs, each loaded on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Name each verb, rooms once."""
        return list(dict.fromkeys([*(name.split()[0] for name in VERBS), *self.commands]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one verb's module."""
        row = next((row for name, row in VERBS.items() if name.split()[0] == cmd_name), None)
        if row is None:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f"fairway.cli.{row.module}")
        verb: click.Command = getattr(module, cmd_name)
        return verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which is nearest."""
        name = args[0]
        if name not in self.list_commands(ctx) and not name.startswith("-"):
            import difflib

            from fairway.errors import RequestError

            close = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            hint = f"Write fairway {close[0]}." if close else "See fairway --help."
            raise RequestError(f"There is no verb {name!r}.", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        """List the verbs in their groups, from the table alone."""
        for group in dict.fromkeys(row.group for row in VERBS.values()):
            rows = [(name, row.help) for name, row in VERBS.items() if row.group == group]
            with formatter.section(group):
                formatter.write_dl(rows, col_max=18)


@click.group(
    name="fairway",
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    no_args_is_help=False,
    invoke_without_command=True,
)
@click.version_option(fairway.__version__, prog_name="fairway")
@click.pass_context
def command(ctx: click.Context) -> None:
    """From sources of data to a model that earns its keep in production.

    Each verb has --help, and --json for scripts.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def exit_code(error: BaseException) -> int:
    """Say what an error means to the shell: the code of its class, else of its nearest parent."""
    for kind in type(error).__mro__:
        if kind.__name__ in EXIT_CODES:
            return EXIT_CODES[kind.__name__]
    return UNEXPECTED


def run(arguments: Sequence[str]) -> int:
    """Run one verb and return its exit code; every error ends here, as lines for the reader."""
    try:
        # Not `command.main`: it ends the process where the reader of stdout has gone.
        with command.make_context("fairway", list(arguments)) as context:
            code = command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return _flushed(done.exit_code)
    except BrokenPipeError:
        return _unheard()
    except (KeyboardInterrupt, click.Abort):
        print("Interrupted; finished steps are kept.", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the edge: nothing may reach the user as a traceback
        return _refuse(error, arguments)
    return code if isinstance(code, int) else 0


def _refuse(error: Exception, arguments: Sequence[str]) -> int:
    """Tell an error to the reader and return its exit code."""
    from fairway.errors import FairwayError

    if "--debug" in arguments and not isinstance(error, click.ClickException):
        _trace()
    found: Sequence[FairwayError]
    if isinstance(error, click.ClickException):
        found = [_usage(error)]
    elif isinstance(error, FairwayError):
        found = [error, *getattr(error, "more", ())]
    else:
        found = [_unexpected(error)]
    try:
        _tell(found, as_json="--json" in arguments)
    except BrokenPipeError:
        return _unheard()
    return exit_code(found[0])


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _unheard()
    return code


def _unheard() -> int:
    """The reader has gone, as ``fairway ... | head`` does; what is left is for nobody."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


def start() -> NoReturn:
    """Be the command ``fairway``."""
    sys.exit(run(sys.argv[1:]))


def _tell(found: "Sequence[FairwayError]", *, as_json: bool) -> None:
    """Print errors: ``FILE:LINE: problem. hint`` lines, or one object."""
    from fairway.cli import output

    if as_json:
        output.emit({"errors": [output.fault(error) for error in found]})
        return
    for error in found:
        print(output.fault_line(error), file=sys.stderr)


def _usage(error: click.ClickException) -> "FairwayError":
    from fairway.errors import RequestError

    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "fairway"
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and context is not None:
        acts = getattr(context.command, "commands", {})
        return RequestError(
            f"{path} needs an act: {' or '.join(acts)}.", hint=f"See {path} --help."
        )
    text = " ".join(error.format_message().split())
    return RequestError(
        text if text.endswith((".", "?")) else f"{text}.", hint=f"See {path} --help."
    )


def _unexpected(error: Exception) -> "FairwayError":
    """Keep the details where the user can find them, and say so in one line."""
    import tempfile
    import traceback
    from pathlib import Path

    from fairway.errors import FairwayError

    text = " ".join(f"{type(error).__name__}: {error}".split())
    problem = f"Fairway met what it did not expect ({text[:300]})."
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="fairway-error-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write("".join(traceback.format_exception(error)))
        hint = f"Report it with the details in {Path(file.name)}."
    except OSError:
        hint = "Run it again with --debug and report what it prints."
    return FairwayError(problem, hint=hint)


def _trace() -> None:
    import traceback

    traceback.print_exc()
