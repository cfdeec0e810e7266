"""Which version of the service this is, and when what it offers last changed."""

from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Final

CHANGED: Final = date(2026, 11, 23)
"""As the CapabilityStatement says."""


def software_version() -> str:
    """Returns the installed version, or that of a checkout."""
    try:
        return version("flagservice")
    except PackageNotFoundError:
        return "0.1.0"
