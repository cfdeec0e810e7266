"""Reads every practice's own feed from 0, and holds it against what was pushed."""

import json
from collections.abc import Iterator
from typing import Any

from flagservice.kit.demo.stage import Practice, Stage


def feed_faults(stage: Stage) -> Iterator[str]:
    """What is wrong with any feed: a gap, a wrong order, or bytes that differ from the push."""
    for practice in stage.practices.values():
        entries = feed(stage, practice)
        numbers = [entry["extension"][0]["valuePositiveInt"] for entry in entries]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{practice.code}: the feed is not contiguous from 1"
        pushed = [
            json.dumps(r.resource, sort_keys=True)
            for r in practice.journal.requests()
            if r.resource
        ]
        for entry in entries:
            polled = {k: v for k, v in entry["resource"].items() if k != "id"}
            if json.dumps(polled, sort_keys=True) not in pushed:
                yield f"{practice.code}: polled and pushed differ"


def feed(stage: Stage, practice: Practice) -> list[dict[str, Any]]:
    """Every entry, page by page."""
    found: list[dict[str, Any]] = []
    address = f"{stage.url}/fhir/R4/_history?_count=7"
    while True:
        bundle = practice.client.call("GET", address).json()
        page = bundle.get("entry", [])
        if not page:
            return found
        found += page
        address = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
