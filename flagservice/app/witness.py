"""Signed heads of the audit, kept outside the database: beside the keys.

Whoever can write to the database could cut the tree's end off and take the last checkpoints along;
against these files that shows. Copy them off the machine for more.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog

from flagservice.app.files import put, put_new
from flagservice.settings import Settings

_log = structlog.get_logger()
_NEWEST: Final = "witness.note"
_GONE: Final = "gone-"


@dataclass(frozen=True)
class Witness:
    """Files that are replaced whole, for all processes that share the keys' folder."""

    settings: Settings

    def read(self) -> str | None:
        """The head that was kept last, if any ever was, readable or not."""
        path = self.settings.keys_folder / _NEWEST
        return _text(path) if path.exists() else None

    def write(self, note: str) -> None:
        """Keeps this head, whatever was there.

        Of two processes that write at the same instant, the one with the older head may come last:
        until the next leaf, half a second's leaves are witnessed by the database alone.
        """
        put(self.settings.keys_folder / _NEWEST, note.encode())

    def set_aside(self, note: str) -> None:
        """Keeps a head that is gone from the database until somebody takes the file away."""
        name = f"{_GONE}{sha256(note.encode()).hexdigest()[:16]}.note"
        put_new(self.settings.keys_folder / name, note.encode())
        _log.error("a signed head is gone from the database", count=len(self.gone()))

    def gone(self) -> tuple[str, ...]:
        """The heads that were set aside."""
        return tuple(map(_text, sorted(self.settings.keys_folder.glob(f"{_GONE}*.note"))))

    def heads(self) -> tuple[str, ...]:
        """Every head that the tree must have grown from."""
        newest = self.read()
        return (*self.gone(), *(() if newest is None else (newest,)))


def _text(path: Path) -> str:
    """Of a damaged file what can be read: it fits no tree, and must stop nobody."""
    return path.read_text(encoding="utf-8", errors="replace")
