"""The newest signed head of the audit, kept outside the database: beside the keys.

Whoever can write to the database could cut the tree's end off and take the last checkpoints along;
against this file that shows. Copy it off the machine for more.
"""

import re
from dataclasses import dataclass

from flagservice.app.files import put
from flagservice.settings import Settings


@dataclass(frozen=True)
class Witness:
    """One file, replaced whole, for all processes that share the keys' folder."""

    settings: Settings

    def write(self, note: str) -> None:
        """Keeps this head, unless there is one of a larger tree.

        So a tree that was cut shows for as long as it is shorter. Of two processes that write at
        the same instant the one with the older head may come last, until the next is written.
        """
        if _size(self.read() or "") <= _size(note):
            put(self.settings.keys_folder / "witness.note", note.encode())

    def read(self) -> str | None:
        """The head that was kept last, if any ever was."""
        path = self.settings.keys_folder / "witness.note"
        return path.read_text(encoding="utf-8") if path.exists() else None


def _size(note: str) -> int:
    """Of the tree, as a checkpoint says it on its second line; -1 where this is none."""
    said = re.match(r"[^\n]+\n([0-9]+)\n", note, re.ASCII)
    return int(said[1]) if said else -1
