"""Tells information governance why, lists rulings, and shows what waits for a person."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import Field

from flagservice.api.access.callers import ApiDep, Caller, requires
from flagservice.api.edge.bodies import body_of
from flagservice.api.openapi import examples
from flagservice.api.openapi.answers import (
    OF_A_BODY,
    OF_EVERY_CALLER,
    OF_EVERY_ROUTE,
    AnswerModel,
    refused,
)
from flagservice.api.openapi.requests import json_body
from flagservice.delivery.push.closing import Closing, close
from flagservice.delivery.push.schedule import Urgency
from flagservice.delivery.watch import manual_list
from flagservice.delivery.watch.alarms import alarms
from flagservice.domain.copies import CopyStatus
from flagservice.domain.elements import Element, Kind
from flagservice.domain.errors import NotFound
from flagservice.domain.reading import read
from flagservice.domain.statements import Day
from flagservice.intake.ruling.explanation import RulingFilter, explain, rulings
from flagservice.policy.rows import ElementAction, PlacementAction
from flagservice.store.tables.alarms import AlarmCause

router = APIRouter(
    prefix="/governance", tags=["governance"], responses=refused(*OF_EVERY_ROUTE, *OF_EVERY_CALLER)
)
Reviews = Annotated[Caller, requires("rulings.read")]
Governs = Annotated[Caller, requires("governance.read")]
Limit = Annotated[int, Query(ge=1, le=500, examples=[100])]
FlagId = Annotated[str, Path(examples=[examples.ID])]
DeliveryId = Annotated[str, Path(examples=[examples.ID])]


class ElementRuled(AnswerModel):
    """What was ruled on one element, and by which rules."""

    element: Element
    action: ElementAction
    rules: list[str]


class RulingMade(AnswerModel):
    """One ruling: which policy version, which placement row, what of each element.

    `stands` is said of one flag: where it stands now, by what was ruled since.
    """

    ruling: str
    flag: str | None
    day: date
    kind: Kind
    policy_version: int
    policy_digest: str
    placement: str
    action: PlacementAction
    elements: list[ElementRuled]
    stands: CopyStatus | Literal[""] | None


class Rulings(AnswerModel):
    """Rulings in the order of their ids, which are random."""

    rulings: list[RulingMade]


class Waiting(AnswerModel):
    """One thing that a person has to see to, and who owns it by now."""

    id: str
    what: str
    reason: str
    opened: date
    urgency: Urgency
    owner: str


class ManualList(AnswerModel):
    """What no machine delivers, oldest first."""

    waiting: list[Waiting]


class AlarmRaised(AnswerModel):
    """One alarm: which practice, what it did, and about how many people in how many hours."""

    id: str
    practice: str
    cause: AlarmCause
    raised: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    people: int
    hours: int


class Alarms(AnswerModel):
    """Alarms, the newest first."""

    alarms: list[AlarmRaised]


@router.get("/flags/{flag_id}/why", responses=refused(404))
def get_why(
    api: ApiDep,
    caller: Reviews,
    flag_id: FlagId,
    element: Annotated[Element | None, Query(examples=["concern"])] = None,
) -> RulingMade:
    """Returns the policy version and the rules that decided, for a flag and its elements."""
    found = RulingMade.model_validate(api.perform(caller, lambda work: explain(work, flag_id)))
    if element is None:
        return found
    ruled = [one for one in found.elements if one.element is element]
    if not ruled:
        raise NotFound("no ruling is about this element")
    return found.model_copy(update={"elements": ruled})


@router.get("/rulings")
def get_rulings(
    api: ApiDep,
    caller: Reviews,
    day: Annotated[Day | None, Query(examples=["2022-01-04"])] = None,
    kind: Annotated[Kind | None, Query(examples=["child-protection"])] = None,
    action: Annotated[PlacementAction | None, Query(examples=["place"])] = None,
    policy_version: Annotated[int | None, Query(ge=1, le=9999, examples=[1])] = None,
    after: Annotated[str | None, Query(examples=[examples.ID])] = None,
    limit: Limit = 100,
) -> Rulings:
    """Returns rulings by day, kind, action and version; `after` is the last id already read."""
    wanted = RulingFilter(day, kind, action, policy_version, after, limit)
    found = api.perform(caller, lambda work: rulings(work, wanted))
    return Rulings(rulings=[RulingMade.model_validate(one) for one in found])


@router.get("/manual-list")
def get_manual_list(api: ApiDep, caller: Governs) -> ManualList:
    """Returns what no machine can deliver, with its owner and clock, and no location."""
    found = api.perform(caller, manual_list.waiting)
    return ManualList(waiting=[Waiting.model_validate(one) for one in found])


@router.get("/alarms")
def get_alarms(api: ApiDep, caller: Governs, limit: Limit = 100) -> Alarms:
    """Returns the practices that asked about, or rejected, many people; never whom."""
    found = api.perform(caller, lambda work: alarms(work, limit=limit))
    return Alarms(alarms=[AlarmRaised.model_validate(one) for one in found])


@router.post(
    "/deliveries/{delivery_id}/close",
    status_code=204,
    response_class=Response,
    responses=refused(404, 409, *OF_A_BODY),
    openapi_extra=json_body(Closing, example=examples.CLOSING),
)
def post_closing(
    api: ApiDep,
    caller: Annotated[Caller, requires("deliveries.close")],
    delivery_id: DeliveryId,
    body: Annotated[bytes, Depends(body_of("application/json"))],
) -> Response:
    """Closes a delivery by decision: a named person has seen to it in another way."""
    closing = read(Closing, body)
    api.perform(caller, lambda work: close(work, delivery_id, closing=closing))
    return Response(status_code=204)
