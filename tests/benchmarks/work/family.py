"""One family's rows as the service itself wrote them, to be written again under other names.

What was sealed is opened once. For each family more, the ids, numbers, practices and instants in it
are replaced, and it is sealed anew: under keys of its own, at its own place. Only the keyed digests
stay those of the model; nothing looks at them until one of these people is ruled on again.
"""

import json
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flagservice.store.sealing.vault import Vault
from tests.world import COUNCIL

PEOPLE = ("child", "mother", "father")
BORN = "2000-01-01"
_ABOUT_PEOPLE = ("person", "registration")
_ABOUT_PLANS = ("plan", "submission", "naming", "copy", "version", "delivery", "ruling", "leaf")
_VERSIONED = {"submission": "version", "naming": "version", "version": "number"}
_FIRST_ISSUED = datetime(2026, 1, 1, tzinfo=UTC)
Rows = Iterator[tuple[str, tuple[Any, ...]]]


def numbers(start: int = 0) -> Iterator[str]:
    """The valid NHS numbers of the synthetic range, from one place in it on."""
    for nine in range(999_000_000 + start, 1_000_000_000):
        digits = str(nine)
        check = -sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            yield f"{digits}{check}"


def issued(number: int) -> str:
    """When the flag of this number in its feed was issued, to the millisecond."""
    return (_FIRST_ISSUED + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000")


@dataclass(frozen=True)
class _Written:
    """One row of the model, with what is inside it, and the id of the row that has its key."""

    table: str
    row: dict[str, Any]
    inside: bytes
    owner: str
    words: tuple[str, ...] = ()
    """What is replaced in it."""


@dataclass
class People:
    """Three people who are stored: the words and keys that stand for those of the model."""

    words: dict[str, str]
    keys: dict[str, bytes] = field(default_factory=dict)


class Family:
    """The model, and how to write it again."""

    def __init__(self, connection: sqlite3.Connection, vault: Vault) -> None:
        self._vault = vault
        connection.row_factory = sqlite3.Row
        rows = {table: _rows(connection, table) for table in (*_ABOUT_PEOPLE, *_ABOUT_PLANS)}
        self._by_id = {row["id"]: row for table in rows.values() for row in table}
        self._people = [self._opened(one, row) for one in _ABOUT_PEOPLE for row in rows[one]]
        self._plan = [self._opened(one, row) for one in _ABOUT_PLANS for row in rows[one]]
        registered = (json.loads(one.inside) for one in self._people if one.table != "person")
        self._homes = {said["number"]: said["practice"] for said in registered}
        whole = [word for both in self._homes.items() for word in both]
        for one in (*self._people, *self._plan):
            whole += [one.row["id"], one.row.get("issued", "")[:23] or one.row["id"]]
        self._people, self._plan = (
            [_with_words(one, whole) for one in part] for part in (self._people, self._plan)
        )

    def _opened(self, table: str, row: dict[str, Any]) -> _Written:
        if "sealed" not in row or row["sealed"] is None:
            return _Written(table, row, row.get("body", b""), "")
        owner = row["id"] if "data_key" in row else row.get("person_id") or row.get("plan_id")
        owner = owner or self._by_id[row["copy_id"]]["person_id"]
        key = self._by_id[owner]["data_key"]
        inside = self._vault.open(key, row["sealed"], **_bound(table, row))
        return _Written(table, row, inside, owner)

    def people(self, of: Sequence[str], at: Sequence[str]) -> tuple[People, Rows]:
        """Three more, by their numbers, registered at these practices; their rows."""
        found = People(dict(zip(self._homes, of, strict=True)))
        found.words |= zip(self._homes.values(), at, strict=True)
        for one in self._people:
            inside = one.inside if one.table == "person" else json.loads(one.inside)["number"]
            number = found.words[inside.decode() if isinstance(inside, bytes) else inside]
            pseudonym = self._vault.pseudonym(number, purpose=one.table)
            found.words[one.row["pseudonym"]] = pseudonym
        return found, self._again(self._people, found, feeds=Counter())

    def plan(self, people: People, reference: str, *, feeds: Counter[str]) -> Rows:
        """One plan more about three people; its flags go on where the feeds of practices end."""
        own = People(dict(people.words), dict(people.keys))
        natural_key = self._vault.pseudonym(f"{COUNCIL}|{reference}", purpose="reference")
        (model,) = (one for one in self._plan if one.table == "plan")
        own.words[model.row["reference"]] = natural_key
        return self._again(self._plan, own, feeds=feeds)

    def _again(self, model: Sequence[_Written], people: People, *, feeds: Counter[str]) -> Rows:
        words, places = people.words, {}
        for one in model:
            words[one.row["id"]] = secrets.token_hex(16)
        for one in model:
            row = {name: words.get(value, value) for name, value in one.row.items()}
            if one.table == "version":
                feeds[row["practice"]] += 1
                places[row["copy_id"]] = row["feed_number"] = feeds[row["practice"]]
                words[one.row["issued"][:23]] = issued(row["feed_number"])
                row["issued"] = f"{issued(row['feed_number'])}000Z"
            if one.table == "delivery":
                row["number"] = places[row["copy_id"]]
            if row.get("data_key"):
                row["data_key"] = people.keys[one.row["id"]] = self._vault.new_data_key()
            self._write_inside(one, row, people)
            yield one.table, tuple(row.values())

    def _write_inside(self, one: _Written, row: dict[str, Any], people: People) -> None:
        inside = one.inside
        for word in one.words:
            inside = inside.replace(word.encode(), people.words[word].encode())
        if one.owner:
            key = people.keys[one.owner]
            row["sealed"] = self._vault.seal(key, inside, **_bound(one.table, row))
        elif "body" in row:
            row["body"] = inside


def _rows(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    found = connection.execute(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608, a name of ours
    told = table != "leaf"
    return [dict(row) for row in found if told or b'"deed":"disclosed"' in row["body"]]


def _with_words(one: _Written, whole: Sequence[str]) -> _Written:
    inside = {word for word in whole if word.encode() in one.inside}
    return replace(one, words=tuple(sorted(inside)))


def _bound(table: str, row: dict[str, Any]) -> Any:
    version = row[_VERSIONED[table]] if table in _VERSIONED else 1
    return {"table": table, "row": row["id"], "version": version}
