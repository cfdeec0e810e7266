"""Information governance asks why, lists rulings, and sees what waits for a person. No values."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Response

from flagservice.api.access.callers import ApiDep, Caller, requires
from flagservice.api.edge.bodies import body_of, described
from flagservice.delivery.push.closing import Closing, close
from flagservice.delivery.watch import manual_list
from flagservice.delivery.watch.alarms import alarms
from flagservice.domain.elements import Element, Kind
from flagservice.domain.errors import NotFound
from flagservice.domain.reading import read
from flagservice.domain.statements import Day
from flagservice.intake.ruling.explanation import RulingFilter, explain, rulings
from flagservice.policy.rows import PlacementAction

router = APIRouter(prefix="/governance", tags=["governance"])
Reviews = Annotated[Caller, Depends(requires("rulings.read"))]
Governs = Annotated[Caller, Depends(requires("governance.read"))]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/flags/{flag_id}/why")
def get_why(api: ApiDep, caller: Reviews, flag_id: str, element: Element | None = None) -> Response:
    """Which policy version and which rules decided, for a flag and its elements."""
    found = api.perform(caller, lambda work: explain(work, flag_id))
    if element is None:
        return _json(found)
    ruled = next((one for one in found.elements if one.element is element), None)
    if ruled is None:
        raise NotFound("no ruling is about this element")
    return _json({**vars(found), "elements": [ruled]})


@router.get("/rulings")
def get_rulings(
    api: ApiDep,
    caller: Reviews,
    day: Annotated[Day | None, Query()] = None,
    kind: Kind | None = None,
    action: PlacementAction | None = None,
    policy_version: Annotated[int | None, Query(ge=1, le=9999)] = None,
    after: str | None = None,
    limit: Limit = 100,
) -> Response:
    """Rulings by day, kind, action and version; `after` is the last id of the page before."""
    wanted = RulingFilter(day, kind, action, policy_version, after, limit)
    return _json({"rulings": api.perform(caller, lambda work: rulings(work, wanted))})


@router.get("/manual-list")
def get_manual_list(api: ApiDep, caller: Governs) -> Response:
    """What no machine can deliver, with its owner and clock, and no location in it."""
    return _json({"waiting": api.perform(caller, manual_list.waiting)})


@router.get("/alarms")
def get_alarms(api: ApiDep, caller: Governs, limit: Limit = 100) -> Response:
    """Practices that asked about many people who are not theirs, or rejected many; never whom."""
    return _json({"alarms": api.perform(caller, lambda work: alarms(work, limit=limit))})


@router.post(
    "/deliveries/{delivery_id}/close",
    status_code=204,
    response_class=Response,
    openapi_extra=described(Closing),
)
def post_closing(
    api: ApiDep,
    caller: Annotated[Caller, Depends(requires("deliveries.close"))],
    delivery_id: str,
    body: Annotated[bytes, Depends(body_of("application/json"))],
) -> Response:
    """Closes a delivery by decision: somebody named has seen to it in another way."""
    closing = read(Closing, body)
    api.perform(caller, lambda work: close(work, delivery_id, closing=closing))
    return Response(status_code=204)


def _json(body: object) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
