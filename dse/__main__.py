"""``python -m dse`` is the ``dse`` command."""

import sys

from dse.cli import main

if __name__ == "__main__":
    sys.exit(main())
