"""An operator's command, run in the test's own process: another one takes a second to start.

That it is the same in a process of its own is tested once, in `tests/app/test_operate.py`.
"""

import io
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from flagservice.app.commands.line import run


@dataclass(frozen=True)
class Told:
    """What a command came to, and what it wrote."""

    status: int
    out: str
    err: str


def when_told(data: Path, *words: str, database_url: str = "") -> Told:
    """Runs one command on a data folder, with no other setting."""
    ours = {name: value for name, value in os.environ.items() if "FLAGSERVICE" not in name}
    settings = {"FLAGSERVICE_DATA": str(data), "FLAGSERVICE_DATABASE_URL": database_url}
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, {**ours, **settings}, clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        status = run(words)
    return Told(status, out.getvalue(), err.getvalue())
