"""The token endpoint: the one place that proves who calls."""

from typing import Annotated, Final, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request

from flagservice.api.access.callers import ApiDep
from flagservice.api.edge.bodies import body_of
from flagservice.api.edge.limits import Audience, peer_of
from flagservice.api.openapi import examples
from flagservice.api.openapi.answers import (
    OF_A_BODY,
    OF_EVERY_ROUTE,
    AnswerModel,
    refused,
    refused_by_oauth,
)
from flagservice.api.openapi.requests import FORM, form_body
from flagservice.audit.log import Actor
from flagservice.clients.assertions import ASSERTION_TYPE, BadAssertion, claimed_client

router = APIRouter(
    tags=["service"],
    responses={**refused(*OF_EVERY_ROUTE, *OF_A_BODY), **refused_by_oauth(400, 401, 403)},
)
_TEXT: Final = {"type": "string"}
_PARAMETERS: Final = {
    "type": "object",
    "required": ["grant_type", "client_assertion_type", "client_assertion"],
    "properties": {
        "grant_type": {"const": "client_credentials"},
        "client_assertion_type": {"const": ASSERTION_TYPE},
        "client_assertion": _TEXT,
        "scope": _TEXT,
    },
}
_TOKENS: Final = Actor("token endpoint")


class AccessToken(AnswerModel):
    """An access token, as https://www.rfc-editor.org/rfc/rfc6749#section-5.1 has it."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


@router.post("/oauth2/token", openapi_extra=form_body(_PARAMETERS, example=examples.TOKEN))
def post_token(
    api: ApiDep, request: Request, body: Annotated[bytes, Depends(body_of(FORM))]
) -> AccessToken:
    """Returns a token for client credentials with `private_key_jwt` (OAuth 2): the only way in."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise BadAssertion("the body is not a form") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise BadAssertion("a parameter is given twice")
    form = dict(pairs)
    peer = peer_of(request.client.host if request.client else "")
    api.limits.check(Audience.OUTSIDERS, peer)
    api.limits.take(Audience.TOKENS, claimed_client(form), peer)
    token = api.log.perform(_TOKENS, lambda work: api.tokens.issue(work, form))
    return AccessToken(**token)
