"""What the documents say of the sandbox is printed from it, and its commands and program run."""

import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

from flagservice.app.sandbox import guide
from tests.sandbox.running import HOME, a_sandbox, environment

SECTION = (HOME / "docs/integrate/gp-system.md").read_text("utf-8")
COMMANDS, PRINTED = (
    textwrap.dedent(found)
    for found in re.findall(r"(?:(?<=\n\n)|(?<=```\n\n))((?:    .+\n)+)", SECTION)
)
PROGRAM = SECTION.partition("```python\n")[2].partition("```\n")[0]


def test_the_page_has_the_tables_as_they_are_printed() -> None:
    for printed in (guide.clients(), guide.table(), guide.faults()):
        assert printed in SECTION


def test_the_pages_commands_and_program_do_what_it_says(tmp_path: Path) -> None:
    *before, last = COMMANDS.splitlines()
    python = shlex.quote(sys.executable)
    told = subprocess.run(
        ["/bin/sh", "-ec", "\n".join(before).replace(".venv/bin/python", python)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    clients = dict(line.split("\t")[:2] for line in told.splitlines())
    assert last.endswith("-m flagservice serve --sandbox")
    with a_sandbox(tmp_path / "sandbox") as address:
        program = [sys.executable, "-c", PROGRAM, address, clients["gp-system"]]
        done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", PRINTED)
