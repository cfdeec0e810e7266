"""Checks an expectation against the bytes that a practice received."""

import re
from collections.abc import Iterator
from string import hexdigits
from typing import Any, Final

from flagservice.kit.demo.family import Expectation, Family, Member
from flagservice.kit.demo.stage.client import KeyedClient
from flagservice.kit.demo.stage.practice import GpPractice
from flagservice.kit.demo.stage.received import is_removal, says
from flagservice.kit.demo.stage.stage import DemoStage

_A_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def wrong_with(stage: DemoStage, family: Family, expectation: Expectation) -> list[str]:
    """Returns every way in which the expectation does not hold."""
    return list(_found(stage, family, expectation))


def _found(stage: DemoStage, family: Family, expectation: Expectation) -> Iterator[str]:
    practice = stage.practices.get(expectation.practice)
    member = family.members.get(expectation.record)
    if practice is not None:
        yield from _elsewhere(practice, family, expectation)
    if practice is not None and member is not None:
        yield from _own_record(practice, member, expectation)
    yield from _waiting(stage, expectation.check, member)


def _own_record(practice: GpPractice, member: Member, expectation: Expectation) -> Iterator[str]:
    check = expectation.check
    yield from _absent(practice, member, expectation)
    if "holds" in check:
        yield from _holds(practice, member, check["holds"], only=check.get("only", False))
    flags = [_code(r) for r in _there(practice, member) if r["resourceType"] == "Flag"]
    if check.get("no_new_flag") in flags:
        yield f"a flag with code {check['no_new_flag']} is there"
    yield from _hidden(practice, member)


def _elsewhere(practice: GpPractice, family: Family, expectation: Expectation) -> Iterator[str]:
    for also in expectation.check.get("also", ()):
        wanted = {name: value for name, value in also.items() if name != "record"}
        yield from _holds(practice, family.members[also["record"]], [wanted], only=False)
    for key in expectation.check.get("removed", ()):
        yield from _removed(practice, family.members[key], expectation, in_error=False)
    for key in expectation.check.get("in_error", ()):
        yield from _removed(practice, family.members[key], expectation, in_error=True)
        yield from _hidden(practice, family.members[key])


def _there(practice: GpPractice, member: Member) -> list[dict[str, Any]]:
    held = practice.journal.holds(member.nhs_number)
    return [resource for resource in held if not is_removal(resource)]


def _code(resource: dict[str, Any]) -> str:
    return str(resource["code"]["coding"][0]["code"])


def _absent(practice: GpPractice, member: Member, expectation: Expectation) -> Iterator[str]:
    if expectation.absent == ("everything",):
        if any(r["status"] in ("active", "requested") for r in _there(practice, member)):
            yield "something active is there"
        return
    sent = practice.journal.addressed_to(member.nhs_number)
    for place, word in enumerate(expectation.absent):
        if stands_in(word, sent):
            yield f"word {place + 1} of `absent` is in what was sent"


def stands_in(word: str, text: str) -> bool:
    """Returns whether a word stands in a text; case counts only for what a random id could hold.

    A day does not stand in an instant. An instant is told in UTC: in the first hour of a summer's
    day in London it is on the day before.
    """
    if _A_DAY.fullmatch(word):
        return re.search(f"{word}(?!T[0-9])", text) is not None
    random_like = set(word.lower()) <= set(hexdigits)
    return word in text if random_like else word.lower() in text.lower()


def _holds(
    practice: GpPractice, member: Member, wanted: list[dict[str, Any]], *, only: bool
) -> Iterator[str]:
    there = _there(practice, member)
    matched = 0
    for want in wanted:
        matching = [resource for resource in there if _fits(resource, want)]
        matched += len(matching)
        if len(matching) != 1:
            yield f"{len(matching)} copies are as {want['code']} should be"
    if (only or not wanted) and matched != len(there):
        yield "there is more than there should be"


def _fits(resource: dict[str, Any], want: dict[str, Any]) -> bool:
    labels = {label["code"] for label in resource["meta"]["security"]}
    active = "requested" if resource["resourceType"] == "Task" else "active"
    return (
        _code(resource) == want["code"]
        and resource["resourceType"] == want.get("type", "Flag")
        and resource["status"] == want.get("status", active)
        and ("says" not in want or _agency_apart(resource, want) == set(want["says"]))
        and "NOPAT" in labels
        and ("confidentiality" not in want or want["confidentiality"] in labels)
    )


def _agency_apart(resource: dict[str, Any], want: dict[str, Any]) -> set[str]:
    """Returns what it says, without a request's agency, which is part of whom to ring."""
    told = says(resource)
    return told - {"agency"} if want.get("type") == "Task" else told


def _hidden(practice: GpPractice, member: Member) -> Iterator[str]:
    shown = practice.patient_view(member.nhs_number)
    ids = [r["identifier"][0]["value"] for r in practice.journal.holds(member.nhs_number)]
    if any(word in shown for word in ("Flag", "Task", "NOPAT", "safeguarding", *ids)):
        yield "the patient's app shows that something is there"


def _removed(
    practice: GpPractice, member: Member, expectation: Expectation, *, in_error: bool
) -> Iterator[str]:
    held = practice.journal.holds(member.nhs_number)
    if not held or not all(is_removal(resource) for resource in held):
        yield "not every copy was taken back"
    if any((resource["status"] == "entered-in-error") is not in_error for resource in held):
        yield f"a copy is {'not ' if in_error else ''}marked as an error"
    sent = practice.journal.addressed_to(member.nhs_number)
    if any(stands_in(word, sent) for word in expectation.absent if word != "everything"):
        yield "a word of `absent` is in what was sent"


def _waiting(stage: DemoStage, check: dict[str, Any], member: Member | None) -> Iterator[str]:
    receipt = check.get("receipt")
    if receipt is not None:
        yield from _receipt(stage, receipt)
    if "waits" in check and member is not None:
        client = _client(stage, check["waits"])
        holds = client.call("GET", f"{stage.url}/holds").json()["holds"]
        if all(hold["nhs_number"] != member.nhs_number for hold in holds):
            yield "nothing waits for a decision"
    if "gap" in check:
        listed = stage.submitters["governance"].call("GET", f"{stage.url}/governance/manual-list")
        if all(
            f"{todo['what']}: {todo['reason']}" != check["gap"] for todo in listed.json()["waiting"]
        ):
            yield "the gap is not on the open list"


def _client(stage: DemoStage, ods: str) -> KeyedClient:
    if ods in stage.practices:
        return stage.practices[ods].lead
    return next(client for client in stage.submitters.values() if client.ods == ods)


def _receipt(stage: DemoStage, wanted: dict[str, str]) -> Iterator[str]:
    sender = "police" if wanted["reference"].startswith("WYP") else "children's services"
    reply = stage.submitters[sender].call("GET", f"{stage.url}/receipts/{wanted['reference']}")
    said = [r["status"] for r in reply.json()["records"] if r["role"] == wanted["role"]]
    if said != [wanted["status"]]:
        yield f"the receipt does not say {wanted['status']}"
