"""A service that was just installed knows nobody, and what it writes is its own to read."""

import subprocess
import sys
from pathlib import Path

from sqlmodel import func, select

from flagservice.app.build import build
from flagservice.audit.log import Actor, Deed, Work
from flagservice.settings import Settings
from flagservice.store import tables
from tests.patience import enough
from tests.world import HOME

STARTED = "import sys; from flagservice.__main__ import main; sys.exit(main())"
"""As the installed command begins, and not `python -m`."""


def test_a_fresh_service_has_no_client_no_checker_no_approver_and_no_practice(
    tmp_path: Path,
) -> None:
    installation = build(Settings(data=tmp_path))
    known = (tables.ClientRow, tables.EndpointRow, tables.CheckerRow, tables.ApproverRow)

    def counted(work: Work) -> list[int]:
        work.record(Deed.STATUS_READ)
        asked = [select(func.count()).select_from(table) for table in known]
        return [work.session.exec(one).one() for one in asked]

    assert installation.log.perform(Actor("test"), counted) == [0, 0, 0, 0]
    installation.database.close()


def test_two_services_have_no_key_in_common(tmp_path: Path) -> None:
    found = []
    for name in ("one", "other"):
        settings = Settings(data=tmp_path / name)
        build(settings).database.close()
        found.append({path.name: path.read_bytes() for path in settings.keys_folder.iterdir()})
    one, other = found
    assert one.keys() == other.keys()
    assert not [name for name in one if one[name] == other[name]]


def test_an_id_has_128_random_bits(tmp_path: Path) -> None:
    installation = build(Settings(data=tmp_path))
    made = [installation.log.new_id() for _ in range(256)]
    installation.database.close()
    assert {len(one) for one in made} == {32}
    numbers = [int(one, 16) for one in made]
    bits = [tuple(number >> bit & 1 for number in numbers) for bit in range(128)]
    assert len(set(bits)) == 128, "two bits are one"
    assert {len(set(bit)) for bit in bits} == {2}, "a bit is always the same"


def test_whatever_a_command_writes_we_alone_can_read(tmp_path: Path) -> None:
    register = tmp_path / "register.csv"
    register.write_text("nhs_number,date_of_birth,practice\n9990001111,2021-12-06,B83901\n")
    subprocess.run(
        [sys.executable, "-c", STARTED, "register", "load", str(register)],
        cwd=HOME,
        env={"FLAGSERVICE_DATA": str(tmp_path / "var")},
        umask=0o022,
        check=True,
        timeout=enough(),
        capture_output=True,
    )
    written = [path for path in (tmp_path / "var").rglob("*") if path.is_file()]
    assert "flagservice.db" in {path.name for path in written}
    assert [path.name for path in written if path.stat().st_mode & 0o077] == []
