"""The routes of the FHIR side, https://hl7.org/fhir/R4/http.html, in the order of their match."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from flagservice.api.access.callers import ApiDep
from flagservice.api.openapi.answers import FhirResource
from flagservice.api.records import acknowledge, feed, reading, search, traces
from flagservice.api.records.negotiation import check_accept
from flagservice.api.records.parameters import of_url
from flagservice.api.records.responses import fhir_router, written
from flagservice.fhir.capability import Interaction, statement

router = fhir_router(callers_alone=False)
_CODES: Final = {"search": "search-type"}


@router.get("/metadata", response_model=FhirResource)
def metadata(api: ApiDep, request: Request) -> Response:
    """Returns the CapabilityStatement, made from the routes: open, and constant."""
    check_accept(request)
    of_url(request)
    said = statement(interactions(), base=api.base, version=api.version, changed=api.changed)
    return written(said)


# To the router, `Flag/_history` and `Flag/$digest` would be ids: what is named goes first.
_FILES: Final = (acknowledge, feed, search, reading, traces)
ROUTERS: Final[tuple[APIRouter, ...]] = (router, *(file.router for file in _FILES))


def interactions() -> list[Interaction]:
    """Returns what the routes serve, each once; an operation has its dollar sign."""
    served = [one for router_ in ROUTERS for one in router_.routes if isinstance(one, APIRoute)]
    found = {
        Interaction(_CODES.get(route.name, route.name), _type_of(route)): None
        for route in served
        if route.name != "metadata"
    }
    return list(found)


def _type_of(route: APIRoute) -> str | None:
    """Returns the type in a path: unlike the system's own paths, it begins with a capital."""
    name = route.path.removeprefix(router.prefix).split("/")[1]
    return name if name[0].isupper() else None
