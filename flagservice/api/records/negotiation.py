"""The form of an answer: FHIR R4 as JSON, and no other. https://hl7.org/fhir/R4/http.html

Any other format, or version of FHIR, is refused.
"""

from typing import Any, Final

from fastapi import Request, Security

from flagservice.api.access.callers import Caller, RequiresScopes
from flagservice.api.openapi.answers import FHIR_JSON
from flagservice.domain.errors import Refusal

_OURS: Final = ((FHIR_JSON, "application/json", "text/json"), ("application/*", "text/*"), ("*/*",))
"""From the most specific range to the least: the first that covers us decides."""
_FORMATS: Final = frozenset({"json", *_OURS[0]})
_VERSION: Final = "4.0"
RULE: Final = "the answer is application/fhir+json, FHIR version 4.0"


class NotAcceptable(Refusal):
    """The caller takes no form that we have."""


class RequiresFhirScopes(RequiresScopes):
    """As `RequiresScopes`, for a route that answers in FHIR."""

    async def __call__(self, request: Request) -> Caller:
        """Returns the caller; raises what `RequiresScopes` raises, and NotAcceptable."""
        caller = await super().__call__(request)
        check_accept(request)
        return caller


def requires_fhir(*scopes: str) -> Any:
    """Returns the dependency of a route that answers in FHIR."""
    return Security(RequiresFhirScopes(scopes), scopes=scopes)


def check_accept(request: Request) -> None:
    """Raises NotAcceptable; `_format` outweighs `Accept`."""
    formats = request.query_params.getlist("_format")
    # A plus in a URL is a space.
    if formats and not all(one.replace(" ", "+").lower() in _FORMATS for one in formats):
        raise NotAcceptable(RULE)
    accepted = ",".join(request.headers.getlist("Accept"))
    if not formats and accepted.strip() and not _takes_ours(accepted):
        raise NotAcceptable(RULE)


def _takes_ours(accepted: str) -> bool:
    ranges = [_range(part) for part in accepted.split(",") if part.strip()]
    for names in _OURS:
        said = [quality for name, quality in ranges if name in names]
        if said:
            return max(said) > 0
    return False


def _range(part: str) -> tuple[str, float]:
    """Returns the media range and its quality: 0 for another FHIR version."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    pairs = dict(piece.partition("=")[::2] for piece in parameters)
    if pairs.get("fhirversion", _VERSION).strip('"') != _VERSION:
        return name, 0.0
    try:
        quality = float(pairs.get("q", "1"))
    except ValueError:
        quality = 0.0
    return name, quality
