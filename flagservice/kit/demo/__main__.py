"""Starts the demo: python -m flagservice.kit.demo."""

import argparse
import sys

from flagservice.kit.demo.play import run


def main() -> None:
    """Plays the families; the exit status is 1 if anything failed."""
    said = argparse.ArgumentParser(prog="flagservice demo", description=run.__doc__)
    said.add_argument("--json", action="store_true", help="Print counts and checks as JSON.")
    said.add_argument("--all", action="store_true", help="Print what every practice holds, too.")
    given = said.parse_args()
    sys.exit(run(as_json=given.json, everything=given.all))


if __name__ == "__main__":
    main()
