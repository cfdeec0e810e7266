"""The operation `$acknowledge`: a practice says what became of versions that it got.

The body is a Parameters resource with versions, an outcome and perhaps a reason. Free text is
neither read nor relayed.
"""

from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Request, Response
from pydantic import Field

from flagservice.api.access.callers import ApiDep, Caller
from flagservice.api.edge.bodies import body_of
from flagservice.api.openapi import examples
from flagservice.api.openapi.answers import FHIR_JSON, OF_A_BODY, FhirResource, refused_in_fhir
from flagservice.api.openapi.requests import json_body
from flagservice.api.records.negotiation import requires_fhir
from flagservice.api.records.parameters import of_url
from flagservice.api.records.responses import MOST, fhir_router, parameters
from flagservice.audit.log import Work
from flagservice.delivery.acknowledgements import Acknowledgement
from flagservice.domain.acknowledgements import AcknowledgementOutcome, QueryReason
from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.reading import read
from flagservice.domain.statements import Strict
from flagservice.intake.rejection import take_acknowledgement

router = fhir_router()
_LISTED: Final = Fault("parameter", f"has 1 to {MOST} version parameters, each with a valueString")
_CODED: Final = Fault("parameter", "has at most one outcome and one reason, each with a valueCode")
_EXPLAINED: Final = Fault("parameter", "has a reason with outcome queried, and with no other")
VersionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")]


class AcknowledgementParameter(Strict):
    """One parameter."""

    name: Literal["version", "outcome", "reason"]
    valueString: VersionId | None = None  # noqa: N815, FHIR's own name
    valueCode: AcknowledgementOutcome | QueryReason | None = None  # noqa: N815


class AcknowledgementParameters(Strict):
    """What a practice sends."""

    resourceType: Literal["Parameters"]  # noqa: N815
    parameter: Annotated[list[AcknowledgementParameter], Field(min_length=1, max_length=MOST + 2)]


@router.post(
    "/$acknowledge",
    name="$acknowledge",
    response_model=FhirResource,
    responses=refused_in_fhir(*OF_A_BODY),
    openapi_extra=json_body(
        AcknowledgementParameters, example=examples.ACKNOWLEDGEMENT, media_type=FHIR_JSON
    ),
)
def acknowledge(
    api: ApiDep,
    caller: Annotated[Caller, requires_fhir("flags.acknowledge")],
    request: Request,
    body: Annotated[bytes, Depends(body_of(FHIR_JSON, "application/json"))],
) -> Response:
    """Takes what became of these versions: filed, filed-not-shown, queried or rejected."""
    of_url(request)
    acknowledgement = acknowledgement_of(body)

    def deed(work: Work) -> int:
        return take_acknowledgement(work, acknowledgement, rulebook=api.policies.rulebook(work))

    taken = api.perform(caller, deed)
    return parameters({"name": "acknowledged", "valueInteger": taken})


def acknowledgement_of(body: bytes) -> Acknowledgement:
    """Returns the acknowledgement in the body; raises Invalid, and quotes nothing."""
    parts = read(AcknowledgementParameters, body).parameter
    versions = tuple(part.valueString for part in parts if part.name == "version")
    if not 1 <= len(versions) <= MOST or None in versions:
        raise Invalid(_LISTED)
    outcome = _coded(parts, "outcome", AcknowledgementOutcome) or AcknowledgementOutcome.FILED
    reason = _coded(parts, "reason", QueryReason)
    if (outcome is AcknowledgementOutcome.QUERIED) is not (reason is not None):
        raise Invalid(_EXPLAINED)
    whole = all((part.valueString is None) is (part.name != "version") for part in parts)
    if not whole or any(part.valueCode for part in parts if part.name == "version"):
        raise Invalid(_CODED)
    return Acknowledgement(tuple(map(str, versions)), outcome, reason)


def _coded(parts: list[AcknowledgementParameter], name: str, codes: type[Any]) -> Any:
    found = [part.valueCode for part in parts if part.name == name]
    if len(found) > 1 or not all(isinstance(code, codes) for code in found):
        raise Invalid(_CODED)
    return next(iter(found), None)
