"""The pages for integrators: their tables are printed from the sandbox, and their programs run."""

import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

from flagservice.app.sandbox import guide
from tests.sandbox.running import HOME, a_sandbox, environment


def page(name: str) -> str:
    return (HOME / f"docs/integrate/{name}.md").read_text("utf-8")


def indented(text: str) -> str:
    """The first block of a page that is set off by four spaces: commands, or what is printed."""
    block = re.search(r"(?<=\n\n)(    .+\n)+", text)
    assert block
    return textwrap.dedent(block[0])


def test_the_page_has_the_tables_as_they_are_printed() -> None:
    for printed in (guide.clients(), guide.table(), guide.faults()):
        assert printed in page("sandbox")


def a_tenant(folder: Path) -> dict[str, str]:
    """Does what the page of the sandbox says, but for starting it: the ids of the clients."""
    *before, last = indented(page("sandbox")).splitlines()
    assert last.endswith("-m flagservice serve --sandbox")
    python = shlex.quote(sys.executable)
    told = subprocess.run(
        ["/bin/sh", "-ec", "\n".join(before).replace(".venv/bin/python", python)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(line.split("\t")[:2] for line in told.splitlines())


def then_the_program_prints_what_its_page_says(
    name: str, folder: Path, *, address: str, client_id: str
) -> None:
    program, _, after = page(name).partition("```python\n")[2].partition("```\n")
    done = subprocess.run(
        [sys.executable, "-c", program, address, client_id],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.stdout) == ("", indented(after))


def test_the_pages_commands_and_programs_do_what_they_say(tmp_path: Path) -> None:
    """The GP system's first: it counts what the sandbox holds before anybody posts."""
    clients = a_tenant(tmp_path)
    with a_sandbox(tmp_path / "sandbox") as address:
        for name, client in (("gp-system", "gp-system"), ("social-care", "childrens-services")):
            assert f"`{client}`" in page(name)
            then_the_program_prints_what_its_page_says(
                name, tmp_path, address=address, client_id=clients[client]
            )
