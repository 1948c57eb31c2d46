"""The command line: ``dse optimize``, ``dse pareto`` and the rest (``dse --help``).

Data go to standard output, progress, notices and errors to standard error. Exit status: 0 done, 1 failure, 2 bad usage
or input, 3 no feasible design, 130 interrupted.
"""

import logging
import os
import sys
from collections.abc import Sequence

from dse.errors import DseError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    from typer.exceptions import Abort, TyperException
    from typer.main import get_command

    from dse.cli.app import app

    notices = logging.StreamHandler()
    notices.setFormatter(logging.Formatter("dse: %(message)s"))
    logger = logging.getLogger("dse")
    logger.addHandler(notices)
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        status = get_command(app).main(args=given or ["--help"], prog_name="dse", standalone_mode=False)
        sys.stdout.flush()
    except DseError as error:
        return _fail(str(error), error.exit_status)
    except TyperException as error:
        return _fail(f"{error.format_message()} (see dse --help)", 2)
    except (KeyboardInterrupt, Abort):
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # whoever read the output has seen enough; a closed stream must not complain again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        logger.removeHandler(notices)
    return status if isinstance(status, int) else 0


def _fail(message: str, status: int) -> int:
    """Say on standard error what went wrong."""
    print(f"dse: {message}", file=sys.stderr)
    return status
