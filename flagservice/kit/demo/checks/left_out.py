"""The practice whose system fails the leak check: nothing structured leaves, nothing is lost.

A child is registered there, the mother elsewhere. Her practice is told; the child's is rung up.
"""

from collections.abc import Iterator
from datetime import date

from flagservice.kit.demo.family import Member
from flagservice.kit.demo.stage.practice import GpPractice
from flagservice.kit.demo.stage.stage import DemoStage, StageFailed, accepting
from flagservice.kit.demo.stage.supplier import BROKEN, MISTAKE

_BORN = date(2021, 12, 1)
_REASON = "practice system not admitted"


def left_out(stage: DemoStage) -> Iterator[str]:
    """Yields what is wrong with the treatment of that practice, after playing a story."""
    practice = stage.unadmitted
    elsewhere = next(iter(stage.practices))
    child = Member("child", "child", "9990548633", _BORN, practice.code, ())
    mother = Member("mother", "mother", "9990548625", date(1995, 5, 5), elsewhere, ())
    practice.take_on([child])
    stage.practices[elsewhere].take_on([mother])
    stage.operate(
        stage.registers([(child, practice.code), (mother, elsewhere)]), accepting(stage.failing)
    )
    yield from _failing(stage)
    _post(stage, child, mother)
    stage.settle(left=1)
    if not stage.practices[elsewhere].journal.addressed_to(mother.nhs_number):
        yield "the mother's practice was not told"
    if practice.journal.requests():
        yield "something was pushed to it"
    yield from _read_by(practice, stage, child)
    yield from _on_the_list(stage)


def _failing(stage: DemoStage) -> Iterator[str]:
    checked = stage.failing
    stage.tell(
        f"{stage.unadmitted.code} runs version {BROKEN}; its leak check says: {checked.said}"
    )
    if checked.clean or checked.said != f"leaks: {MISTAKE}":
        yield "its leak check does not name the leak"
    stage.tell("its result is a finding: its version is suspended, its people go on a list")


def _post(stage: DemoStage, *people: Member) -> None:
    body = {
        "kind": "child-protection",
        "reference": "CPP-LEFT-OUT",
        "version": 1,
        "start": "2022-09-01",
        "categories": ["neglect"],
        "consent": {"sought": True, "answer": "given"},
        "lawful_basis": ["public-task"],
        "purpose": "safeguarding-of-a-child",
        "people": [
            {
                "role": one.role,
                "nhs_number": one.nhs_number,
                "date_of_birth": one.born.isoformat(),
                "identity": "confirmed",
                "involvement": "included",
            }
            for one in people
        ],
    }
    reply = stage.submitters["children's services"].call("POST", f"{stage.url}/plans", json=body)
    if reply.status_code != 201:
        raise StageFailed(f"the plan was refused: {reply.status_code} {reply.text}")


def _read_by(practice: GpPractice, stage: DemoStage, child: Member) -> Iterator[str]:
    base = f"{stage.url}/fhir/R4"
    feed = practice.client.call("GET", f"{base}/Flag/_history")
    form = {"patient:identifier": f"https://fhir.nhs.uk/Id/nhs-number|{child.nhs_number}"}
    found = practice.client.call("POST", f"{base}/Flag/_search", data=form)
    newer = practice.client.call("GET", f"{base}/Flag")
    for name, reply in (("feed", feed), ("search", found), ("changes", newer)):
        said = reply.json()
        if reply.status_code != 403 or said["resourceType"] != "OperationOutcome":
            yield f"the {name} does not say that it is not admitted: {reply.status_code}"


def _on_the_list(stage: DemoStage) -> Iterator[str]:
    governance = stage.submitters["governance"]
    listed = governance.call("GET", f"{stage.url}/governance/manual-list").json()["waiting"]
    mine = [todo for todo in listed if todo["reason"] == _REASON]
    if len(mine) != 1 or not mine[0]["owner"] or not mine[0]["opened"]:
        yield "it is not on the manual list, with an owner and a clock"
    for todo in mine:
        stage.tell(f"manual list: {todo['what']}, {todo['reason']}; {todo['owner']} rings them")
