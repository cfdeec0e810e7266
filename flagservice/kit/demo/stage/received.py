"""What each practice really received, from the raw journals of the GP systems."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it arrived, whole."""

    raw: str
    target: str
    resource: dict[str, Any] | None
    taken: bool

    @property
    def subject(self) -> str:
        """Returns the NHS number of the record to which it is addressed, or ""."""
        if self.resource is None:
            return ""
        who = self.resource.get("subject") or self.resource.get("for") or {}
        return str(who.get("identifier", {}).get("value", ""))


class PracticeJournal:
    """One practice's journal, read anew at each question."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def requests(self) -> list[ReceivedRequest]:
        """Returns everything that arrived, in order."""
        if not self._path.exists():
            return []
        return [_request(line) for line in self._path.read_text("utf-8").splitlines()]

    def addressed_to(self, nhs_number: str) -> str:
        """Returns every byte that was sent for one record, or asked after it."""
        requests = self.requests()
        ids = {
            identifier["value"]
            for request in requests
            if request.resource and request.subject == nhs_number
            for identifier in request.resource["identifier"]
        }
        mine = [r.raw for r in requests if r.subject == nhs_number or _names(r.target, ids)]
        return "\n".join(mine)

    def records(self) -> set[str]:
        """Returns the NHS numbers to which anything was addressed."""
        return {request.subject for request in self.requests()} - {""}

    def holds(self, nhs_number: str) -> list[dict[str, Any]]:
        """Returns the newest version of each copy of one record, as received; removals too."""
        newest: dict[str, dict[str, Any]] = {}
        for request in self.requests():
            if request.taken and request.resource and request.subject == nhs_number:
                newest[request.resource["identifier"][0]["value"]] = request.resource
        return list(newest.values())


def _request(line: str) -> ReceivedRequest:
    said = json.loads(line)
    try:
        resource = json.loads(said["body"]) if said["method"] == "PUT" else None
    except ValueError:
        resource = None
    return ReceivedRequest(line, said["target"], resource, said["status"] in (200, 201))


def _names(target: str, ids: set[str]) -> bool:
    return any(id_ in target for id_ in ids)


def says(resource: dict[str, Any]) -> set[str]:
    """Returns everything that a received flag or request says, in plain words."""
    told = set()
    coding = resource["code"]["coding"][0]
    if coding["code"] != "contact-duty-desk":
        told.add("concern")
    for category in resource.get("category", [])[1:]:
        told.add("category " + category["coding"][0]["display"].rsplit(" ", 1)[1])
    for name, day in resource.get("period", {}).items():
        told.add(f"{name} {day}")
    for extension in resource.get("extension", []):
        name = extension["url"].rsplit("/", 1)[1]
        told.add(f"{name} {extension['valueDate']}" if "valueDate" in extension else name)
    if "author" in resource or "requester" in resource:
        told.add("agency")
    return told


def is_removal(resource: dict[str, Any]) -> bool:
    """Returns whether it is taken back: ended, with the neutral code and nothing that was said."""
    gone = resource["status"] in ("inactive", "entered-in-error", "cancelled")
    neutral = resource["code"]["coding"][0]["code"] in ("U", "contact-duty-desk")
    return gone and neutral and says(resource) <= {"concern"}
