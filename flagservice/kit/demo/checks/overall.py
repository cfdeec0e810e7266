"""Checks all practices at once: no words in others' records, and every feed whole."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flagservice.kit.demo.stage.practice import GpPractice
from flagservice.kit.demo.stage.stage import DemoStage

TYPES = ("Flag", "Task")


def feed_faults(stage: DemoStage) -> Iterator[str]:
    """Yields what is wrong with any feed: a gap, a wrong order, bytes that differ from the push."""
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


def feed(stage: DemoStage, practice: GpPractice, *, type_: str) -> list[dict[str, Any]]:
    """Returns every entry of a feed."""
    found: list[dict[str, Any]] = []
    address = f"{stage.url}/fhir/R4/{type_}/_history?_count=7"
    while True:
        bundle = practice.client.call("GET", address).json()
        page = bundle.get("entry", [])
        if not page:
            return found
        found += page
        address = next(link["url"] for link in bundle["link"] if link["relation"] == "next")


def leaks(stage: DemoStage) -> Iterator[str]:
    """Yields each place, outside the person's own record, where a canary of theirs stands."""
    members = [member for family in stage.families for member in family.members.values()]
    sent, kept = _sent(stage), _kept(stage)
    for member in members:
        words = (member.nhs_number, *member.canaries)
        for (code, record), text in sent.items():
            if record != member.nhs_number and any(word in text for word in words):
                yield f"{member.key}: in what {code} got for another record"
        for where, content in kept.items():
            if any(word.encode() in content for word in words):
                yield f"{member.key}: in {where}"


def _sent(stage: DemoStage) -> dict[tuple[str, str], str]:
    return {
        (code, record): practice.journal.addressed_to(record)
        for code, practice in stage.practices.items()
        for record in practice.journal.records()
    }


def _kept(stage: DemoStage) -> dict[str, bytes]:
    service = stage.folder / "service"
    found = dict(_contents(service))
    found["service.log"] = (stage.folder / "service.log").read_bytes()
    operator = stage.submitters["operator"]
    found["metrics"] = operator.call("GET", f"{stage.url}/metrics").content
    return found


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yields what is there. A file that is written anew meanwhile is there by its own name."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):
                yield path.name, path.read_bytes()
