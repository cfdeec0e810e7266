"""Shows a patient or a proxy a record in which a flag leaves no trace.

It is given the ordinary entries alone, and tells no total, no instant of reading and no id that
counts: the bytes are the same whether or not a flag came.
"""

import uuid

from .. import wire
from ..files import SandboxPatient
from ..outcomes import SandboxReply
from ..practice import NHS_NUMBER
from ..store import Entries
from ..wire import Resource
from . import labels


def record(patient: SandboxPatient, *, entries: Entries) -> SandboxReply:
    """Returns the person and the entries that may be shown: https://hl7.org/fhir/R4/bundle.html."""
    held = [wire.read_object(body) for body in entries.about(patient.nhs_number)]
    shown = [_person(patient), *(one for one in held if labels.shown(one))]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in shown],
    }
    return SandboxReply(200, wire.write(bundle))


def _person(patient: SandboxPatient) -> Resource:
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{NHS_NUMBER}|{patient.nhs_number}")
    return {
        "resourceType": "Patient",
        "id": str(identity),
        "identifier": [{"system": NHS_NUMBER, "value": patient.nhs_number}],
        "name": [{"text": patient.name}],
    }
