"""Searches what a reader may see: https://hl7.org/fhir/R4/search.html.

It has as much of search as shows where a total, a page or an include could give a flag away. It
ignores unknown parameters, as the standard's lenient handling allows.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from .. import wire
from ..leaks import Leak
from ..outcomes import SandboxReply
from ..wire import Resource
from .record import PatientRecord, person_id, reference

_PAGE = 20
_DAYS = {"Observation": "effectiveDateTime", "Condition": "recordedDate"}
_PREFIXES = {"ge": 1, "gt": 1, "le": -1, "lt": -1}


@dataclass(frozen=True, slots=True)
class SandboxSearch:
    """One search: the types, and the parameters in the order given."""

    base: str
    path: str
    kinds: frozenset[str]
    parameters: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, query: str, *, base: str, path: str) -> "SandboxSearch":
        """Returns the search of an address or a form; `_type` names types the path does not."""
        parameters = tuple(parse_qsl(query, keep_blank_values=True))
        kinds = path or dict(parameters).get("_type", "")
        return cls(base, path, frozenset(kinds.split(",")) - {""}, parameters)

    def values(self, name: str) -> list[str]:
        """Returns every value of a parameter, whatever its modifier."""
        return [value for key, value in self.parameters if key.partition(":")[0] == name]

    def number(self, name: str, *, otherwise: int) -> int:
        """Returns the value of a whole-number parameter, or `otherwise`."""
        found = self.values(name)
        return int(found[0]) if found and found[0].isdecimal() else otherwise


def searchset(record: PatientRecord, search: SandboxSearch) -> SandboxReply:
    """Returns one page of what matches."""
    door = [Leak.SECURITY_SEARCH] if search.values("_security") else []
    matches = [one for one in record.seen(*door) if _matches(record, search, resource=one)]
    behind = [one for one in record.hidden if _matches(record, search, resource=one)]
    total = len(matches) + (len(behind) if record.hides(Leak.COUNT) else 0)
    if search.values("_summary") == ["count"]:
        return _reply({"total": total})
    start = search.number("_offset", otherwise=0)
    size = max(1, search.number("_count", otherwise=_PAGE))
    slots: list[Resource | None] = [*matches]
    if record.hides(Leak.PAGING):
        slots = [*(None for _ in behind), *slots]
    page = [one for one in slots[start : start + size] if one is not None]
    links = [("self", start), *([("next", start + size)] if start + size < len(slots) else [])]
    entries = [
        *(_entry(search, one, mode="match") for one in page),
        *(_entry(search, one, mode="include") for one in _included(record, search, page=page)),
        *warning(record),
    ]
    return _reply(
        {
            "total": total,
            "link": [{"relation": name, "url": _address(search, at)} for name, at in links],
            **({"entry": entries} if entries else {}),
        }
    )


def warning(record: PatientRecord) -> list[Resource]:
    """Returns a system's warning that something was left out."""
    if not record.hides(Leak.WARNING):
        return []
    coding = {"code": "confidential-items", "display": "Confidential items"}
    issue = {"severity": "warning", "code": "suppressed", "details": {"coding": [coding]}}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return [{"resource": outcome, "search": {"mode": "outcome"}}]


def _matches(record: PatientRecord, search: SandboxSearch, *, resource: Resource) -> bool:
    if search.kinds and resource["resourceType"] not in search.kinds:
        return False
    return all(_fits(record, name, value, resource) for name, value in search.parameters)


def _fits(record: PatientRecord, name: str, value: str, resource: Resource) -> bool:
    match name.partition(":")[0]:
        case "_id":
            return resource["id"] in value.split(",")
        case "patient" | "subject":
            return value.removeprefix("Patient/") == person_id(record.patient.nhs_number)
        case "_lastUpdated":
            return _in_time(str(resource["meta"]["lastUpdated"]), value)
        case "date":
            return _in_time(str(resource.get(_DAYS.get(resource["resourceType"], ""), "")), value)
        case "_security":
            return any(_is_token(label, value) for label in resource["meta"].get("security", []))
        case "code" | "category":
            return any(_is_token(coding, value) for coding in _codings(resource, name))
        case "status":
            return bool(resource.get("status") == value)
        case "_has":
            seen = record.hidden if record.hides(Leak.REVERSE_CHAIN) else []
            kind = name.split(":")[1] if ":" in name else ""
            return any(one["resourceType"] == kind for one in [*record.entries, *seen])
        case _:
            return True


def _in_time(held: str, wanted: str) -> bool:
    side, bound = _PREFIXES.get(wanted[:2], 0), wanted[2:]
    if not side:
        return held.startswith(wanted)
    return bool(held) and (held >= bound if side > 0 else held <= bound)


def _codings(resource: Resource, name: str) -> list[Resource]:
    held = resource.get(name, [])
    concepts = held if isinstance(held, list) else [held]
    return [coding for concept in concepts for coding in concept.get("coding", [])]


def _is_token(coding: Resource, value: str) -> bool:
    system, bar, code = value.rpartition("|")
    return coding.get("code") == code and (not bar or coding.get("system") == system)


def _included(
    record: PatientRecord, search: SandboxSearch, *, page: list[Resource]
) -> list[Resource]:
    wanted = {value.partition(":")[0] for value in search.values("_revinclude")}
    found: list[Resource] = []
    if wanted and any(one["resourceType"] == "Patient" for one in page):
        found = [
            one
            for one in record.seen(Leak.INCLUDE)
            if one["resourceType"] in wanted or "*" in wanted
        ]
    if search.values("_include"):
        found.append(record.person())
    there = {reference(one) for one in page}
    return [one for one in found if reference(one) not in there]


def _entry(search: SandboxSearch, resource: Resource, *, mode: str) -> Resource:
    address = f"{search.base}/{reference(resource)}"
    return {"fullUrl": address, "resource": resource, "search": {"mode": mode}}


def _address(search: SandboxSearch, at: int) -> str:
    parameters = [(name, value) for name, value in search.parameters if name != "_offset"]
    query = urlencode([*parameters, *([("_offset", str(at))] if at else [])])
    return f"{search.base}/{search.path}?{query}"


def _reply(more: Resource) -> SandboxReply:
    return SandboxReply(200, wire.write({"resourceType": "Bundle", "type": "searchset", **more}))
