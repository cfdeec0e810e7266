"""The FHIR interactions by which a service tells a practice something and checks it.

https://hl7.org/fhir/R4/http.html
"""

import uuid
from datetime import UTC, datetime
from email.utils import format_datetime

from .. import wire
from ..leaks import Leak
from ..outcomes import SandboxRefusal, SandboxReply, not_found
from ..patient import labels
from ..practice import RoutedRequest, SandboxPractice, SandboxRequest
from ..store import ResourceKey, StoredVersion
from ..wire import Resource
from . import criteria

NOTICES = frozenset({"Flag", "Task"})


def conditional_update(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    """Creates or updates by identifier: https://hl7.org/fhir/R4/http.html#cond-update.

    1. The resource must carry the identifier that the query names.
    2. It must be about a registered person.
    3. Under a lock it is created if none matches, and updated if one does.
    """
    # 1
    found = criteria.resource(routed.request, kind=routed.kind)
    identifier = criteria.asked_identifier(routed.request)
    carried = criteria.identifiers(found)
    if identifier not in carried:
        raise SandboxRefusal(400, "invalid", "the resource must carry the identifier of the query")
    # 2
    patient = practice.patient(criteria.subject(found, kind=routed.kind)).nhs_number
    # 3
    with practice.store.alone():
        matches = practice.store.notices.matching(routed.kind, identifier=identifier)
        if len(matches) > 1:
            raise SandboxRefusal(412, "multiple-matches", "several resources carry the identifier")
        key, version = (
            matches[0][:2] if matches else (ResourceKey(routed.kind, str(uuid.uuid4())), 0)
        )
        _refuse_stale(routed.request, version=version)
        kept = _stamped(found, key=key, version=version + 1, patient=patient, practice=practice)
        if Leak.DROPS_FLAGS not in practice.leaks:
            practice.store.notices.put(kept, identifiers=carried)
            _publish(practice, kept, found=found)
    return _told(routed.request, kept.body, status=200 if matches else 201)


def _publish(practice: SandboxPractice, kept: StoredVersion, *, found: Resource) -> None:
    """Shows an ordinary entry to the patient, and removes any other from their side."""
    marked = (found.get("status"), str(found.get("verificationStatus")))
    in_error = any("entered-in-error" in str(one) for one in marked)
    if Leak.KEEPS_ALL in practice.leaks and in_error:
        return
    if (
        Leak.NO_CONTROL not in practice.leaks
        and not in_error
        and (kept.key.kind not in NOTICES or labels.is_ordinary_flag(found))
    ):
        practice.store.entries.publish(kept)
    else:
        practice.store.entries.retract(kept.key)


def create(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    """Adds an ordinary clinical entry: https://hl7.org/fhir/R4/http.html#create."""
    found = criteria.resource(routed.request, kind=routed.kind)
    patient = practice.patient(criteria.subject(found, kind=routed.kind)).nhs_number
    key = ResourceKey(routed.kind, str(uuid.uuid4()))
    kept = _stamped(found, key=key, version=1, patient=patient, practice=practice)
    practice.store.entries.add(kept)
    return _told(routed.request, kept.body, status=201)


def read(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    """Returns the current version: https://hl7.org/fhir/R4/http.html#read."""
    key = ResourceKey(routed.kind, routed.id)
    table = practice.store.notices if routed.kind in NOTICES else practice.store.entries
    return _found(routed.request, table.read(key))


def vread(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    """Returns one version, current or past: https://hl7.org/fhir/R4/http.html#vread."""
    key, number = ResourceKey(routed.kind, routed.id), int(routed.version)
    if routed.kind in NOTICES:
        return _found(routed.request, practice.store.notices.version(key, number=number))
    return _found(routed.request, practice.store.entries.read(key) if number == 1 else [])


def search_by_identifier(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    """Returns what carries an identifier: https://hl7.org/fhir/R4/http.html#search."""
    identifier = criteria.asked_identifier(routed.request)
    matches = practice.store.notices.matching(routed.kind, identifier=identifier)
    bundle = _searchset(routed, [body for _, _, body in matches])
    this = f"{routed.request.base}/{routed.kind}?{routed.request.query}"
    return SandboxReply(200, wire.write(bundle | {"link": [{"relation": "self", "url": this}]}))


def search_by_patient(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    """Returns what is held about one person, with no self link: it would name the number."""
    patient = criteria.asked_patient(routed.request)
    bodies = practice.store.notices.about(patient, kind=routed.kind)
    return SandboxReply(200, wire.write(_searchset(routed, bodies)))


def _refuse_stale(request: SandboxRequest, *, version: int) -> None:
    """Refuses a stale If-Match: https://hl7.org/fhir/R4/http.html#concurrency."""
    wanted = request.header("If-Match")
    if wanted and wanted != f'W/"{version}"':
        raise SandboxRefusal(412, "conflict", "If-Match is not the current version")


def _stamped(
    found: Resource, *, key: ResourceKey, version: int, patient: str, practice: SandboxPractice
) -> StoredVersion:
    now = practice.clock().astimezone(UTC)
    instant = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    meta = found.get("meta", {}) | {"versionId": str(version), "lastUpdated": instant}
    whole = {"resourceType": key.kind, "id": key.id, "meta": meta}
    body = wire.write(whole | found | {"id": key.id, "meta": meta})
    return StoredVersion(key=key, version=version, patient=patient, body=body)


def _found(request: SandboxRequest, bodies: list[bytes]) -> SandboxReply:
    if not bodies:
        raise not_found()
    return _told(request, bodies[0], status=200)


def _told(request: SandboxRequest, body: bytes, *, status: int) -> SandboxReply:
    held = wire.read_object(body)
    meta = held["meta"]
    version, instant = meta["versionId"], datetime.fromisoformat(meta["lastUpdated"])
    headers = (("ETag", f'W/"{version}"'), ("Last-Modified", format_datetime(instant, usegmt=True)))
    if request.method == "GET":
        return SandboxReply(status, body, headers=headers)
    location = f"{request.base}/{held['resourceType']}/{held['id']}/_history/{version}"
    shown = b"" if _wants_minimal(request) else body
    return SandboxReply(status, shown, headers=(*headers, ("Location", location)))


def _wants_minimal(request: SandboxRequest) -> bool:
    """Returns whether the reply is minimal: https://hl7.org/fhir/R4/http.html#ops."""
    preferences = request.header("Prefer").replace(";", ",").split(",")
    return "return=minimal" in {one.strip() for one in preferences}


def _searchset(routed: RoutedRequest, bodies: list[bytes]) -> Resource:
    entries = [_entry(routed, wire.read_object(body)) for body in bodies]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return bundle | ({"entry": entries} if entries else {})


def _entry(routed: RoutedRequest, held: Resource) -> Resource:
    address = f"{routed.request.base}/{routed.kind}/{held['id']}"
    return {"fullUrl": address, "resource": held, "search": {"mode": "match"}}
