"""Where `flagservice` and `python -m flagservice` begin."""

import os
import sys

from flagservice.app.commands.line import run
from flagservice.app.logs import quieten


def main() -> None:
    """Runs the command that was given; what it writes we alone can read."""
    os.umask(0o077)
    quieten()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
