"""Searches everything that left, and everything that was kept, for words that belong elsewhere."""

from collections.abc import Iterator
from pathlib import Path

from flagservice.kit.demo.stage import Stage


def leaks(stage: Stage) -> Iterator[str]:
    """Each place where a person's canary stands that is not that person's own record."""
    members = [member for family in stage.families for member in family.members.values()]
    kept = _kept(stage)
    for member in members:
        words = (member.nhs_number, *member.canaries)
        for practice in stage.practices.values():
            for other in practice.journal.records() - {member.nhs_number}:
                if _any(words, practice.journal.addressed_to(other)):
                    yield f"{member.key}: in what {practice.code} got for another record"
        for where, content in kept.items():
            if any(word.encode() in content for word in words):
                yield f"{member.key}: in {where}"


def looked_at(stage: Stage) -> int:
    """How many places were searched for each canary."""
    records = sum(len(p.journal.records()) for p in stage.practices.values())
    return records + len(_kept(stage))


def _any(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)


def _kept(stage: Stage) -> dict[str, bytes]:
    service = stage.folder / "service"
    found = {path.name: path.read_bytes() for path in _files(service)}
    found["service.log"] = (stage.folder / "service.log").read_bytes()
    operator = stage.submitters["operator"]
    found["metrics"] = operator.call("GET", f"{stage.url}/metrics").content
    return found


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]
