"""Observes which files of a project a Python process reads, and keeps stale bytecode out.

Room: ``fairway.pipeline``; Python itself imports this at start-up, by ``PYTHONPATH``, in every
Python process of a step. It stands alone: any Python from 3.8 must run it, so it imports nothing
of Fairway. ``trace.py`` reads what it writes and describes the records; ``shim.c`` writes the
same records for all other programs.

Python trusts bytecode whose source has the same size and second of change. A step that runs just
after an edit would so run the old code. Bytecode of the project's own files is therefore neither
read nor written within a step.
"""

import os
import sys


class _Watch:
    """What one process tells of itself; each file once."""

    def __init__(self, trace: str, root: str) -> None:
        self.trace = trace
        self.inside = root + "/"
        skips = os.environ.get("FAIRWAY_SKIP", "").split(":")
        self.outside = tuple(path + "/" for path in skips if path)
        self.has_shim = bool(os.environ.get("FAIRWAY_SHIM"))
        self.seen = set()  # type: set[tuple[str, str]]

    def counts(self, path: str) -> bool:
        return (
            path.startswith(self.inside)
            and not path.startswith(self.outside)
            and "/.venv/" not in path
            and "/.git/" not in path
        )

    def emit(self, *records: "tuple[str, str]") -> None:
        fresh = [record for record in records if record not in self.seen]
        if not fresh:
            return
        self.seen.update(fresh)
        pid = os.getpid()
        text = "".join(f"{kind}{pid}\t{path}\0" for kind, path in fresh)
        file = os.open(self.trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, os.fsencode(text))
        finally:
            os.close(file)

    def hook(self, event: str, given: tuple) -> None:  # type: ignore[type-arg]  # Python 3.8
        if event == "open":
            self.on_open(*given)
        elif event == "import":
            self.on_import(given[0], given[1])
        elif event in _LISTS:
            self.on_list(given[0])
        elif event in _STARTS and not self.has_shim:
            self.emit(("U", event))

    def on_open(self, path: object, mode: object, flags: int) -> None:
        if self.has_shim or path == self.trace:
            return
        name = _absolute(path)
        if not self.counts(name):
            return
        letters = mode if isinstance(mode, str) and not flags else ""
        fresh = os.O_CREAT | os.O_EXCL
        if flags & os.O_TRUNC or flags & fresh == fresh or letters[:1] in {"w", "x"}:
            self.emit(("W", name))
        elif flags & os.O_ACCMODE != os.O_WRONLY and (letters[:1] != "a" or "+" in letters):
            self.emit(("R" if _exists(name) else "A", name))

    def on_list(self, path: object) -> None:
        caller = sys._getframe(2).f_code.co_filename  # noqa: SLF001  the only way to ask
        if caller.startswith("<frozen importlib") or "importlib/metadata" in caller:
            return  # which modules it looked for is told by on_import
        name = _absolute("." if path is None else path)
        if self.counts(name + "/"):
            self.emit(("L" if _exists(name) else "A", name))

    def on_import(self, module: str, filename: object) -> None:
        """Tell where in the project a module was looked for in vain: it could appear there."""
        name = _absolute(filename)
        if name:
            if self.counts(name):
                self.emit(("R", name))
            return
        if module in sys.builtin_module_names:
            return
        parent, _, last = module.rpartition(".")
        folders = getattr(sys.modules.get(parent), "__path__", ()) if parent else sys.path
        for folder in folders:
            package = _absolute(os.path.join(folder or ".", last))  # noqa: PTH118  fast
            if not self.counts(package):
                continue
            if not _exists(package):
                self.absent(package)
            elif _exists(package + "/__init__.py"):
                return
            else:
                self.absent(package + "/__init__.py")
            if _exists(package + ".py"):
                return
            self.absent(package + ".py")

    def absent(self, path: str) -> None:
        if not self.has_shim:  # the shim has just seen this process look
            self.emit(("A", path))

    def forked(self) -> None:
        self.seen.clear()
        self.emit(("P", "python"))


_LISTS = frozenset({"os.listdir", "os.scandir"})
_STARTS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"})


def _absolute(path: object) -> str:
    if path is None or isinstance(path, int):
        return ""
    text = os.fsdecode(path)  # type: ignore[arg-type]  # the audit events promise a path
    return os.path.normpath(os.path.join(os.getcwd(), text)) if text else ""  # noqa: PTH109, PTH118  no pathlib at start-up


def _exists(path: str) -> bool:
    try:
        os.stat(path)  # noqa: PTH116  no pathlib at start-up
    except OSError:
        return False
    return True


def _begin() -> None:
    trace, root = os.environ.get("FAIRWAY_TRACE"), os.environ.get("FAIRWAY_ROOT")
    if not trace or not root:
        return
    watch = _Watch(trace, root)
    loader = sys.modules["_frozen_importlib_external"]
    real = loader.cache_from_source

    def cache_from_source(path, *more, **named):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN202  as the original
        asked_by = sys._getframe(1).f_code.co_name  # noqa: SLF001  the only way to ask
        if asked_by == "get_code" and watch.counts(_absolute(path)):
            raise NotImplementedError
        return real(path, *more, **named)

    loader.cache_from_source = cache_from_source  # type: ignore[attr-defined]  # it is to be replaced
    watch.emit(("P", "python"))
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=watch.forked)
    sys.addaudithook(watch.hook)


def _next() -> None:
    """Run the sitecustomize that this one hides, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  no pathlib at start-up
    sys.path[:] = [place for place in sys.path if os.path.abspath(place or ".") != here]  # noqa: PTH100
    mine = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401  another one, if any
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        if mine is not None:
            sys.modules.setdefault("sitecustomize", mine)


_begin()
_next()
