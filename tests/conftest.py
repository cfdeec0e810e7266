"""What every test may ask for: a database of each sort, and a whole service on it."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text

from tests import postgresql
from tests.world import World

settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("house")
_numbers = itertools.count(1)


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
    name = f"test_{next(_numbers)}"
    admin = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgresql_server.rsplit("/", 1)[0] + f"/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


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


@pytest.fixture
def any_world(database_url: str) -> Iterator[World]:
    """A whole service, once on each sort of database."""
    one = World(database_url)
    yield one
    one.close()


@pytest.fixture
def postgresql_world(postgresql_url: str) -> Iterator[World]:
    """A service on PostgreSQL, for what only several writers at once can show."""
    world = World(postgresql_url)
    yield world
    world.close()
