"""Builds what a GP record is told, up from nothing: a Flag or, in its place, a request (Task).

A builder takes one content argument, a `Disclosure`. A `CopyIdentity` says only whose copy it is.
https://hl7.org/fhir/R4/flag.html and https://hl7.org/fhir/R4/task.html
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import orjson

from flagservice.domain.codes import CATEGORY_CODES, ODS_SYSTEM, SAFEGUARDING
from flagservice.domain.copies import CopyStatus, Form
from flagservice.domain.elements import Coding, Desk, Element, Organisation, Value
from flagservice.domain.people import NHS_NUMBER_SYSTEM
from flagservice.fhir.labels import security
from flagservice.policy.disclosure import Disclosure, Status

CANONICAL: Final = "https://flagservice.example/fhir"
IDENTIFIER: Final = "https://flagservice.example/Id"
PROFILES: Final = {
    "Flag": f"{CANONICAL}/StructureDefinition/SafeguardingFlag",
    "Task": f"{CANONICAL}/StructureDefinition/SafeguardingRequest",
}
_RESOURCES: Final = {Form.FLAG: "Flag", Form.REQUEST: "Task"}
_TASK_STATUS: Final[dict[Status, str]] = {
    CopyStatus.ACTIVE: "requested",
    CopyStatus.INACTIVE: "cancelled",
    CopyStatus.ENTERED_IN_ERROR: "entered-in-error",
}
Json = dict[str, Any]


@dataclass(frozen=True)
class CopyIdentity:
    """A copy's random ids, its patient, and when this version was issued."""

    id: str
    version_id: str
    nhs_number: str
    issued: datetime


def build(disclosure: Disclosure, copy: CopyIdentity) -> Json:
    """Returns the resource for one copy: a Flag, or a Task where the policy requests."""
    return (
        _request(disclosure, copy) if disclosure.form is Form.REQUEST else _flag(disclosure, copy)
    )


def resource_type(form: Form) -> str:
    """Returns the FHIR resource that carries a form."""
    return _RESOURCES[form]


def version_system(form: Form) -> str:
    """Returns the system of the identifier by which a receiver echoes the version."""
    return f"{IDENTIFIER}/{form}-version"


def _flag(disclosure: Disclosure, copy: CopyIdentity) -> Json:
    says = disclosure.says
    resource = _head(disclosure, copy) | {
        "status": disclosure.status,
        "category": _categories(says.get(Element.PLAN_CATEGORY)),
        "code": {"coding": [_coding(disclosure.code)]},
        "subject": _patient(copy),
        "period": _period(disclosure),
        "author": _organisation(says.get(Element.AGENCY)),
    }
    return {name: value for name, value in resource.items() if value}


def _request(disclosure: Disclosure, copy: CopyIdentity) -> Json:
    resource = _head(disclosure, copy) | {
        "status": _TASK_STATUS[disclosure.status],
        "intent": "order",
        "code": {"coding": [_coding(disclosure.code)]},
        "for": _patient(copy),
        "requester": _organisation(disclosure.says.get(Element.AGENCY)),
    }
    return {name: value for name, value in resource.items() if value}


def _head(disclosure: Disclosure, copy: CopyIdentity) -> Json:
    type_ = resource_type(disclosure.form)
    return {
        "resourceType": type_,
        "id": copy.id,
        "meta": {
            "versionId": copy.version_id,
            "lastUpdated": instant(copy.issued),
            "profile": [PROFILES[type_]],
            "security": security(disclosure.labels),
        },
        "extension": _extensions(disclosure),
        "identifier": [
            {"system": f"{IDENTIFIER}/{disclosure.form}", "value": copy.id},
            {"system": version_system(disclosure.form), "value": copy.version_id},
        ],
    }


def instant(at: datetime) -> str:
    """Returns a FHIR instant with milliseconds, in UTC."""
    # In a third of isoformat's time: a page has many. A whole second is written without a fraction.
    utc = at.astimezone(UTC)
    said = orjson.dumps(utc, option=orjson.OPT_UTC_Z).decode()
    return f"{said[1:24]}Z" if utc.microsecond else f"{said[1:20]}.000Z"


def _coding(coding: Coding) -> Json:
    return {"system": coding.system, "code": coding.code, "display": coding.display}


def _categories(plan_categories: Value | None) -> list[Json]:
    codings = [SAFEGUARDING]
    if isinstance(plan_categories, tuple):
        codings += [CATEGORY_CODES[category] for category in plan_categories]
    return [{"coding": [_coding(coding)]} for coding in codings]


def _patient(copy: CopyIdentity) -> Json:
    identifier = {"system": NHS_NUMBER_SYSTEM, "value": copy.nhs_number}
    return {"type": "Patient", "identifier": identifier}


def _organisation(agency: Value | None) -> Json | None:
    if not isinstance(agency, Organisation):
        return None
    identifier = {"system": ODS_SYSTEM, "value": agency.ods}
    return {"type": "Organization", "identifier": identifier, "display": agency.name}


def _period(disclosure: Disclosure) -> Json:
    says = disclosure.says
    days = {
        "start": says.get(Element.START, says.get(Element.PLACED)),
        "end": says.get(Element.END, says.get(Element.EXPIRES)),
    }
    return {name: day.isoformat() for name, day in days.items() if isinstance(day, date)}


def _extensions(disclosure: Disclosure) -> list[Json]:
    says = disclosure.says
    days = {
        "review-due": says.get(Element.REVIEW_DUE, says.get(Element.REVIEW_BY)),
        "expected-date": says.get(Element.EXPECTED_DATE),
    }
    found: list[Json] = [
        {"url": f"{CANONICAL}/StructureDefinition/{name}", "valueDate": day.isoformat()}
        for name, day in days.items()
        if isinstance(day, date)
    ]
    desk = says.get(Element.DUTY_DESK)
    if isinstance(desk, Desk):
        telecom = {"system": "phone", "value": desk.phone, "use": "work"}
        found.append(
            {
                "url": f"{CANONICAL}/StructureDefinition/duty-desk",
                "valueContactDetail": {"name": desk.name, "telecom": [telecom]},
            }
        )
    return found
