"""GP systems receive: FHIR R4, https://hl7.org/fhir/R4/http.html. Each file has its own routes.

An NHS number never stands in a URL, and nothing else than JSON is served.
"""

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
    """The CapabilityStatement, made from the routes; open to everybody, and the same for all."""
    check_accept(request)
    of_url(request)
    said = statement(interactions(), base=api.base, version=api.version, changed=api.changed)
    return written(said)


# To the router, `Flag/_history` and `Flag/$digest` would be ids: what is named goes first.
_FILES: Final = (acknowledge, feed, search, reading, traces)
ROUTERS: Final[tuple[APIRouter, ...]] = (router, *(file.router for file in _FILES))


def interactions() -> list[Interaction]:
    """What the routes serve, each once: an operation by its name, with its dollar sign."""
    served = [one for router_ in ROUTERS for one in router_.routes if isinstance(one, APIRoute)]
    found = {
        Interaction(_CODES.get(route.name, route.name), _type_of(route)): None
        for route in served
        if route.name != "metadata"
    }
    return list(found)


def _type_of(route: APIRoute) -> str | None:
    """A type's name begins with a capital; the system's own paths do not."""
    name = route.path.removeprefix(router.prefix).split("/")[1]
    return name if name[0].isupper() else None
