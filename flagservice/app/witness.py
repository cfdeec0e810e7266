"""The newest signed head of the audit, kept outside the database: beside the keys.

Whoever can write to the database could cut the tree's end off and take the last checkpoints along;
against this file that shows. Copy it off the machine for more.
"""

from dataclasses import dataclass

from flagservice.app.files import put
from flagservice.settings import Settings


@dataclass(frozen=True)
class Witness:
    """One file, replaced whole, for all processes that share the keys' folder."""

    settings: Settings

    def write(self, note: str) -> None:
        """Keeps this head, whatever was there.

        Of two processes that write at the same instant, the one with the older head may come last:
        until the next leaf, half a second's leaves are witnessed by the database alone.
        """
        put(self.settings.keys_folder / "witness.note", note.encode())

    def read(self) -> str | None:
        """The head that was kept last, if any ever was."""
        path = self.settings.keys_folder / "witness.note"
        return path.read_text(encoding="utf-8") if path.exists() else None
