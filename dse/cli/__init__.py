"""The command line: ``dse optimize``, ``dse pareto`` and the rest (``dse --help``).

Data go to standard output, progress, notices and errors to standard error. Exit status: 0 done, 1 failure, 2 bad usage
or input, 3 no feasible design, 130 interrupted.
"""

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from dse.cli.streams import OutputError, ReaderGoneError, drop_output, guarded_streams
from dse.cli.verbosity import remarks_from, without_verbosity
from dse.errors import DseError, check_words

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    with guarded_streams(), _termination():
        return _run(given)


def _run(given: Sequence[str]) -> int:
    """Run a command; returns the exit status."""
    from typer.exceptions import Abort, TyperException

    from dse.cli.program import program

    try:
        check_words(given)
        arguments, level = without_verbosity(given)
        with remarks_from(level):
            status = program().main(args=arguments or ["--help"], prog_name="dse", standalone_mode=False)
        sys.stdout.flush()
    except (OutputError, ReaderGoneError) as error:
        drop_output()
        return error.exit_status if isinstance(error, ReaderGoneError) else _fail(str(error), error.exit_status)
    except DseError as error:
        return _fail(str(error), error.exit_status)
    except TyperException as error:
        return _fail(f"{error.format_message()} (see dse --help)", 2)
    except (KeyboardInterrupt, Abort):
        status = INTERRUPTED
    if status == INTERRUPTED:  # also what an interrupt becomes in Typer
        return _fail("interrupted: what was not written starts again", INTERRUPTED)
    return status if isinstance(status, int) else 0


@contextmanager
def _termination() -> Iterator[None]:
    """Within it, a termination ends work as an interrupt does: temporary files go, and so do processes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _fail(message: str, status: int) -> int:
    """Say on standard error what went wrong."""
    print(f"dse: {message}", file=sys.stderr)
    return status
