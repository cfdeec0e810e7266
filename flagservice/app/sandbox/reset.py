"""The one route that only the sandbox has: a tenant resets its own world."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Request

from flagservice.api.access.callers import ApiDep, Caller, requires
from flagservice.api.openapi.answers import OF_EVERY_CALLER, OF_EVERY_ROUTE, AnswerModel, refused
from flagservice.audit.log import Deed
from flagservice.domain.days.london import day_of

router = APIRouter(tags=["sandbox"], responses=refused(*OF_EVERY_ROUTE, *OF_EVERY_CALLER))


class Reset(AnswerModel):
    """The tenant's world is reset, and it is this day in it."""

    reset: Literal[True]
    day: date


@router.post("/sandbox/$reset")
def reset(api: ApiDep, caller: Annotated[Caller, requires()], request: Request) -> Reset:
    """Resets the caller's tenant to the scenarios; its clients stay."""
    api.perform(caller, lambda work: work.record(Deed.SANDBOX_RESET))
    request.app.state.reset()
    return Reset(reset=True, day=day_of(api.log.clock()))
