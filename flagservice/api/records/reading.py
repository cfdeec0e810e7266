"""GP systems read one flag or request, one version, or every version that still stands.

Another practice's flag, and one that does not exist, get the same answer.
"""

from functools import partial
from typing import Annotated, Final

from fastapi import Path, Request, Response

from flagservice.api.access.callers import ApiDep, Caller
from flagservice.api.openapi import examples
from flagservice.api.openapi.answers import FhirResource, Responses, refused_in_fhir
from flagservice.api.records.negotiation import requires_fhir
from flagservice.api.records.parameters import Parameter, of_url, url_parameters
from flagservice.api.records.responses import COUNT, FORMS, count_of, fhir, fhir_router, one
from flagservice.delivery.pull import read as pull
from flagservice.fhir.bundles import history

router = fhir_router()
SERVED: Final = (
    COUNT,
    Parameter("cursor", "the version after which the page begins", example=examples.ID),
)
Id = Annotated[str, Path(examples=[examples.ID])]
_READ: Final[Responses] = {
    304: {"description": "the caller holds this version"},
    **refused_in_fhir(404),
}


def _read_routes(type_: str) -> None:
    form = FORMS[type_]
    reads = Annotated[Caller, requires_fhir(f"system/{type_}.r")]

    @router.get(f"/{type_}/{{id}}", name="read", response_model=FhirResource, responses=_READ)
    def read(api: ApiDep, caller: reads, request: Request, id: Id) -> Response:  # noqa: A002
        """Returns the newest version; 304 where the caller holds it."""
        of_url(request)
        return one(request, api.perform(caller, lambda work: pull.read(work, id, form=form)))

    @router.get(
        f"/{type_}/{{id}}/_history/{{vid}}",
        name="vread",
        response_model=FhirResource,
        responses=_READ,
    )
    def vread(
        api: ApiDep,
        caller: reads,
        request: Request,
        id: Id,  # noqa: A002
        vid: Id,
    ) -> Response:
        """Returns one version by its id; 404 if it was withdrawn since."""
        of_url(request)
        deed = partial(pull.read, copy_id=id, form=form, version_id=vid)
        return one(request, api.perform(caller, deed))


def _history_route(type_: str) -> None:
    form = FORMS[type_]
    reads = Annotated[Caller, requires_fhir(f"system/{type_}.r")]

    @router.get(
        f"/{type_}/{{id}}/_history",
        name="history-instance",
        response_model=FhirResource,
        responses=refused_in_fhir(404),
        openapi_extra=url_parameters(*SERVED),
    )
    def get_history(api: ApiDep, caller: reads, request: Request, id: Id) -> Response:  # noqa: A002
        """Returns the versions that were not withdrawn, newest first."""
        given = of_url(request, *SERVED)
        count, before = count_of(given.one("_count")), given.one("cursor")
        deed = partial(pull.history, copy_id=id, form=form, limit=count + 1, before=before)
        found = api.perform(caller, deed)
        link = f"{type_}/{id}/_history?_count={count}"
        next_ = f"{link}&cursor={found[count - 1].version_id}" if len(found) > count else None
        here = f"{link}&cursor={before}" if before else link
        return fhir(history(found[:count], base=api.base, link=here, next_=next_))


for _type in FORMS:
    _read_routes(_type)
    _history_route(_type)
