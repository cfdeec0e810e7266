"""Children's services, police and 0-19 health services say things, and read their receipts."""

import hashlib
import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Response

from flagservice.api.access.callers import Api, ApiDep, Caller, requires
from flagservice.api.edge.bodies import body_of, described
from flagservice.audit.log import Work
from flagservice.clients.kinds import ClientKind
from flagservice.domain.days.london import day_of
from flagservice.domain.errors import Forbidden, NotFound
from flagservice.domain.reading import read, read_submission
from flagservice.domain.submissions import Enquiry, Notification, Plan, Submission
from flagservice.intake import idempotency
from flagservice.intake.decision import Decision, WorklistItem, decide, worklist
from flagservice.intake.plans import find_plan
from flagservice.intake.queries import Query, queries
from flagservice.intake.receipt import ReceiptLine, receipt_of
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.submission import SubmissionEffect, submit

router = APIRouter(tags=["social care"])
_JSON: Final = "application/json"
Body = Annotated[bytes, Depends(body_of(_JSON))]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=8, max_length=128)]


@router.post("/plans", status_code=201, openapi_extra=described(Plan))
def post_plan(
    api: ApiDep,
    caller: Annotated[Caller, Depends(requires("plans.write"))],
    body: Body,
    key: Key = None,
) -> Response:
    """Posts one version of a plan: to start it, to amend it, or to end it."""
    return _post(api, caller, model=Plan, body=body, key=key)


@router.post("/enquiries", status_code=201, openapi_extra=described(Enquiry))
def post_enquiry(
    api: ApiDep,
    caller: Annotated[Caller, Depends(requires("enquiries.write"))],
    body: Body,
    key: Key = None,
) -> Response:
    """Posts one version of a section 47 enquiry, a strategy meeting or pre-proceedings."""
    return _post(api, caller, model=Enquiry, body=body, key=key)


@router.post("/notifications", status_code=201, openapi_extra=described(Notification))
def post_notification(
    api: ApiDep,
    caller: Annotated[Caller, Depends(requires("notifications.write"))],
    body: Body,
    key: Key = None,
) -> Response:
    """Posts one version of a notification: perpetrator, domestic abuse victim, or MARAC."""
    return _post(api, caller, model=Notification, body=body, key=key)


@router.get("/receipts/{reference:path}")
def get_receipt(
    api: ApiDep, caller: Annotated[Caller, Depends(requires("receipts.read"))], reference: str
) -> Response:
    """What came of the newest version of one of the caller's own references."""

    def deed(work: Work) -> dict[str, Any]:
        plan = find_plan(work, work.actor.ods, reference)
        if plan is None or plan.version == 0:
            raise NotFound("the caller has sent no submission with this reference")
        lines = receipt_of(work, plan)
        return _receipt(reference, plan.version, lines, effect=None)

    return _json(api.perform(caller, deed))


@router.get("/holds")
def get_holds(api: ApiDep, caller: Annotated[Caller, Depends(requires("holds.read"))]) -> Response:
    """The caller's worklist: what waits for its decision, oldest first."""
    items = api.perform(caller, lambda work: worklist(work, rulebook=api.policies.rulebook(work)))
    return _json({"holds": [_item(item) for item in items]})


@router.get("/queries")
def get_queries(
    api: ApiDep, caller: Annotated[Caller, Depends(requires("receipts.read"))]
) -> Response:
    """What practices ask about the caller's own flags: a code, and never who asks."""
    return _json({"queries": [_query(one) for one in api.perform(caller, queries)]})


@router.post(
    "/holds/{hold_id}/decision",
    status_code=204,
    response_class=Response,
    openapi_extra=described(Decision),
)
def post_decision(
    api: ApiDep,
    caller: Annotated[Caller, Depends(requires("holds.decide"))],
    hold_id: str,
    body: Body,
) -> Response:
    """Decides a held placement as the side that owns it, with the reason recorded."""
    decision = read(Decision, body)

    def deed(work: Work) -> None:
        decide(work, hold_id, decision=decision, rulebook=api.policies.rulebook(work))

    api.perform(caller, deed)
    return Response(status_code=204)


def _post(
    api: Api, caller: Caller, *, model: type[Submission], body: bytes, key: str | None
) -> Response:
    submission = read_submission(model, body, today=day_of(api.log.clock()))
    is_protection = submission.rules_as.endswith("protection")
    if caller.kind is ClientKind.ZERO_TO_NINETEEN and is_protection:
        raise Forbidden("child protection plans come from children's services alone")

    def deed(work: Work) -> idempotency.KeptAnswer:
        return idempotency.answer_once(
            work,
            key,
            digest=hashlib.sha256(body).hexdigest(),
            deed=lambda: _submit(work, submission, api.policies.rulebook(work)),
        )

    answer = api.perform(caller, deed)
    return Response(answer.content, answer.status, media_type=_JSON)


def _submit(work: Work, submission: Submission, rulebook: Rulebook) -> idempotency.KeptAnswer:
    taken = submit(work, submission, rulebook=rulebook)
    lines = receipt_of(work, taken.plan)
    body = _receipt(submission.reference, submission.version, lines, effect=taken.effect)
    status = 201 if taken.effect is SubmissionEffect.ACCEPTED else 200
    return idempotency.KeptAnswer(status, json.dumps(body).encode())


def _receipt(
    reference: str, version: int, lines: list[ReceiptLine], *, effect: str | None
) -> dict[str, Any]:
    receipt: dict[str, Any] = {"reference": reference, "version": version}
    if effect is not None:
        receipt["submission"] = effect
    receipt["records"] = (
        [] if effect == SubmissionEffect.SUPERSEDED else [_line(line) for line in lines]
    )
    return receipt


def _line(line: ReceiptLine) -> dict[str, Any]:
    told: dict[str, Any] = {"person": line.place, "role": line.role, "status": line.status}
    if line.due is not None:
        told["decide_by"] = line.due.isoformat()
    return told


def _query(query: Query) -> dict[str, Any]:
    return {
        "id": query.id,
        "reference": query.reference,
        "person": query.line.place,
        "role": query.line.role,
        "reason": query.reason,
        "asked": query.asked.isoformat(),
    }


def _item(item: WorklistItem) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": item.id,
        "nhs_number": item.nhs_number,
        "would_place": item.would,
        "opened": item.opened.isoformat(),
        "due": item.due.isoformat(),
        "overdue": item.overdue,
        "decider": item.decider,
    }
    if item.why is not None:
        told["why"] = item.why
    return told


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body).encode(), media_type=_JSON)
