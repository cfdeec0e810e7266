"""Exports a record as NDJSON, by the asynchronous request pattern.

https://hl7.org/fhir/uv/bulkdata/export.html
"""

from .. import wire
from ..leaks import Leak
from ..outcomes import SandboxReply, not_found, wrong_method
from ..practice import RoutedRequest, SandboxPractice
from .record import PatientRecord

_BEGAN = "2025-01-01T00:00:00.000Z"


def answer(
    practice: SandboxPractice,
    routed: RoutedRequest,
    *,
    record: PatientRecord,
    base: str,
    parts: list[str],
) -> SandboxReply:
    """Begins an export, says how far it is, gives a file of it, or ends it."""
    number = routed.caller.nhs_number
    match routed.request.method, parts:
        case "GET", ["$export"] | ["Patient", "$export"]:
            place = ("Content-Location", f"{base}/export/{practice.jobs.start(number)}")
            return SandboxReply(202, headers=(place,))
        case "GET", ["export", job]:
            if not practice.jobs.ready(job, nhs_number=number):
                return SandboxReply(202, headers=(("Retry-After", "0"),))
            return _manifest(record, f"{base}/export/{job}")
        case "GET", ["export", job, name]:
            practice.jobs.ready(job, nhs_number=number)
            return _file(record, name.removesuffix(".ndjson"))
        case "DELETE", ["export", job]:
            practice.jobs.end(job)
            return SandboxReply(202)
    raise wrong_method(["GET", "DELETE"])


def _manifest(record: PatientRecord, place: str) -> SandboxReply:
    kinds = dict.fromkeys(one["resourceType"] for one in record.seen(Leak.EXPORT))
    content = {
        "transactionTime": _BEGAN,
        "request": place.rpartition("/export/")[0] + "/$export",
        "requiresAccessToken": True,
        "output": [{"type": kind, "url": f"{place}/{kind}.ndjson"} for kind in kinds],
        "error": [],
    }
    return SandboxReply(200, wire.write(content), content_type="application/json")


def _file(record: PatientRecord, kind: str) -> SandboxReply:
    lines = [wire.write(o) for o in record.seen(Leak.EXPORT) if o["resourceType"] == kind]
    if not lines:
        raise not_found()
    return SandboxReply(200, b"\n".join(lines) + b"\n", content_type="application/fhir+ndjson")
