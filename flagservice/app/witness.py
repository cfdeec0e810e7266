"""Signed heads of the audit, kept outside the database: beside the keys, or where settings say.

They show it when an attacker who can write to the database cuts the tree's end off, or builds
another. Copy the notes off the machine for more.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import orjson

from flagservice.app.files import alone, put, put_new
from flagservice.app.logs import logger
from flagservice.audit.sequence import SignedHead

_NEWEST: Final = "witness.json"
_LOCK: Final = "witness.lock"
_GONE: Final = "gone-"


@dataclass(frozen=True)
class Witness:
    """Files that are replaced whole, for all processes on one database; raises OSError."""

    folder: Path

    def read(self) -> SignedHead | None:
        """Returns the last kept head, if any; for a damaged file, an empty one."""
        path = self.folder / _NEWEST
        if not path.exists():
            return None
        try:
            said = orjson.loads(path.read_bytes())
            return SignedHead(str(said["note"]), bytes.fromhex(said["frontier"]))
        except (ValueError, TypeError, KeyError):
            return SignedHead("", b"")

    def write(self, head: SignedHead, *, instead_of: SignedHead | None) -> None:
        """Keeps this head, and its note in a file of its own, if `instead_of` is still kept."""
        self._made()
        said = {"note": head.note, "frontier": head.frontier.hex()}
        with alone(self.folder / _LOCK):
            if self.read() == instead_of:
                put(self.folder / _NEWEST, orjson.dumps(said))
                put(self.folder / "witness.note", head.note.encode())

    def set_aside(self, note: str) -> None:
        """Keeps a head that the tree has not grown from, until a person removes the file."""
        self._made()
        name = f"{_GONE}{sha256(note.encode()).hexdigest()[:16]}.note"
        put_new(self.folder / name, note.encode())
        logger().error(
            "the audit is not known to have grown from a head of its own", count=len(self.gone())
        )

    def gone(self) -> list[str]:
        """Returns the names of the files that were set aside."""
        # Not by glob, which finds nothing in a folder that may not be listed, and says nothing.
        if not self.folder.exists():
            return []
        return sorted(path.name for path in self.folder.iterdir() if path.name.startswith(_GONE))

    def heads(self) -> dict[str, str]:
        """Returns the notes of all heads that the tree must have grown from, by file name."""
        newest = self.read()  # first: what is set aside meanwhile is then found in either place
        found = {} if newest is None else {_NEWEST: newest.note}
        for name in self.gone():
            found[name] = (self.folder / name).read_text(encoding="utf-8", errors="replace")
        return found

    def _made(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
