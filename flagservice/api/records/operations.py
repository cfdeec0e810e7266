"""Operations of the records' side: what a practice should hold, and what became of what it got."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from flagservice.api.access.callers import Asked, Faced
from flagservice.api.edge.bodies import body_of, described
from flagservice.api.records.acknowledge import Parameters, answer_of
from flagservice.api.records.negotiation import FHIR_JSON, may_read
from flagservice.api.records.parameters import of_url
from flagservice.api.records.responses import FORMS, written
from flagservice.audit.log import Work
from flagservice.delivery.pull import feed
from flagservice.intake.rejection import take_acknowledgement

router = APIRouter(prefix="/fhir/R4", tags=["records"])


def _type_routes(type_: str) -> None:
    """A digest of flags, and one of requests."""
    form = FORMS[type_]
    reads = Annotated[Asked, Depends(may_read(f"system/{type_}.s"))]

    @router.get(f"/{type_}/$digest", name="$digest")
    def get_digest(face: Faced, asked: reads, request: Request) -> Response:
        """What the practice should hold as active: how many, their hash, and the feed's last."""
        of_url(request)
        found = face.perform(asked, lambda work: feed.digest(work, form=form))
        return written(
            _parameters(
                {"name": "count", "valueUnsignedInt": found.count},
                {"name": "sha256", "valueString": found.sha256},
                {"name": "last", "valueUnsignedInt": found.last},
            )
        )


for _type in FORMS:
    _type_routes(_type)


@router.post("/$acknowledge", name="$acknowledge", openapi_extra=described(Parameters, FHIR_JSON))
def acknowledge(
    face: Faced,
    asked: Annotated[Asked, Depends(may_read("flags.acknowledge"))],
    request: Request,
    body: Annotated[bytes, Depends(body_of(FHIR_JSON, "application/json"))],
) -> Response:
    """What became of these versions: filed, filed-not-shown, queried or rejected."""
    of_url(request)
    answer = answer_of(body)

    def deed(work: Work) -> int:
        return take_acknowledgement(work, answer, rulebook=face.shelf.rulebook(work))

    taken = face.perform(asked, deed)
    return written(_parameters({"name": "acknowledged", "valueInteger": taken}))


def _parameters(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(parts)}
