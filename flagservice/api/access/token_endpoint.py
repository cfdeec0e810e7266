"""The token endpoint: the one place that proves who calls."""

from typing import Annotated, Final
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Depends, Request, Response

from flagservice.api.access.callers import ApiDep
from flagservice.api.edge.bodies import body_of
from flagservice.api.edge.limits import Audience, peer_of
from flagservice.audit.log import Actor
from flagservice.clients.assertions import BadAssertion, claimed_client

router = APIRouter(tags=["service"])
_FORM: Final = "application/x-www-form-urlencoded"
_TOKENS: Final = Actor("token endpoint")


@router.post("/oauth2/token")
def post_token(
    api: ApiDep, request: Request, body: Annotated[bytes, Depends(body_of(_FORM))]
) -> Response:
    """OAuth 2 client credentials with `private_key_jwt`: the only way in."""
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
    return Response(orjson.dumps(token), media_type="application/json")
