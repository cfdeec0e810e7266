"""Starts one practice's system: python -m flagservice.kit.sandbox --help."""

import argparse
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from . import files, leaks
from .journal import SandboxJournal
from .practice import SandboxPractice
from .server import SandboxServer
from .store import SandboxStore


def main() -> None:
    """Opens the files, prints the address, and serves until told to end."""
    asked = _arguments()
    os.umask(0o077)
    practice = _practice(asked)
    journal = SandboxJournal(asked.journal)
    with SandboxServer(practice, journal=journal, port=asked.port) as server:
        _heed_signals(practice)
        sys.stdout.write(f"listening {server.address}\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        finally:
            practice.store.close()
            journal.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m flagservice.kit.sandbox", description=__doc__)
    parser.add_argument("--practice", required=True, help="ODS code, such as B83901")
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--store", type=Path, required=True, help="SQLite file, made if absent")
    parser.add_argument("--patients", type=Path, required=True, help="JSON: who is registered")
    parser.add_argument("--journal", type=Path, required=True, help="JSON lines: what was received")
    parser.add_argument("--token-file", type=Path, required=True, help="JSON: who may call")
    parser.add_argument(
        "--leak", action="append", default=[], help="a way to be broken; more with commas"
    )
    return parser.parse_args()


def _practice(asked: argparse.Namespace) -> SandboxPractice:
    try:
        register = files.WatchedFile(asked.patients, parse=files.patients)
        callers = files.WatchedFile(asked.token_file, parse=files.tokens)
    except (OSError, ValueError):
        sys.exit("--patients or --token-file is missing, or is not what --help describes")
    try:
        mistakes = leaks.named(",".join(asked.leak))
    except ValueError:
        sys.exit(f"--leak is one of: {', '.join(leak.value for leak in leaks.Leak)}")
    return SandboxPractice(
        ods_code=asked.practice,
        store=SandboxStore(asked.store),
        register=register,
        callers=callers,
        clock=lambda: datetime.now(UTC),
        leaks=mistakes,
    )


def _heed_signals(practice: SandboxPractice) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    def look_again(_number: int, _frame: FrameType | None) -> None:
        practice.register.forget()
        practice.callers.forget()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, look_again)


if __name__ == "__main__":
    main()
