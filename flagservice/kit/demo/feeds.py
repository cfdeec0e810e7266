"""Reads every practice's own feed from 0, and holds it against what was pushed."""

import json
from collections.abc import Iterator
from typing import Any

from flagservice.kit.demo.stage import Practice, Stage

TYPES = ("Flag", "Task")
"""Each has a feed of its own."""


def feed_faults(stage: Stage) -> Iterator[str]:
    """What is wrong with any feed: a gap, a wrong order, or bytes that differ from the push."""
    for practice in stage.practices.values():
        entries = []
        for type_ in TYPES:
            read = feed(stage, practice, type_=type_)
            numbers = [entry["extension"][0]["valuePositiveInt"] for entry in read]
            if numbers != list(range(1, len(numbers) + 1)):
                yield f"{practice.code}: the feed of {type_} is not contiguous from 1"
            entries += read
        pushed = [
            json.dumps(r.resource, sort_keys=True)
            for r in practice.journal.requests()
            if r.resource
        ]
        for entry in entries:
            polled = {k: v for k, v in entry["resource"].items() if k != "id"}
            if json.dumps(polled, sort_keys=True) not in pushed:
                yield f"{practice.code}: polled and pushed differ"


def feed(stage: Stage, practice: Practice, *, type_: str) -> list[dict[str, Any]]:
    """Every entry, page by page."""
    found: list[dict[str, Any]] = []
    address = f"{stage.url}/fhir/R4/{type_}/_history?_count=7"
    while True:
        bundle = practice.client.call("GET", address).json()
        page = bundle.get("entry", [])
        if not page:
            return found
        found += page
        address = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
