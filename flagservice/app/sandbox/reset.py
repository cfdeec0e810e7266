"""The one route that only the sandbox has: a tenant puts its own world back."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response

from flagservice.api.access.callers import ApiDep, Caller, requires
from flagservice.audit.log import Deed
from flagservice.domain.days.london import day_of

router = APIRouter(tags=["sandbox"])


@router.post("/sandbox/$reset")
def reset(
    api: ApiDep, caller: Annotated[Caller, Depends(requires())], request: Request
) -> Response:
    """Everything is as the scenarios say, for the caller's tenant alone; its clients stay."""
    api.perform(caller, lambda work: work.record(Deed.SANDBOX_RESET))
    request.app.state.reset()
    body = {"reset": True, "day": day_of(api.log.clock()).isoformat()}
    return Response(orjson.dumps(body), media_type="application/json")
