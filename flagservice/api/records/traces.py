"""Where a practice's flags come from, and what it did with them: Provenance and AuditEvent.

Both are told of one flag or request at a time, because both reveal that there is one.
"""

import re
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Request, Response

from flagservice.api.access.callers import Api, ApiDep, Caller
from flagservice.api.edge.bodies import body_of
from flagservice.api.openapi import examples
from flagservice.api.openapi.answers import OF_A_BODY, FhirResource, refused_in_fhir
from flagservice.api.openapi.requests import FORM
from flagservice.api.records.cursors import Feed, SearchPosition, opened_page, sealed_page
from flagservice.api.records.negotiation import requires_fhir
from flagservice.api.records.parameters import (
    GivenParameters,
    Parameter,
    form_parameters,
    of_form,
    of_url,
    url_parameters,
)
from flagservice.api.records.reading import Id
from flagservice.api.records.responses import FORMS, fhir, fhir_router, written
from flagservice.delivery.pull.audit_trail import audit_trail
from flagservice.delivery.pull.provenance import Origin, origin, origins
from flagservice.domain.errors import Fault, Invalid
from flagservice.fhir.audit_events import AuditedDeed, audit_event
from flagservice.fhir.bundles import made
from flagservice.fhir.provenance import provenance
from flagservice.fhir.search.parameters import CRITERIA

router = fhir_router()
_REFERENCE: Final = re.compile(r"(Flag|Task)/([A-Za-z0-9.-]{1,64})", re.ASCII)
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE: Final = Parameter(
    "page", "the next page, as its link has it: alone, opaque", example=examples.ID
)
ReadsProvenance = Annotated[Caller, requires_fhir("system/Provenance.r")]
SearchesProvenance = Annotated[Caller, requires_fhir("system/Provenance.s")]
SearchesAudit = Annotated[Caller, requires_fhir("system/AuditEvent.s")]
Body = Annotated[bytes, Depends(body_of(FORM))]


def _served(type_: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(one.name, one.documentation, example=examples.CRITERIA[type_, one.name])
        for one in CRITERIA[type_]
    )


_TARGET, _ENTITY = _served("Provenance"), (*_served("AuditEvent"), _PAGE)


@router.get(
    "/Provenance",
    name="search",
    response_model=FhirResource,
    openapi_extra=url_parameters(*_TARGET),
)
def search_provenance(api: ApiDep, caller: SearchesProvenance, request: Request) -> Response:
    """Returns where every version of one flag or request comes from, newest first."""
    return _origins(api, caller, of_url(request, *_TARGET))


@router.post(
    "/Provenance/_search",
    name="search",
    response_model=FhirResource,
    responses=refused_in_fhir(*OF_A_BODY),
    openapi_extra=form_parameters(*_TARGET, example=examples.SEARCHES["Provenance"]),
)
def post_provenance(
    api: ApiDep, caller: SearchesProvenance, request: Request, body: Body
) -> Response:
    """Returns the same, asked in the body."""
    return _origins(api, caller, of_form(request, body, *_TARGET))


@router.get(
    "/AuditEvent",
    name="search",
    response_model=FhirResource,
    openapi_extra=url_parameters(*_ENTITY),
)
def search_audit(api: ApiDep, caller: SearchesAudit, request: Request) -> Response:
    """Returns what the practice's clients did with one flag or request, newest first.

    An empty page may have a next link: nothing was found so far, and the walk goes on.
    """
    return _events(api, caller, of_url(request, *_ENTITY))


@router.post(
    "/AuditEvent/_search",
    name="search",
    response_model=FhirResource,
    responses=refused_in_fhir(*OF_A_BODY),
    openapi_extra=form_parameters(*_ENTITY[:1], example=examples.SEARCHES["AuditEvent"]),
)
def post_audit(api: ApiDep, caller: SearchesAudit, request: Request, body: Body) -> Response:
    """Returns the same, asked in the body."""
    return _events(api, caller, of_form(request, body, *_ENTITY[:1]))


# Last: to the router `Provenance/_search` would be an id, and its 405 would name the wrong method.
@router.get(
    "/Provenance/{id}", name="read", response_model=FhirResource, responses=refused_in_fhir(404)
)
def read_provenance(api: ApiDep, caller: ReadsProvenance, request: Request, id: Id) -> Response:  # noqa: A002
    """Returns where one version comes from: its id is the version's."""
    of_url(request)
    deed = partial(origin, version_id=id, forms=tuple(FORMS.values()))
    return written(_provenance(api.perform(caller, deed)))


def _origins(api: Api, caller: Caller, given: GivenParameters) -> Response:
    type_, id_ = _target(given, "target")
    deed = partial(origins, copy_id=id_, form=FORMS[type_])
    found = [_provenance(one) for one in api.perform(caller, deed)]
    return fhir(made(found, base=api.base, link=f"Provenance?target={type_}/{id_}", next_=None))


def _provenance(one: Origin) -> dict[str, Any]:
    return provenance(orjson.loads(one.content), removal=one.removal)


def _events(api: Api, caller: Caller, given: GivenParameters) -> Response:
    feed, before = Feed(caller.ods, "AuditEvent"), None
    if page := given.one("page"):
        position = opened_page(api.log.vault, feed, page)
        given, before = GivenParameters(position.parameters), position.row
    type_, id_ = _target(given, "entity")
    deed = partial(audit_trail, copy_id=id_, form=FORMS[type_], before=before)
    found = api.perform(caller, deed)
    events = [
        audit_event(_event(said, f"{type_}/{id_}", versions), labels=found.labels)
        for said, versions in found.found
    ]
    next_ = None
    if found.onward is not None:
        goes_on = SearchPosition(given.pairs, "", _START, found.onward)
        next_ = f"AuditEvent?page={sealed_page(api.log.vault, feed, goes_on)}"
    link = f"AuditEvent?page={page}" if page else f"AuditEvent?entity={type_}/{id_}"
    return fhir(made(events, base=api.base, link=link, next_=next_))


def _event(said: dict[str, Any], target: str, versions: tuple[str, ...]) -> AuditedDeed:
    return AuditedDeed(
        id=said["id"],
        deed=said["deed"],
        at=said["at"],
        ods=said["ods"],
        client=said["actor"],
        target=target,
        versions=versions,
    )


def _target(given: GivenParameters, name: str) -> tuple[str, str]:
    found = _REFERENCE.fullmatch(given.one(name) or "")
    if found is None:
        raise Invalid(Fault(name, "is needed, as Flag/[id] or Task/[id]"))
    return found[1], found[2]
