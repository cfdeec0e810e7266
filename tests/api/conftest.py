"""The whole API, for tests that speak to it as its clients do."""

import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from flagservice.app import logs
from tests.api.steps import Cast, given_a_cast
from tests.world import World

_CONFIGURED = ("httpx", "httpcore", "uvicorn", "uvicorn.error", "sqlalchemy", "alembic")


@pytest.fixture
def cast(world: World) -> Cast:
    """Everybody, on SQLite."""
    return given_a_cast(world)


@pytest.fixture
def any_cast(any_world: World) -> Cast:
    """Everybody, once on each sort of database."""
    return given_a_cast(any_world)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """Everybody, on one SQLite database for a file of tests that change nothing."""
    one = World(f"sqlite:///{tmp_path_factory.mktemp('house')}/flagservice.db")
    yield given_a_cast(one)
    one.close()


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logging as the service sets it up, where a test can read it."""
    before = [
        (logger, logger.handlers, logger.propagate, logger.level)
        for logger in map(logging.getLogger, _CONFIGURED)
    ]
    logs.configure()
    # The stream of the moment: capturing changes it between a fixture and its test.
    structlog.configure(logger_factory=lambda *_: structlog.WriteLogger(sys.stderr))
    yield capfd
    structlog.reset_defaults()
    for logger, handlers, propagate, level in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
