"""Checks a system for leaks: python -m flagservice.kit.leak_check --help."""

import argparse
import os
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from flagservice.domain.errors import Fault, Invalid, Refusal
from flagservice.kit.leak_check.check import run
from flagservice.kit.leak_check.config import read_system
from flagservice.kit.leak_check.crawl.transcript import Transcript
from flagservice.kit.leak_check.result import (
    LeakCheckOutcome,
    LeakCheckVerdict,
    ResultSigner,
    write_out,
)

_EXAMPLES: Final = Path(__file__).parents[3] / "profiles" / "examples"
_STATUS: Final = {
    LeakCheckVerdict.CLEAN: 0,
    LeakCheckVerdict.LEAKS: 1,
    LeakCheckVerdict.INCONCLUSIVE: 2,
}


def main() -> None:
    """Crawls a system as twin patients; the exit status is 0 clean, 1 leaks, 2 inconclusive."""
    asked = _arguments()
    os.umask(0o077)
    try:
        outcome = _checked(asked)
    except Refusal as refused:
        sys.exit(f"flagservice: {refused.rule}")
    _print(outcome)
    sys.exit(_STATUS[outcome.verdict])


def _checked(asked: argparse.Namespace) -> LeakCheckOutcome:
    signer = ResultSigner.read(asked.signer, _text(asked.key).encode())
    transcript = Transcript()
    outcome = run(
        read_system(_text(asked.system)),
        examples=asked.examples,
        now=asked.run_at,
        transcript=transcript,
        tell=lambda line: print(line, file=sys.stderr),
    )
    write_out(outcome, asked.out, by=signer, tool_version=_tool_version())
    if asked.transcript is not None:
        asked.transcript.write_text(transcript.text, encoding="utf-8")
    return outcome


def _print(outcome: LeakCheckOutcome) -> None:
    for finding in outcome.findings:
        print(f"{finding.name}: {finding.where}")
    for doubt in outcome.doubts:
        print(f"in doubt: {doubt}")
    names = sorted({finding.name for finding in outcome.findings})
    print(f"{outcome.verdict}{': ' + ', '.join(names) if names else ''}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="flagservice leak-check", description=main.__doc__)
    parser.add_argument("system", type=Path, help="TOML: addresses, tokens, the two twins")
    parser.add_argument(
        "--key", type=Path, required=True, help="Ed25519 private key, PEM: signs the result"
    )
    parser.add_argument("--signer", required=True, help="the name that the service knows it by")
    parser.add_argument("--out", type=Path, required=True, help="where the signed result goes")
    parser.add_argument("--transcript", type=Path, help="keep every answer here, too")
    parser.add_argument(
        "--examples", type=Path, default=_EXAMPLES, help="what is filed; as shipped if not said"
    )
    parser.add_argument(
        "--run-at",
        type=datetime.fromisoformat,
        default=datetime.now(UTC),
        help="when it ran, where a test system has a day of its own; now if not said",
    )
    return parser.parse_args()


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Invalid(Fault(path.name, "is a file that can be read, in UTF-8")) from None


def _tool_version() -> str:
    try:
        return version("flagservice")
    except PackageNotFoundError:
        return "0.1.0"


if __name__ == "__main__":
    main()
