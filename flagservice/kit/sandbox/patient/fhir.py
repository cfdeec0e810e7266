"""The FHIR face that a patient's or a proxy's app is given, with all that such a face may offer.

Read, vread, history, search, includes, `$everything`, `$document` and export: each is one more door
that a flag could come through, and each is named to `Record.seen` by the mode that breaks it.
"""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from .. import wire
from ..leaks import Leak
from ..outcomes import Refusal, Reply, not_found, wrong_method
from ..practice import Asked, Practice
from ..wire import Resource
from . import capability, export
from .record import NEVER_EMPTY_HANDED, TYPES, Record, record_of, reference
from .search import Search, searchset, warning

_OFFERED = (*TYPES, *NEVER_EMPTY_HANDED)


def answer(practice: Practice, asked: Asked) -> Reply:
    """Whatever is asked for below /patient/fhir."""
    record = record_of(practice, asked)
    request = asked.request
    parts = request.path.removeprefix("/patient/fhir").strip("/").split("/")
    base = f"{request.base.removesuffix('/fhir')}/patient/fhir"
    if parts[0] == "export" or parts[-1] == "$export":
        return export.answer(practice, asked, record=record, base=base, parts=parts)
    if request.method == "POST":
        return _post(asked, record, base=base, parts=parts)
    if request.method == "DELETE":
        raise wrong_method(["GET", "HEAD", "POST"])
    return _get(asked, record, base=base, parts=parts)


def _post(asked: Asked, record: Record, *, base: str, parts: list[str]) -> Reply:
    if parts[-1] != "_search" or len(parts) > 2:
        raise wrong_method(["GET", "HEAD"])
    form = "&".join(one for one in (asked.request.query, asked.request.body.decode()) if one)
    return _search(record, form, base=base, path="".join(parts[:-1]))


def _get(asked: Asked, record: Record, *, base: str, parts: list[str]) -> Reply:
    match parts:
        case ["metadata"]:
            return capability.metadata(base)
        case [""] | ["_search"]:
            return _search(record, asked.request.query, base=base, path="")
        case ["_history"]:
            return _history(record, base=base)
        case [kind] if kind in _OFFERED:
            return _search(record, asked.request.query, base=base, path=kind)
        case ["Patient", "$everything"]:
            return _everything(record, base=base)
        case [kind, "_history"] if kind in _OFFERED:
            return _history(record, base=base, kind=kind)
        case [kind, identity, *more] if kind in _OFFERED:
            return _one(asked, record, base=base, path=(kind, identity, *more))
    raise not_found()


def _search(record: Record, query: str, *, base: str, path: str) -> Reply:
    return searchset(record, Search.read(query, base=base, path=path))


def _one(asked: Asked, record: Record, *, base: str, path: tuple[str, ...]) -> Reply:
    kind, identity, *more = path
    found = _found(record, kind, identity, door=more == ["_history"])
    match more:
        case []:
            return _told(asked, found)
        case ["_history"]:
            return _history(record, base=base, kind=kind, identity=identity)
        case ["_history", version] if version in ("1", found["meta"]["versionId"]):
            return _told(asked, found)
        case ["$everything"] if kind == "Patient":
            return _everything(record, base=base)
        case ["$document"] if kind == "Composition":
            seen = record.seen(Leak.DOCUMENT)
            document = [found, *(one for one in seen if one["id"] != found["id"])]
            return _bundle("document", document, base=base)
    raise not_found()


def _found(record: Record, kind: str, identity: str, *, door: bool) -> Resource:
    wanted = f"{kind}/{identity}"
    for one in record.seen(*([Leak.HISTORY] if door else [])):
        if reference(one) == wanted:
            return one
    if any(reference(one) == wanted for one in record.hidden):
        raise _hint(record)
    raise not_found()


def _hint(record: Record) -> Refusal:
    """What a system answers that wants to be honest about what it hides."""
    if Leak.FORBIDDEN in record.leaks:
        return Refusal(403, "forbidden", "there is nothing here for this caller")
    if Leak.GONE in record.leaks:
        return Refusal(410, "deleted", "there is nothing here for this caller")
    if Leak.ERROR_TEXT in record.leaks:
        return Refusal(404, "not-found", "this entry is withheld from this caller")
    return not_found()


def _told(asked: Asked, found: Resource) -> Reply:
    """https://hl7.org/fhir/R4/http.html#cread."""
    version, updated = found["meta"]["versionId"], found["meta"]["lastUpdated"]
    instant = datetime.fromisoformat(updated).astimezone(UTC).replace(microsecond=0)
    tag = f'W/"{version}"'
    headers = (("ETag", tag), ("Last-Modified", format_datetime(instant, usegmt=True)))
    if asked.request.header("If-None-Match") == tag:
        return Reply(304, headers=headers)
    since = _instant(asked.request.header("If-Modified-Since"))
    if since is not None and instant <= since:
        return Reply(304, headers=headers)
    return Reply(200, wire.write(found), headers=headers)


def _instant(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except ValueError:
        return None


def _history(record: Record, *, base: str, kind: str = "", identity: str = "") -> Reply:
    """Each thing as it stands; this system keeps one version of an ordinary entry."""
    seen = [
        one
        for one in record.seen(Leak.HISTORY)
        if kind in ("", one["resourceType"]) and identity in ("", one["id"])
    ]
    return _bundle("history", seen, base=base)


def _everything(record: Record, *, base: str) -> Reply:
    return _bundle("searchset", record.seen(Leak.EVERYTHING), base=base, more=warning(record))


def _bundle(
    kind: str, resources: list[Resource], *, base: str, more: list[Resource] | None = None
) -> Reply:
    entries = [{"fullUrl": f"{base}/{reference(one)}", "resource": one} for one in resources]
    bundle = {"resourceType": "Bundle", "type": kind, "entry": [*entries, *(more or [])]}
    return Reply(200, wire.write(bundle))
