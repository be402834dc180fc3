"""Start one stage: ``python -m fairway.line.stages STAGE SPEC OUT [FILE ...]``.

Room: ``fairway.line``. It runs in a process of its own, started by ``pipeline`` like any command
of the project. A refusal is told to the caller as the last line of the log (``fault.tell``).
"""

import errno
import sys
from pathlib import Path

from fairway.errors import FairwayError, StoreError
from fairway.line.stages import fault

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def main(arguments: list[str]) -> int:
    """Run the stage that the first argument names; returns the exit code."""
    stage, *paths = arguments
    places = [Path(path) for path in paths]
    try:
        if stage == "sources":
            from fairway.line.stages import sources

            sources.take(*places)
        elif stage == "dataset":
            from fairway.line.stages import dataset

            dataset.take(*places)
        elif stage == "evaluation":
            from fairway.line.stages import evaluation

            evaluation.take(*places)
        else:
            raise AssertionError(stage)
    except FairwayError as error:
        fault.tell(error, sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        full = StoreError(
            f"{places[1]} cannot be written: the disk is full.",
            hint="Free some space, then repeat the command.",
        )
        fault.tell(full, sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
