"""The list of seeded leaks: `blind.toml` by somebody who had not seen the tests, `own.toml` by us.

`caught_by.toml` says which test must fail with each of the first. `controls.toml` has the controls
by which requirements of `policies/assurance/asvs.toml` are met, each broken once.

A leak is a piece of a shipping file and what a tired programmer wrote instead, so that it survives
what happens elsewhere in the file; where the piece is gone, the list is out of date and says so.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HOME: Final = Path(__file__).parents[2]
LISTS: Final = ("blind", "own")


@dataclass(frozen=True)
class Leak:
    """One seeded leak; `caught_by` is the test that must fail with it."""

    author: str
    name: str
    leak: str
    file: str
    find: str
    replace: str
    caught_by: str
    asvs: str = ""
    """Of a broken control, the requirement that it held."""

    def patched(self, home: Path) -> str:
        """The file with the leak in it; raises ValueError where the list is out of date."""
        text = (home / self.file).read_text(encoding="utf-8")
        if text.count(self.find) != 1:
            raise ValueError(f"{self.name}: stands {text.count(self.find)} times in {self.file}")
        return text.replace(self.find, self.replace)


def every_leak() -> Iterator[Leak]:
    """Both lists, in their order."""
    caught_by = _read("caught_by")
    for author in LISTS:
        for entry in _read(author)["leaks"]:
            test = caught_by.get(entry["name"], "")
            yield Leak(author=author, **{"caught_by": test, **entry})


def every_control() -> Iterator[Leak]:
    """What the service would be without one of its controls, in the list's order."""
    for entry in _read("controls")["controls"]:
        yield Leak(author="control", **entry)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text("utf-8"))
