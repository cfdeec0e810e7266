"""The families: who they are, what happened, and what each practice must then hold."""

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

_FILES = Path(__file__).parent / "families"


@dataclass(frozen=True)
class Member:
    """One person, with the words that must never reach another record."""

    key: str
    role: str
    nhs_number: str
    born: date
    practice: str
    canaries: tuple[str, ...]


@dataclass(frozen=True)
class TimelineEvent:
    """Something that happened: posts, a practice's decision, moves, or nothing that runs yet."""

    family: str
    at: date
    origin: str
    name: str
    posts: tuple[dict[str, Any], ...]
    decides: str | None
    decision: dict[str, str] | None
    moves: dict[str, str]
    not_yet: str | None


@dataclass(frozen=True)
class Expectation:
    """What one practice holds for one record after an event, and what must not stand there."""

    family: str
    after: str
    practice: str
    record: str
    holds: str
    absent: tuple[str, ...]
    check: dict[str, Any]
    not_yet: str | None


@dataclass(frozen=True)
class Family:
    """One family."""

    name: str
    members: dict[str, Member]
    events: tuple[TimelineEvent, ...]
    expectations: tuple[Expectation, ...]


def families() -> list[Family]:
    """Returns all three families."""
    return [
        _family(tomllib.loads(path.read_text("utf-8"))) for path in sorted(_FILES.glob("*.toml"))
    ]


def _family(said: dict[str, Any]) -> Family:
    name = said["name"]
    members = [
        Member(p["key"], p["role"], p["nhs_number"], p["born"], p["practice"], tuple(p["canaries"]))
        for p in said["people"]
    ]
    return Family(
        name,
        {member.key: member for member in members},
        tuple(_event(name, event) for event in said["timeline"]),
        tuple(_expectation(name, expect) for expect in said["expect"]),
    )


def _event(family: str, said: dict[str, Any]) -> TimelineEvent:
    return TimelineEvent(
        family,
        said["at"],
        said["from"],
        said["event"],
        tuple(said.get("posts", ())),
        said.get("decides"),
        said.get("decision"),
        said.get("moves", {}),
        said.get("not_yet"),
    )


def _expectation(family: str, said: dict[str, Any]) -> Expectation:
    return Expectation(
        family,
        said["after"],
        said["practice"],
        said["record"],
        said["holds"],
        tuple(said["absent"]),
        said.get("check", {}),
        said.get("not_yet"),
    )


def people_of(body: dict[str, Any], family: Family) -> dict[str, Any]:
    """Returns a post's body with its people by number instead of by key."""
    return {**body, "people": [_person(person, family) for person in body["people"]]}


def _person(said: dict[str, Any], family: Family) -> dict[str, Any]:
    if "key" not in said:
        return said
    member = family.members[said["key"]]
    rest = {name: value for name, value in said.items() if name != "key"}
    numbered = {
        "role": member.role,
        "nhs_number": member.nhs_number,
        "date_of_birth": member.born.isoformat(),
    }
    return {**numbered, **rest}
