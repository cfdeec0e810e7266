"""One reader of one twin: what it asks, what it learned first, what it meets after."""

from dataclasses import dataclass, field
from typing import Final

from flagservice.kit.leak_check.config import Twin
from flagservice.kit.leak_check.crawl.client import CrawlAnswer, CrawlClient
from flagservice.kit.leak_check.crawl.requests import (
    HIDDEN,
    CrawlRequest,
    CrawlScope,
    Door,
    Json,
    offer,
    plan,
)
from flagservice.kit.leak_check.differences.collected import CollectedSigns
from flagservice.kit.leak_check.differences.likeness import Crawl, Noise, OwnValues
from flagservice.kit.leak_check.differences.naming import ReaderRole

_BY_LABEL: Final = (Door.EVERYTHING, Door.INCLUDE, Door.SECURITY, Door.EXPORT)


class Doubtful(Exception):
    """Nothing can be concluded; the message says why."""


@dataclass
class TwinReader:
    """One reader of one twin, before and after the flag."""

    role: ReaderRole
    twin: Twin
    client: CrawlClient
    requests: list[CrawlRequest] = field(default_factory=list)
    own: OwnValues = field(default_factory=lambda: OwnValues((), ()))
    before: Crawl = field(default_factory=dict)

    def look_first(self, noise: Noise, *, since: str) -> None:
        """Makes the list, asks it twice, and learns; raises Doubtful if the answers differ."""
        self.requests = plan(self._known(since))
        first = noise.out_of(self.client.crawl(self.requests))
        number = self.twin.nhs_number
        self.own = OwnValues((number, f"{number[:3]} {number[3:6]} {number[6:]}"), first)
        self.before = {one.line: one for one in first}
        steady = CollectedSigns()
        steady.note(self.before, self.again(noise, whole=True))
        if steady:
            raise Doubtful("answers change by themselves, before anything was filed")

    def again(self, noise: Noise, *, whole: bool) -> Crawl:
        """Returns the answers to the list, or to the part of it in which a label decides."""
        requests = [request for request in self.requests if whole or by_label(request)]
        return {one.line: one for one in noise.out_of(self.client.crawl(requests))}

    def known(self, *, whole: bool) -> Crawl:
        """Returns the answers before the flag, to the same part of the list."""
        return {line: one for line, one in self.before.items() if whole or by_label(one.request)}

    def alike(self, crawl: Crawl) -> Crawl:
        """Returns a crawl without this twin's own values, to compare with the other twin's."""
        return self.own.crawl(crawl.values())

    def _known(self, since: str) -> CrawlScope:
        capability = self.client.request(CrawlRequest(Door.CAPABILITY, "metadata")).body
        if not isinstance(capability, dict) or capability.get("resourceType") != _STATEMENT:
            raise Doubtful("the patient's side shows no CapabilityStatement")
        offered, operations = offer(capability)
        found: dict[str, Json] = {}
        for kind in dict.fromkeys(("Patient", *offered)):
            for resource in _resources(self.client.request(CrawlRequest(Door.SEARCH, kind, kind))):
                found[f"{resource['resourceType']}/{resource['id']}"] = resource
        patients = [one for one in found.values() if one["resourceType"] == "Patient"]
        if len(patients) != 1 or self.twin.nhs_number not in str(patients[0].get("identifier")):
            raise Doubtful("a search of Patient does not find the twin alone, by its NHS number")
        if len(found) == 1:
            raise Doubtful("the twin's record is empty: nothing in it could carry a trace")
        return CrawlScope(offered, operations, patients[0]["id"], list(found.values()), since)


_STATEMENT: Final = "CapabilityStatement"


def by_label(request: CrawlRequest) -> bool:
    """Returns whether a label alone decides the answer to this request."""
    return request.kind in ("", *HIDDEN) or request.door in _BY_LABEL


def _resources(answer: CrawlAnswer) -> list[Json]:
    body = answer.body if isinstance(answer.body, dict) else {}
    held = [entry.get("resource", {}) for entry in body.get("entry", [])]
    return [one for one in held if "id" in one and "resourceType" in one]
