"""The body of `$acknowledge`: Parameters with versions, an outcome and perhaps a reason, no more.

Nothing that a practice could write in its own words is read here, so nothing of it is relayed.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from flagservice.api.records.responses import MOST
from flagservice.delivery.acknowledgements import Acknowledgement
from flagservice.domain.acknowledgements import AcknowledgementOutcome, QueryReason
from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.reading import read
from flagservice.domain.statements import Strict

_LISTED: Final = Fault("parameter", f"has 1 to {MOST} version parameters, each with a valueString")
_CODED: Final = Fault("parameter", "has at most one outcome and one reason, each with a valueCode")
_EXPLAINED: Final = Fault("parameter", "has a reason with outcome queried, and with no other")
VersionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")]


class Part(Strict):
    """One parameter."""

    name: Literal["version", "outcome", "reason"]
    valueString: VersionId | None = None  # noqa: N815, FHIR's own name
    valueCode: AcknowledgementOutcome | QueryReason | None = None  # noqa: N815


class Parameters(Strict):
    """What a practice sends."""

    resourceType: Literal["Parameters"]  # noqa: N815
    parameter: Annotated[list[Part], Field(min_length=1, max_length=MOST + 2)]


def answer_of(body: bytes) -> Acknowledgement:
    """The answer that the body holds; raises Invalid, and quotes nothing."""
    parts = read(Parameters, body).parameter
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


def _coded(parts: list[Part], name: str, codes: type[Any]) -> Any:
    found = [part.valueCode for part in parts if part.name == name]
    if len(found) > 1 or not all(isinstance(code, codes) for code in found):
        raise Invalid(_CODED)
    return next(iter(found), None)
