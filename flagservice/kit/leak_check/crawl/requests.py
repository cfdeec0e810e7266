"""Every request of a crawl: what the CapabilityStatement offers, and what it does not.

The list is made once for each twin, before anything is filed, and asked again unchanged.
https://hl7.org/fhir/R4/http.html and https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, urlencode

Json = dict[str, Any]
HIDDEN: Final = ("Flag", "Task")
NOPAT_SYSTEMS: Final = (
    "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "http://hl7.org/fhir/v3/ActCode",
    "urn:oid:2.16.840.1.113883.4.642.3.47",
)
"""The spellings of NOPAT in use; the first is the one that is sent."""

_PROBED: Final = (
    *HIDDEN,
    *("List", "Communication", "Condition", "Observation", "DocumentReference", "Composition"),
    *("AuditEvent", "Provenance", "Consent", "CarePlan", "Basic", "DetectedIssue", "Encounter"),
)
_LONG_AGO: Final = "1900-01-01"
_SYSTEM_WIDE: Final = f"?_type={','.join(HIDDEN)}"
_MOST_RESOURCES: Final = 60


class Door(StrEnum):
    """The way in that a request tries."""

    CAPABILITY = "capability"
    READ = "read"
    SEARCH = "search"
    COUNT = "count"
    INCLUDE = "include"
    HISTORY = "history"
    EVERYTHING = "everything"
    DOCUMENT = "document"
    OPERATION = "operation"
    EXPORT = "export"
    SECURITY = "security"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REVERSE_CHAIN = "reverse-chain"
    GUESS = "guess"


@dataclass(frozen=True)
class CrawlRequest:
    """One request, relative to the base; `kind` is the resource type that it is about."""

    door: Door
    target: str
    kind: str = ""
    method: str = "GET"
    form: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def line(self) -> str:
        """Returns the request in one line, for a report."""
        extra = "".join(f" [{name}: {value}]" for name, value in self.headers)
        return f"{self.method} {self.target}{f' ({self.form})' if self.form else ''}{extra}"


@dataclass(frozen=True)
class CrawlScope:
    """What the list is made from: the offer, the twin's id, what is there, and since when."""

    offered: dict[str, Json]
    system_operations: tuple[str, ...]
    patient: str
    resources: Sequence[Json]
    since: str


def offer(capability: Json) -> tuple[dict[str, Json], tuple[str, ...]]:
    """Returns what a CapabilityStatement offers: each type, and the operations of the system."""
    rest: Json = next(iter(capability.get("rest", [])), {})
    resources = {one["type"]: one for one in rest.get("resource", []) if "type" in one}
    return resources, _operations(rest)


def _operations(part: Json) -> tuple[str, ...]:
    named = [str(one.get("name", "")) for one in part.get("operation", [])]
    return tuple(name.removeprefix("$") for name in named if name)


def plan(known: CrawlScope) -> list[CrawlRequest]:
    """Returns everything that is asked of one twin, each request once."""
    kinds = dict.fromkeys(("Patient", *known.offered, *_PROBED))
    found = [
        *_whole_system(known),
        *(request for kind in kinds for request in _searches(known, kind)),
        *(request for one in known.resources[:_MOST_RESOURCES] for request in _reads(known, one)),
    ]
    return list({request.line: request for request in found}.values())


def _whole_system(known: CrawlScope) -> Iterator[CrawlRequest]:
    yield CrawlRequest(Door.CAPABILITY, "metadata")
    for target in ("", _SYSTEM_WIDE, f"?patient={known.patient}"):
        yield CrawlRequest(Door.SEARCH, target)
    yield CrawlRequest(Door.SECURITY, "?_security=NOPAT")
    yield CrawlRequest(Door.COUNT, f"{_SYSTEM_WIDE}&_summary=count")
    yield CrawlRequest(Door.UPDATED, f"?_lastUpdated=gt{quote(known.since)}")
    for since in ("", f"?_since={_LONG_AGO}", f"?_since={quote(known.since)}", "?_count=1"):
        yield CrawlRequest(Door.HISTORY, f"_history{since}")
    for name in dict.fromkeys(("export", *known.system_operations)):
        yield _operation(f"${name}", name)
    yield _operation("Patient/$export", "export", kind="Patient")
    me = f"Patient/{known.patient}"
    for target in ("Patient/$everything", f"{me}/$everything"):
        for limit in ("", f"?_type={','.join(HIDDEN)}", f"?_since={quote(known.since)}"):
            yield CrawlRequest(Door.EVERYTHING, target + limit, "Patient")
    for kind, status in (("Flag", "active"), ("Flag", "inactive"), ("Task", "requested")):
        for name in ("patient", "subject"):
            target = f"Patient?_has:{kind}:{name}:status={status}"
            yield CrawlRequest(Door.REVERSE_CHAIN, target, "Patient")
    for kind in (*HIDDEN, "List", "Communication"):
        for name in ("patient", "subject"):
            yield CrawlRequest(Door.INCLUDE, f"Patient?_revinclude={kind}:{name}", "Patient")


def _operation(target: str, name: str, *, kind: str = "") -> CrawlRequest:
    door = {"export": Door.EXPORT, "everything": Door.EVERYTHING, "document": Door.DOCUMENT}.get(
        name, Door.OPERATION
    )
    headers = (("Prefer", "respond-async"),) if door is Door.EXPORT else ()
    return CrawlRequest(door, target, kind, headers=headers)


def _searches(known: CrawlScope, kind: str) -> Iterator[CrawlRequest]:
    mine = f"_id={known.patient}" if kind == "Patient" else f"patient={known.patient}"
    if kind not in (*known.offered, *HIDDEN):
        yield CrawlRequest(Door.SEARCH, f"{kind}?{mine}", kind)
        yield CrawlRequest(Door.HISTORY, f"{kind}/_history", kind)
        return
    for query in ("", f"?{mine}", "?_count=1", "?_sort=-_lastUpdated", "?_summary=true"):
        yield CrawlRequest(Door.SEARCH, f"{kind}{query}", kind)
    yield CrawlRequest(Door.SEARCH, kind, kind, method="HEAD")
    yield CrawlRequest(Door.SEARCH, f"{kind}/_search", kind, method="POST", form=mine)
    for query in ("_summary=count", "_total=accurate", f"{mine}&_summary=count"):
        yield CrawlRequest(Door.COUNT, f"{kind}?{query}", kind)
    for query in ("_security=NOPAT", "_security:not=NOPAT"):
        yield CrawlRequest(Door.SECURITY, f"{kind}?{query}", kind)
    yield CrawlRequest(Door.UPDATED, f"{kind}?_lastUpdated=gt{quote(known.since)}", kind)
    yield CrawlRequest(Door.HISTORY, f"{kind}/_history", kind)
    yield from _offered(known, kind)


def _offered(known: CrawlScope, kind: str) -> Iterator[CrawlRequest]:
    """Yields what the statement offers for a type, and what is asked of a flag in any case."""
    for system in NOPAT_SYSTEMS:
        yield CrawlRequest(
            Door.SECURITY, f"{kind}?_security={quote(system, safe='')}%7CNOPAT", kind
        )
    yield CrawlRequest(Door.HISTORY, f"{kind}/_history?_since={quote(known.since)}", kind)
    offered = known.offered.get(kind, {})
    for way, field in (("_include", "searchInclude"), ("_revinclude", "searchRevInclude")):
        for value in dict.fromkeys(("*", *offered.get(field, []))):
            yield CrawlRequest(Door.INCLUDE, f"{kind}?{way}={value}", kind)
    for parameter in offered.get("searchParam", []):
        for value in _values(known, kind, parameter):
            query = urlencode({parameter["name"]: value})
            yield CrawlRequest(Door.SEARCH, f"{kind}?{query}", kind)
    for name in _operations(offered):
        yield _operation(f"{kind}/${name}", name, kind=kind)


def _values(known: CrawlScope, kind: str, parameter: Json) -> list[str]:
    """Returns what to search for: what is there, and what would be if a flag showed."""
    name, type_ = str(parameter.get("name", "")), parameter.get("type")
    if name in ("_security", "_id"):
        return []
    match type_:
        case "date":
            return [f"ge{_LONG_AGO}"]
        case "reference":
            return [f"Patient/{known.patient}"]
        case "token":
            held = [_first_code(one.get(name)) for one in known.resources if _is(one, kind)]
            return [*dict.fromkeys(one for one in (*held, "active", "SG") if one)][:4]
        case _:
            return ["a"]


def _first_code(held: Any) -> str:
    match held:
        case str():
            return held
        case [first, *_]:
            return _first_code(first)
        case {"coding": [{"code": str(code)}, *_]}:
            return code
        case _:
            return ""


def _is(resource: Json, kind: str) -> bool:
    return bool(resource.get("resourceType") == kind)


def _reads(known: CrawlScope, resource: Json) -> Iterator[CrawlRequest]:
    kind, meta = str(resource["resourceType"]), resource.get("meta", {})
    target = f"{kind}/{resource['id']}"
    version = str(meta.get("versionId", "1"))
    yield CrawlRequest(Door.READ, target, kind)
    yield CrawlRequest(Door.READ, target, kind, method="HEAD")
    yield CrawlRequest(Door.READ, f"{target}/_history/{quote(version)}", kind)
    yield CrawlRequest(Door.HISTORY, f"{target}/_history", kind)
    tag, since = f'W/"{version}"', _http_date(known.since)
    yield CrawlRequest(Door.UNCHANGED, target, kind, headers=(("If-None-Match", tag),))
    yield CrawlRequest(Door.UNCHANGED, target, kind, headers=(("If-Modified-Since", since),))
    for name in _operations(known.offered.get(kind, {})):
        if name != "export":
            yield _operation(f"{target}/${name}", name, kind=kind)


def guesses(kind: str, identity: str, *, identifier: str) -> list[CrawlRequest]:
    """Returns the requests for a hidden id that is known or guessed."""
    target = f"{kind}/{identity}"
    return [
        CrawlRequest(Door.GUESS, target, kind),
        CrawlRequest(Door.GUESS, target, kind, method="HEAD"),
        CrawlRequest(Door.GUESS, f"{target}/_history", kind),
        CrawlRequest(Door.GUESS, f"{target}/_history/1", kind),
        CrawlRequest(Door.GUESS, target, kind, headers=(("If-None-Match", 'W/"1"'),)),
        CrawlRequest(Door.GUESS, f"{kind}?_id={identity}", kind),
        CrawlRequest(Door.GUESS, f"{kind}?identifier={quote(identifier, safe='')}", kind),
        CrawlRequest(Door.GUESS, f"List?item={target}", kind),
    ]


def _http_date(instant: str) -> str:
    moment = datetime.fromisoformat(instant).astimezone(UTC).replace(microsecond=0)
    return format_datetime(moment, usegmt=True)
