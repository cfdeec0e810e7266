"""What every test may ask for: a database of each sort, and a whole service on it."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from tests.databases import postgresql, templates
from tests.world import World

settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("house")
_LONGEST = ("crash", "clients", "twin")
"""The rooms whose tests take longest."""
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest first: whichever begins last, the other processes have nothing to do."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    room = item.nodeid.split("/")[1] if "/" in item.nodeid else ""
    sized = {"short", "long"} & {*item.name.partition("[")[2].rstrip("]").split("-")}
    return _LONGEST.index(room) if room in _LONGEST else len(_LONGEST) + (not sized)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL; where a user's machine cannot have one, a skip by name."""
    try:
        running = postgresql.server()
        url = running.__enter__()
    except postgresql.NoPostgreSQL:
        if os.environ.get("CI"):
            raise
        pytest.skip("PostgreSQL: this machine has none, and no package brought it")
    yield url
    running.__exit__(None, None, None)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The address of a fresh, empty PostgreSQL database."""
    with _a_database(postgresql_server, "template1") as url:
        yield url


@pytest.fixture
def migrated_postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The address of a fresh PostgreSQL database at the newest schema."""
    template = templates.migrated_postgresql(postgresql_server)
    with _a_database(postgresql_server, template) as url:
        yield url


@contextmanager
def _a_database(server: str, template: str) -> Iterator[str]:
    where = make_url(server).set(database=f"test_{next(_numbers)}")
    templates.copy(where, template)
    yield where.render_as_string(hide_password=False)
    templates.drop(where)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a fresh SQLite database."""
    return f"sqlite:///{tmp_path}/flagservice.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database, once of each sort."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """A whole service on SQLite."""
    one = World(sqlite_url)
    yield one
    one.close()


@pytest.fixture(params=["sqlite", "migrated_postgresql"], ids=["sqlite", "postgresql"])
def any_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A whole service, once on each sort of database."""
    one = World(request.getfixturevalue(f"{request.param}_url"))
    yield one
    one.close()


@pytest.fixture
def postgresql_world(migrated_postgresql_url: str) -> Iterator[World]:
    """A service on PostgreSQL, for what only several writers at once can show."""
    world = World(migrated_postgresql_url)
    yield world
    world.close()
