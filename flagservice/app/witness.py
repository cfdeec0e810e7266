"""The newest signed head of the audit, kept outside the database: beside the keys.

Whoever can write to the database could cut the tree's end off and take the last checkpoints along;
against this file that shows. Copy it off the machine for more.
"""

from dataclasses import dataclass

from flagservice.settings import Settings


@dataclass(frozen=True)
class Witness:
    """One file, replaced whole."""

    settings: Settings

    def write(self, note: str) -> None:
        """Keeps a newer head."""
        path = self.settings.keys_folder / "witness.note"
        fresh = path.with_suffix(".new")
        fresh.write_text(note, encoding="utf-8")
        fresh.replace(path)

    def read(self) -> str | None:
        """The head that was kept last, if any ever was."""
        path = self.settings.keys_folder / "witness.note"
        return path.read_text(encoding="utf-8") if path.exists() else None
