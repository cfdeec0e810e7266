"""A sandbox for the tests that change it, and one for those that only read."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from flagservice.settings import Settings
from tests.api.steps import Cast, given_a_cast
from tests.sandbox.steps import Box, given_a_tenant
from tests.world import World


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sandbox with two tenants, which nobody has used."""
    folder = tmp_path_factory.mktemp("sandbox")
    for name in ("acme", "bradford"):
        given_a_tenant(Settings(data=folder), name)
    return folder


@pytest.fixture
def box(furnished: Path, tmp_path: Path) -> Iterator[Box]:
    """Two tenants."""
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    one = Box(tmp_path)
    yield one
    one.app.close()


@pytest.fixture(scope="session")
def quiet_box(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Two tenants, of whom nobody changes anything."""
    folder = tmp_path_factory.mktemp("quiet")
    shutil.copytree(furnished, folder, dirs_exist_ok=True)
    one = Box(folder)
    yield one
    one.app.close()


@pytest.fixture
def cast(world: World) -> Cast:
    """Production: everybody, on SQLite."""
    return given_a_cast(world)
