"""One sandbox in a process of its own, for clients that nobody here wrote."""

from collections.abc import Iterator

import pytest

from tests.clients.supplier import Supplier, a_supplier


@pytest.fixture(scope="session")
def supplier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supplier]:
    """A tenant of a sandbox that runs."""
    with a_supplier(tmp_path_factory.mktemp("sandbox")) as one:
        yield one
