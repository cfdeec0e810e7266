"""The one route that only the sandbox has: a tenant puts its own world back."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response

from flagservice.api.access.callers import Asked, Faced, may
from flagservice.audit.log import Deed

router = APIRouter(tags=["sandbox"])


@router.post("/sandbox/$reset")
def reset(face: Faced, asked: Annotated[Asked, Depends(may())], request: Request) -> Response:
    """Everything is as the scenarios say, for the caller's tenant alone; its clients stay."""
    face.perform(asked, lambda work: work.record(Deed.SANDBOX_RESET))
    request.app.state.reset()
    body = {"reset": True, "day": face.log.clock().date().isoformat()}
    return Response(orjson.dumps(body), media_type="application/json")
