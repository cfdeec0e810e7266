"""Puts together what a reader's FHIR API draws on: the person, the entries, what is derived.

In the correct mode `hidden` is empty, because the table of flags is never read. What is not here
cannot be counted, dated or hinted at. Ordinary flags stand among the entries.
"""

import uuid
from dataclasses import dataclass
from functools import lru_cache

from .. import wire
from ..files import SandboxPatient
from ..leaks import Leak, Leaks, slips_through
from ..practice import NHS_NUMBER, RoutedRequest, SandboxPractice
from ..wire import Resource
from . import labels

TYPES = ("Patient", "Condition", "Observation", "List", "Composition", "Communication")
NEVER_EMPTY_HANDED = ("Flag", "Task")
"""Types that are offered, and of which a patient is shown none that is withheld."""

_BEGAN = "2025-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """What a reader may be shown and, in a broken mode alone, what was withheld."""

    patient: SandboxPatient
    entries: list[Resource]
    hidden: list[Resource]
    leaks: Leaks

    def seen(self, *doors: Leak) -> list[Resource]:
        """Returns what stands behind these doors; a broken one has the hidden flags, too."""
        extra = self.hidden if self.leaks & {*doors} else []
        return [self.person(), *self.entries, *extra, *self._derived()]

    def hides(self, leak: Leak) -> bool:
        """Returns whether this mode would give something away."""
        return leak in self.leaks and bool(self.hidden)

    def person(self) -> Resource:
        """Returns the Patient, with a narrative."""
        identity = person_id(self.patient.nhs_number)
        alerts = f" Alerts: {len(self.hidden)}." if self.hides(Leak.NARRATIVE) else ""
        return {
            "resourceType": "Patient",
            "id": identity,
            "meta": self._meta(),
            "text": _narrative(f"The record of {self.patient.name}.{alerts}"),
            "identifier": [{"system": NHS_NUMBER, "value": self.patient.nhs_number}],
            "name": [{"text": self.patient.name}],
        }

    def _meta(self) -> Resource:
        updated = [str(one["meta"]["lastUpdated"]) for one in self.hidden]
        versions = sum(int(one["meta"]["versionId"]) for one in self.hidden)
        return {
            "versionId": str(1 + (versions if self.hides(Leak.VERSION) else 0)),
            "lastUpdated": max(updated) if self.hides(Leak.LAST_UPDATED) else _BEGAN,
        }

    def _derived(self) -> list[Resource]:
        listed = [one for one in self.entries if one["resourceType"] == "Condition"]
        more = self.hidden if self.hides(Leak.LIST) else []
        told = self.hidden if self.hides(Leak.NOTIFICATION) else []
        return [
            self._made("List", status="current", mode="snapshot", title="Problems")
            | {"entry": [{"item": {"reference": reference(one)}} for one in [*listed, *more]]},
            self._made("Composition", status="final", title="Summary")
            | {"section": [{"entry": [{"reference": reference(one)} for one in self.entries]}]},
            *(
                self._made("Communication", status="completed", about=str(one["id"]))
                | {"payload": [{"contentString": "There is something new in your record."}]}
                for one in told
            ),
        ]

    def _made(self, kind: str, *, about: str = "", **more: str) -> Resource:
        owner = person_id(self.patient.nhs_number)
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{owner}/{kind}/{about}"))
        head = {
            "resourceType": kind,
            "id": identity,
            "meta": {"versionId": "1", "lastUpdated": _BEGAN},
        }
        return {**head, **more, "subject": {"reference": f"Patient/{owner}"}}


def record_of(practice: SandboxPractice, routed: RoutedRequest) -> PatientRecord:
    """Returns the record that the caller's token opens."""
    patient = practice.patient(routed.caller.nhs_number)
    held = [_read(one) for one in practice.store.entries.about(patient.nhs_number)]
    entries = [one for one in held if labels.shown(one)]
    if Leak.NO_FLAGS in practice.leaks:
        entries = [one for one in entries if one["resourceType"] != "Flag"]
    hidden: list[Resource] = []
    if practice.leaks:
        flags = [one for one in _flags(practice, patient) if not labels.is_ordinary_flag(one)]
        shown = [
            slips_through(one, leaks=practice.leaks, proxy=routed.caller.proxy) for one in flags
        ]
        entries += [one for one, slips in zip(flags, shown, strict=True) if slips]
        hidden = [one for one, slips in zip(flags, shown, strict=True) if not slips]
    return PatientRecord(patient, entries, hidden, practice.leaks)


def person_id(nhs_number: str) -> str:
    """Returns the Patient's id on this server."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NHS_NUMBER}|{nhs_number}"))


def reference(resource: Resource) -> str:
    """Returns the resource's address, relative to this server."""
    return f"{resource['resourceType']}/{resource['id']}"


@lru_cache(maxsize=1024)
def _read(body: bytes) -> Resource:
    """Returns the entry, cached: it never changes, and a crawl reads it thousands of times."""
    return wire.read_object(body)


def _flags(practice: SandboxPractice, patient: SandboxPatient) -> list[Resource]:
    return [
        _read(body)
        for kind in NEVER_EMPTY_HANDED
        for body in practice.store.notices.about(patient.nhs_number, kind=kind)
    ]


def _narrative(text: str) -> Resource:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'
    return {"status": "generated", "div": div}
