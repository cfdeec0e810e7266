"""A test at two sizes: the short one is in `make test`, the long one in `make test-long`.

Both assert the same; the short one over fewer kills, orders, cells or requests.
"""

from typing import Any

import pytest


def sizes(name: str, *, short: Any, long: Any) -> pytest.MarkDecorator:
    """Runs a test twice: `name` is how much of everything it tries."""
    whole = pytest.param(long, id="long", marks=pytest.mark.long)
    return pytest.mark.parametrize(name, [pytest.param(short, id="short"), whole])
