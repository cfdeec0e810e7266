"""Children's services, police and 0-19 health services post, and read what came of it."""

import hashlib
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Path, Response

from flagservice.api.access.callers import Api, ApiDep, Caller, requires
from flagservice.api.edge.bodies import body_of
from flagservice.api.openapi import examples
from flagservice.api.openapi.answers import (
    OF_A_BODY,
    OF_EVERY_CALLER,
    OF_EVERY_ROUTE,
    AnswerModel,
    Responses,
    refused,
)
from flagservice.api.openapi.requests import Absent, json_body
from flagservice.audit.log import Work
from flagservice.clients.kinds import ClientKind
from flagservice.domain.acknowledgements import QueryReason
from flagservice.domain.copies import ReceiptWord
from flagservice.domain.days.london import day_of
from flagservice.domain.errors import Forbidden, NotFound
from flagservice.domain.holds import Question
from flagservice.domain.people import Role
from flagservice.domain.reading import read, read_submission
from flagservice.domain.submissions import Enquiry, Notification, Plan, Submission
from flagservice.intake import idempotency
from flagservice.intake.decision import Decision, WorklistItem, decide, worklist
from flagservice.intake.plans import find_plan
from flagservice.intake.queries import Query, queries
from flagservice.intake.receipt import ReceiptLine, receipt_of
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.submission import SubmissionEffect, submit

router = APIRouter(tags=["social care"], responses=refused(*OF_EVERY_ROUTE, *OF_EVERY_CALLER))
_JSON: Final = "application/json"
Body = Annotated[bytes, Depends(body_of(_JSON))]
Key = Annotated[
    str | Absent,
    Header(
        alias="Idempotency-Key", min_length=8, max_length=128, examples=[examples.IDEMPOTENCY_KEY]
    ),
]
Reference = Annotated[str, Path(examples=[examples.REFERENCE])]
HoldId = Annotated[str, Path(examples=[examples.ID])]


class ReceiptRecord(AnswerModel):
    """What came of one person; `decide_by` is there where the submitter itself has to decide."""

    person: int
    role: Role
    status: ReceiptWord
    decide_by: date | Absent = None

    @classmethod
    def of(cls, line: ReceiptLine) -> "ReceiptRecord":
        """Returns the record of one line."""
        return cls(person=line.place, role=line.role, status=line.status, decide_by=line.due)


class Receipt(AnswerModel):
    """What came of one version; `submission` says what became of the post that it answers."""

    reference: str
    version: int
    submission: SubmissionEffect | Absent = None
    records: list[ReceiptRecord]


class Hold(AnswerModel):
    """A question that waits: whose record, what is asked, what would be placed, and by when.

    Only the submitter is told `reference`, `role` and `why`: they are its own words.
    """

    id: str
    nhs_number: str
    question: Question
    reference: str | Absent = None
    role: Role | Absent = None
    would_place: dict[str, str]
    opened: date
    due: date
    overdue: bool
    decider: str
    why: str | Absent = None

    @classmethod
    def of(cls, item: WorklistItem) -> "Hold":
        """Returns the hold of one item of a worklist."""
        return cls(
            id=item.id,
            nhs_number=item.nhs_number,
            question=item.question,
            reference=item.reference,
            role=item.role,
            would_place=item.would,
            opened=item.opened,
            due=item.due,
            overdue=item.overdue,
            decider=item.decider,
            why=item.why,
        )


class Holds(AnswerModel):
    """The caller's worklist."""

    holds: list[Hold]


class PracticeQuery(AnswerModel):
    """One question of a practice: about which person of which reference, and why."""

    id: str
    reference: str
    person: int
    role: Role
    reason: QueryReason
    asked: date

    @classmethod
    def of(cls, query: Query) -> "PracticeQuery":
        """Returns the question as the agency reads it."""
        return cls(
            id=query.id,
            reference=query.reference,
            person=query.line.place,
            role=query.line.role,
            reason=query.reason,
            asked=query.asked,
        )


class Queries(AnswerModel):
    """What practices ask about the caller's own flags."""

    queries: list[PracticeQuery]


_POSTED: Final[Responses] = {
    200: {"model": Receipt, "description": "this version was taken before, or a newer one was"},
    **refused(409, *OF_A_BODY),
}


@router.post(
    "/plans",
    status_code=201,
    response_model=Receipt,
    responses=_POSTED,
    openapi_extra=json_body(Plan, example=examples.PLAN),
)
def post_plan(
    api: ApiDep, caller: Annotated[Caller, requires("plans.write")], body: Body, key: Key = None
) -> Response:
    """Posts one version of a plan: to start it, to amend it, or to end it."""
    return _post(api, caller, model=Plan, body=body, key=key)


@router.post(
    "/enquiries",
    status_code=201,
    response_model=Receipt,
    responses=_POSTED,
    openapi_extra=json_body(Enquiry, example=examples.ENQUIRY),
)
def post_enquiry(
    api: ApiDep, caller: Annotated[Caller, requires("enquiries.write")], body: Body, key: Key = None
) -> Response:
    """Posts one version of a section 47 enquiry, a strategy meeting or pre-proceedings."""
    return _post(api, caller, model=Enquiry, body=body, key=key)


@router.post(
    "/notifications",
    status_code=201,
    response_model=Receipt,
    responses=_POSTED,
    openapi_extra=json_body(Notification, example=examples.NOTIFICATION),
)
def post_notification(
    api: ApiDep,
    caller: Annotated[Caller, requires("notifications.write")],
    body: Body,
    key: Key = None,
) -> Response:
    """Posts one version of a notification: perpetrator, domestic abuse victim, or MARAC."""
    return _post(api, caller, model=Notification, body=body, key=key)


@router.get("/receipts/{reference:path}", response_model_exclude_none=True, responses=refused(404))
def get_receipt(
    api: ApiDep, caller: Annotated[Caller, requires("receipts.read")], reference: Reference
) -> Receipt:
    """Returns what came of the newest version of one of the caller's own references."""

    def deed(work: Work) -> Receipt:
        plan = find_plan(work, work.actor.ods, reference)
        if plan is None or plan.version == 0:
            raise NotFound("the caller has sent no submission with this reference")
        records = [ReceiptRecord.of(line) for line in receipt_of(work, plan)]
        return Receipt(reference=reference, version=plan.version, records=records)

    return api.perform(caller, deed)


@router.get("/holds", response_model_exclude_none=True)
def get_holds(api: ApiDep, caller: Annotated[Caller, requires("holds.read")]) -> Holds:
    """Returns the caller's worklist: what waits for its decision, oldest first."""
    items = api.perform(caller, lambda work: worklist(work, rulebook=api.policies.rulebook(work)))
    return Holds(holds=[Hold.of(item) for item in items])


@router.get("/queries")
def get_queries(api: ApiDep, caller: Annotated[Caller, requires("receipts.read")]) -> Queries:
    """Returns what practices ask about the caller's own flags: a code, and never who asks."""
    return Queries(queries=[PracticeQuery.of(one) for one in api.perform(caller, queries)])


@router.post(
    "/holds/{hold_id}/decision",
    status_code=204,
    response_class=Response,
    responses=refused(404, 409, *OF_A_BODY),
    openapi_extra=json_body(Decision, example=examples.DECISION),
)
def post_decision(
    api: ApiDep, caller: Annotated[Caller, requires("holds.decide")], hold_id: HoldId, body: Body
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
    """Returns the answer as bytes: it is kept in the commit of the submission."""
    taken = submit(work, submission, rulebook=rulebook)
    records = [ReceiptRecord.of(line) for line in receipt_of(work, taken.plan)]
    receipt = Receipt(
        reference=submission.reference,
        version=submission.version,
        submission=taken.effect,
        records=[] if taken.effect is SubmissionEffect.SUPERSEDED else records,
    )
    status = 201 if taken.effect is SubmissionEffect.ACCEPTED else 200
    return idempotency.KeptAnswer(status, receipt.model_dump_json(exclude_none=True).encode())
