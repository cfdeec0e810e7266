"""Makes two twins' answers comparable, and an answer comparable with an earlier one.

Only two things are excused.

`OwnValues` works between the twins alone. Each twin's ids, number and name become their place in
the order of first appearance; its instants and strong ETags become `<then>`. They are learned from
the crawl before a flag is filed, so what a flag adds or moves is seen. Answers of one twin are
compared as they are.

`Noise` is what an answer says of itself. An instant is noise only at the places listed below, and
only within `window` of the request. After each filing the check waits twice that long, so that the
instant of the filing is never excused. An id is noise only at the places listed, only as a UUID,
and only if no answer had it before.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import unquote

from flagservice.kit.leak_check.crawl.client import CrawlAnswer, CrawlExchange

INSTANT_HEADERS: Final = frozenset({"date"})
INSTANT_PLACES: Final = frozenset({("meta", "lastUpdated"), ("timestamp",), ("transactionTime",)})
"""Of a Bundle or an export's manifest itself; never of a resource inside."""
CHANCE_HEADERS: Final = frozenset({"x-request-id", "x-correlation-id"})
CHANCE_PLACES: Final = frozenset({("id",)})

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-.:+]*[A-Za-z0-9])?")
_PERSONAL = ("identifier", "name", "telecom", "address", "birthDate")
_OWN_HEADERS = ("last-modified",)
_THEN = "<then>"

Crawl = dict[str, CrawlExchange]
"""By request line."""


class OwnValues:
    """One twin's own values, each with the same place throughout the check."""

    def __init__(self, values: Iterable[str], first: Iterable[CrawlExchange]) -> None:
        self._places: dict[str, str] = {}
        self._phrases: dict[str, str] = {}
        self._stamps: dict[str, str] = {}
        for value in values:
            self._learn(value)
        for exchange in first:
            for value in _in_body(exchange.answer.body):
                self._learn(value)
            for name, value in exchange.answer.headers:
                if name in _OWN_HEADERS or (name == "etag" and not value.startswith("W/")):
                    self._stamps[value] = _THEN

    def _learn(self, value: str) -> None:
        if _INSTANT.fullmatch(value):
            self._stamps[value] = _THEN
            return
        known = self._places if _WORD.fullmatch(value) else self._phrases
        known.setdefault(value, f"<{len(self._places) + len(self._phrases)}>")

    @classmethod
    def same(cls, *pairs: tuple[str, str]) -> "OwnValues":
        """Returns values in which both of each pair have one place."""
        own = cls((), ())
        for number, pair in enumerate(pairs):
            own._places.update(dict.fromkeys(pair, f"<{number}>"))
        return own

    def crawl(self, exchanges: Iterable[CrawlExchange]) -> Crawl:
        """Returns the exchanges by request line, with the twin's own values replaced."""
        return {self.text(one.line): self._exchange(one) for one in exchanges}

    def text(self, text: str) -> str:
        """Returns a text with the twin's own values replaced."""
        for phrase, place in self._phrases.items():
            text = text.replace(phrase, place)
        return _WORD.sub(self._word, unquote(text) if "%" in text else text)

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        bare = word.removeprefix("urn:uuid:")
        return self._places.get(bare) or self._stamps.get(word, word)

    def _exchange(self, exchange: CrawlExchange) -> CrawlExchange:
        answer = exchange.answer
        headers = tuple((name, self._header(value)) for name, value in answer.headers)
        changed = replace(answer, headers=headers, body=self._body(answer.body))
        request = replace(exchange.request, target=self.text(exchange.request.target))
        return replace(exchange, request=request, answer=changed)

    def _header(self, value: str) -> str:
        return self._stamps.get(value) or self.text(value)

    def _body(self, part: Any) -> Any:
        if isinstance(part, dict):
            return {key: self._body(held) for key, held in part.items()}
        if isinstance(part, list):
            return [self._body(held) for held in part]
        return self.text(part) if isinstance(part, str) else part


def _in_body(part: Any) -> Iterator[str]:
    if isinstance(part, str) and _INSTANT.fullmatch(part):
        yield part
    elif isinstance(part, list):
        for held in part:
            yield from _in_body(held)
    elif isinstance(part, dict):
        if "resourceType" in part and isinstance(part.get("id"), str):
            yield part["id"]
        if part.get("resourceType") == "Patient":
            for name in _PERSONAL:
                yield from _texts(part.get(name))
        for held in part.values():
            yield from _in_body(held)


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str) and "://" not in part:
        yield part
    elif isinstance(part, list | dict):
        for held in part.values() if isinstance(part, dict) else part:
            yield from _texts(held)


@dataclass
class Noise:
    """Takes out what an answer says of itself, where that is shown to be so."""

    window: timedelta

    def __post_init__(self) -> None:
        self._met: set[str] = set()

    def out_of(self, exchanges: Iterable[CrawlExchange]) -> list[CrawlExchange]:
        """Returns the exchanges with the noise replaced by its name."""
        return [replace(one, answer=self._settled(one.answer)) for one in exchanges]

    def _settled(self, answer: CrawlAnswer) -> CrawlAnswer:
        headers = tuple((name, self._header(answer, name, value)) for name, value in answer.headers)
        body = answer.body
        if isinstance(body, dict) and body.get("resourceType", "Bundle") == "Bundle":
            body = self._of_itself(answer, body, ())
        return replace(answer, headers=headers, body=body)

    def _header(self, answer: CrawlAnswer, name: str, value: str) -> str:
        if name in INSTANT_HEADERS:
            return self._instant(answer, value)
        return self._chance(value) if name in CHANCE_HEADERS else value

    def _of_itself(self, answer: CrawlAnswer, part: Any, place: tuple[str, ...]) -> Any:
        if place in INSTANT_PLACES and isinstance(part, str):
            return self._instant(answer, part)
        if place in CHANCE_PLACES and isinstance(part, str):
            return self._chance(part)
        if isinstance(part, dict):
            return {k: self._of_itself(answer, held, (*place, k)) for k, held in part.items()}
        return part

    def _instant(self, answer: CrawlAnswer, value: str) -> str:
        moment = _moment(value)
        if not self.window or moment is None:
            return value
        second = timedelta(seconds=1)  # a Date header has no fractions
        early = answer.asked - min(self.window, second)
        return "<now>" if early <= moment <= answer.answered + self.window else value

    def _chance(self, value: str) -> str:
        if not _UUID.fullmatch(value) or value in self._met:
            return value
        self._met.add(value)
        return "<chance>"


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except ValueError:
            return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
