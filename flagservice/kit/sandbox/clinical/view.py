"""Shows a clinician the whole record."""

from .. import wire
from ..files import SandboxPatient
from ..leaks import Leak
from ..outcomes import SandboxRefusal, SandboxReply, unreadable
from ..practice import RoutedRequest, SandboxPractice
from ..wire import Resource
from . import interactions

_OPEN_TASK = ("draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold")


def record(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    """Returns one person's record: what stands, what is asked, what was, and ordinary entries."""
    patient = practice.patient(_asked_number(routed.request.body))
    flags = _about(practice, patient, kind="Flag")
    tasks = _about(practice, patient, kind="Task")
    return _json(
        {
            "practice": practice.ods_code,
            "patient": {"nhs_number": patient.nhs_number, "name": patient.name},
            "flags": [flag for flag in flags if _stands(flag)],
            "requests": [task for task in tasks if _is_open(task)],
            "history": [
                *(flag for flag in flags if not _stands(flag)),
                *(task for task in tasks if not _is_open(task)),
            ],
            "entries": [
                entry
                for body in practice.store.entries.about(patient.nhs_number)
                if (entry := wire.read_object(body))["resourceType"] not in interactions.NOTICES
            ],
        }
    )


def patients(practice: SandboxPractice, _: RoutedRequest) -> SandboxReply:
    """Returns the registered people, with the number of their flags."""
    return _json([_row(practice, person) for person in practice.register.current().values()])


def search_by_patient(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    """Returns one person's flags or tasks, as a clinician's screen gets them."""
    if Leak.CLINICIAN_BLIND in practice.leaks:
        return SandboxReply(200, wire.write({"resourceType": "Bundle", "type": "searchset"}))
    return interactions.search_by_patient(practice, routed)


def _row(practice: SandboxPractice, patient: SandboxPatient) -> Resource:
    standing = [flag for flag in _about(practice, patient, kind="Flag") if _stands(flag)]
    return {"nhs_number": patient.nhs_number, "name": patient.name, "active_flags": len(standing)}


def _about(practice: SandboxPractice, patient: SandboxPatient, *, kind: str) -> list[Resource]:
    found = practice.store.notices.about(patient.nhs_number, kind=kind)
    return [wire.read_object(body) for body in found]


def _stands(flag: Resource) -> bool:
    return bool(flag["status"] == "active")


def _is_open(task: Resource) -> bool:
    return task["status"] in _OPEN_TASK


def _asked_number(body: bytes) -> str:
    try:
        number = wire.read_object(body).get("nhs_number")
    except wire.Unreadable:
        raise unreadable() from None
    if not isinstance(number, str):
        raise SandboxRefusal(400, "required", "nhs_number is needed, as a string")
    return number


def _json(content: object) -> SandboxReply:
    return SandboxReply(200, wire.write(content), content_type="application/json")
