"""The FHIR API of a patient's or a proxy's app, with all that such an API may offer.

It has read, vread, history, search, includes, `$everything`, `$document` and export. A flag could
come through each; `PatientRecord.seen` is told which mode breaks it.
"""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from .. import wire
from ..leaks import Leak
from ..outcomes import SandboxRefusal, SandboxReply, not_found, wrong_method
from ..practice import RoutedRequest, SandboxPractice
from ..wire import Resource
from . import capability, export
from .record import NEVER_EMPTY_HANDED, TYPES, PatientRecord, record_of, reference
from .search import SandboxSearch, searchset, warning

_OFFERED = (*TYPES, *NEVER_EMPTY_HANDED)


def answer(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    """Answers a request below /patient/fhir."""
    record = record_of(practice, routed)
    request = routed.request
    parts = request.path.removeprefix("/patient/fhir").strip("/").split("/")
    base = f"{request.base.removesuffix('/fhir')}/patient/fhir"
    if parts[0] == "export" or parts[-1] == "$export":
        return export.answer(practice, routed, record=record, base=base, parts=parts)
    if request.method == "POST":
        return _post(routed, record, base=base, parts=parts)
    if request.method == "DELETE":
        raise wrong_method(["GET", "HEAD", "POST"])
    return _get(routed, record, base=base, parts=parts)


def _post(
    routed: RoutedRequest, record: PatientRecord, *, base: str, parts: list[str]
) -> SandboxReply:
    if parts[-1] != "_search" or len(parts) > 2:
        raise wrong_method(["GET", "HEAD"])
    form = "&".join(one for one in (routed.request.query, routed.request.body.decode()) if one)
    return _search(record, form, base=base, path="".join(parts[:-1]))


def _get(
    routed: RoutedRequest, record: PatientRecord, *, base: str, parts: list[str]
) -> SandboxReply:
    match parts:
        case ["metadata"]:
            return capability.metadata(base)
        case [""] | ["_search"]:
            return _search(record, routed.request.query, base=base, path="")
        case ["_history"]:
            return _history(record, base=base)
        case [kind] if kind in _OFFERED:
            return _search(record, routed.request.query, base=base, path=kind)
        case ["Patient", "$everything"]:
            return _everything(record, base=base)
        case [kind, "_history"] if kind in _OFFERED:
            return _history(record, base=base, kind=kind)
        case [kind, identity, *more] if kind in _OFFERED:
            return _one(routed, record, base=base, path=(kind, identity, *more))
    raise not_found()


def _search(record: PatientRecord, query: str, *, base: str, path: str) -> SandboxReply:
    return searchset(record, SandboxSearch.read(query, base=base, path=path))


def _one(
    routed: RoutedRequest, record: PatientRecord, *, base: str, path: tuple[str, ...]
) -> SandboxReply:
    kind, identity, *more = path
    found = _found(record, kind, identity, door=more == ["_history"])
    match more:
        case []:
            return _told(routed, found)
        case ["_history"]:
            return _history(record, base=base, kind=kind, identity=identity)
        case ["_history", version] if version in ("1", found["meta"]["versionId"]):
            return _told(routed, found)
        case ["$everything"] if kind == "Patient":
            return _everything(record, base=base)
        case ["$document"] if kind == "Composition":
            seen = record.seen(Leak.DOCUMENT)
            document = [found, *(one for one in seen if one["id"] != found["id"])]
            return _bundle("document", document, base=base)
    raise not_found()


def _found(record: PatientRecord, kind: str, identity: str, *, door: bool) -> Resource:
    wanted = f"{kind}/{identity}"
    for one in record.seen(*([Leak.HISTORY] if door else [])):
        if reference(one) == wanted:
            return one
    if any(reference(one) == wanted for one in record.hidden):
        raise _hint(record)
    raise not_found()


def _hint(record: PatientRecord) -> SandboxRefusal:
    if Leak.FORBIDDEN in record.leaks:
        return SandboxRefusal(403, "forbidden", "there is nothing here for this caller")
    if Leak.GONE in record.leaks:
        return SandboxRefusal(410, "deleted", "there is nothing here for this caller")
    if Leak.ERROR_TEXT in record.leaks:
        return SandboxRefusal(404, "not-found", "this entry is withheld from this caller")
    return not_found()


def _told(routed: RoutedRequest, found: Resource) -> SandboxReply:
    """Returns the resource, or 304 where it is held: https://hl7.org/fhir/R4/http.html#cread."""
    version, updated = found["meta"]["versionId"], found["meta"]["lastUpdated"]
    instant = datetime.fromisoformat(updated).astimezone(UTC).replace(microsecond=0)
    tag = f'W/"{version}"'
    headers = (("ETag", tag), ("Last-Modified", format_datetime(instant, usegmt=True)))
    if routed.request.header("If-None-Match") == tag:
        return SandboxReply(304, headers=headers)
    since = _instant(routed.request.header("If-Modified-Since"))
    if since is not None and instant <= since:
        return SandboxReply(304, headers=headers)
    return SandboxReply(200, wire.write(found), headers=headers)


def _instant(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except ValueError:
        return None


def _history(
    record: PatientRecord, *, base: str, kind: str = "", identity: str = ""
) -> SandboxReply:
    """Returns each thing as it stands: an ordinary entry has one version."""
    seen = [
        one
        for one in record.seen(Leak.HISTORY)
        if kind in ("", one["resourceType"]) and identity in ("", one["id"])
    ]
    return _bundle("history", seen, base=base)


def _everything(record: PatientRecord, *, base: str) -> SandboxReply:
    return _bundle("searchset", record.seen(Leak.EVERYTHING), base=base, more=warning(record))


def _bundle(
    kind: str, resources: list[Resource], *, base: str, more: list[Resource] | None = None
) -> SandboxReply:
    entries = [{"fullUrl": f"{base}/{reference(one)}", "resource": one} for one in resources]
    bundle = {"resourceType": "Bundle", "type": kind, "entry": [*entries, *(more or [])]}
    return SandboxReply(200, wire.write(bundle))
