"""Leads each caller to its own side; the other sides do not exist for it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from .clinical import capability, interactions
from .clinical import view as clinician_view
from .files import SandboxCaller, Side
from .outcomes import SandboxReply, not_found, unknown_caller, wrong_method
from .patient import fhir
from .patient import view as patient_view
from .practice import RoutedRequest, SandboxPractice, SandboxRequest

RouteAnswer = Callable[[SandboxPractice, RoutedRequest], SandboxReply]

_ID = r"(?P<id>[A-Za-z0-9.\-]{1,64})"
_ANY = r"/fhir/(?P<kind>Flag|Task|Condition|Observation)"
_NOTICE = r"/fhir/(?P<kind>Flag|Task)"
_ENTRY = r"/fhir/(?P<kind>Condition|Observation)"


@dataclass(frozen=True, slots=True)
class SandboxRoute:
    """One thing that one side can ask for."""

    side: Side
    method: str
    path: re.Pattern[str]
    answer: RouteAnswer


def _own_record(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    patient = practice.patient(routed.caller.nhs_number)
    return patient_view.record(patient, entries=practice.store.entries)


def _route(side: Side, line: str, answer: RouteAnswer) -> SandboxRoute:
    method, path = line.split(" ", maxsplit=1)
    return SandboxRoute(side, method, re.compile(path), answer)


ROUTES = (
    _route(Side.SYSTEM, "GET /fhir/metadata", capability.metadata),
    _route(Side.SYSTEM, f"PUT {_ANY}", interactions.conditional_update),
    _route(Side.SYSTEM, f"GET {_ANY}", interactions.search_by_identifier),
    _route(Side.SYSTEM, f"POST {_NOTICE}/_search", interactions.search_by_patient),
    _route(Side.SYSTEM, f"POST {_ENTRY}", interactions.create),
    _route(Side.SYSTEM, f"GET {_ANY}/{_ID}", interactions.read),
    _route(
        Side.SYSTEM,
        rf"GET {_ANY}/{_ID}/_history/(?P<version>[1-9][0-9]{{0,8}})",
        interactions.vread,
    ),
    _route(Side.CLINICIAN, "POST /clinician/record", clinician_view.record),
    _route(Side.CLINICIAN, "POST /clinician/patients", clinician_view.patients),
    _route(
        Side.CLINICIAN,
        "POST /clinician/fhir/(?P<kind>Flag|Task)/_search",
        clinician_view.search_by_patient,
    ),
    _route(Side.PATIENT, "GET /patient/record", _own_record),
    *(
        _route(Side.PATIENT, f"{method} /patient/fhir(?:/.*)?", fhir.answer)
        for method in ("GET", "HEAD", "POST", "DELETE")
    ),
)


def answer(practice: SandboxPractice, request: SandboxRequest) -> SandboxReply:
    """Finds the caller, then the route on its side; refuses a body that could not be read."""
    caller = _caller(practice, request)
    route, names = _find(request, side=caller.side)
    if request.fault is not None:
        raise request.fault
    return route.answer(practice, RoutedRequest(request, caller, **names))


def _caller(practice: SandboxPractice, request: SandboxRequest) -> SandboxCaller:
    scheme, _, token = request.header("Authorization").partition(" ")
    found = practice.callers.current().get(token.strip())
    if scheme.lower() != "bearer" or found is None:
        raise unknown_caller()
    return found


def _find(request: SandboxRequest, *, side: Side) -> tuple[SandboxRoute, dict[str, str]]:
    paths = [(route, route.path.fullmatch(request.path)) for route in ROUTES if route.side is side]
    here = [(route, match.groupdict()) for route, match in paths if match]
    if not here:
        raise not_found()
    for route, names in here:
        if route.method == request.method:
            return route, names
    raise wrong_method([route.method for route, _ in here])
