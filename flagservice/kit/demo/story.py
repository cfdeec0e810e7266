"""Prints one family, what each record of it holds, what is held back and why, and the checks.

Everything is read from what the practices received, and asked of the service as its clients do.
"""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text
from rich.tree import Tree

from flagservice.kit.demo.family import Family, Member
from flagservice.kit.demo.result import PlayResult
from flagservice.kit.demo.stage.practice import GpPractice
from flagservice.kit.demo.stage.received import is_removal, says
from flagservice.kit.demo.stage.stage import DemoStage

_WORDS = {
    "duty-desk": "whom to ring",
    "agency": "which agency",
    "start": "from",
    "end": "until",
    "review-due": "look again",
    "expected-date": "birth expected",
    "category": "category",
}
"""What a flag can say beside its code, in the order and words of the screen."""


def story(console: Console, stage: DemoStage, result: PlayResult) -> None:
    """Prints the story, in at most eighty columns."""
    family = stage.families[0]
    _heading(console, f"{family.name.capitalize()}: what happened")
    for event in family.events:
        console.print(_entry(f"{event.at}  {event.origin}: {event.name}"))
    _heading(console, "What each record holds")
    for code in dict.fromkeys(member.practice for member in family.members.values()):
        drawn = _practice(stage.practices[code], family)
        console.print(Padding(drawn, (0, 0, 0, 2), expand=False))
    for why in _less(family):
        console.print(_entry(why, style="dim"))
    _heading(console, "What is held back, in all families, and why")
    for entry in (*_holds(stage), *_listed(stage)):
        console.print(_entry(entry))
    _heading(console, "Checked, in every byte that the practices received")
    for line in _checks(result):
        console.print(line)


def _heading(console: Console, text: str) -> None:
    console.print(f"\n[bold]{text}[/]")


def _entry(text: str, *, style: str = "") -> Padding:
    return Padding(Text(text, style=style), (0, 0, 0, 2), expand=False)


def _practice(practice: GpPractice, family: Family) -> Tree:
    tree = Tree(Text(f"GP practice {practice.code}", style="bold"), guide_style="dim")
    for member in family.members.values():
        if member.practice == practice.code:
            _record(tree.add(Text(f"the {member.key}'s record", style="cyan")), practice, member)
    return tree


def _record(branch: Tree, practice: GpPractice, member: Member) -> None:
    for resource in practice.journal.holds(member.nhs_number):
        if is_removal(resource):
            continue
        display = str(resource["code"]["coding"][0]["display"])
        past = ", as history" if resource["status"] == "inactive" else ""
        form = "request: " if resource["resourceType"] == "Task" else "flag: "
        text = Text.assemble((form, "dim"), f"{display}{past}")
        said = in_words(says(resource))
        branch.add(text.append(f"\n{said}", style="dim") if said else text)


def in_words(told: set[str]) -> str:
    """Returns what a flag says beside its code, in words."""
    found = [
        f"{words}{one.removeprefix(name)}"
        for name, words in _WORDS.items()
        for one in sorted(told)
        if one.split(" ")[0] == name
    ]
    return ", ".join(found)


def _less(family: Family) -> Iterator[str]:
    """Yields what the family's file says of the father, who is told less."""
    last = family.events[-1].name
    for expectation in family.expectations:
        if expectation.after == last and expectation.record == "father":
            yield f"The {expectation.record} has {expectation.holds}."


def _holds(stage: DemoStage) -> Iterator[str]:
    for client in (*stage.submitters.values(), *(p.lead for p in stage.practices.values())):
        if client.kind in ("governance", "operator"):
            continue
        for hold in client.call("GET", f"{stage.url}/holds").json()["holds"]:
            yield _hold(stage, hold, decides=client.ods)


def _hold(stage: DemoStage, hold: dict[str, Any], *, decides: str) -> str:
    family, member = _whose(stage, str(hold["nhs_number"]))
    whose = f"{family.name}, {member.key} at {member.practice}"
    why = "; ".join(
        one.holds
        for one in family.expectations
        if one.record == member.key and one.check.get("waits") == decides
    )
    until = f"the {hold['decider']} decides, by {hold['due']}"
    return f"{whose}: nothing new until {until}" + (f" ({why})" if why else "")


def _whose(stage: DemoStage, nhs_number: str) -> tuple[Family, Member]:
    return next(
        (family, member)
        for family in stage.families
        for member in family.members.values()
        if member.nhs_number == nhs_number
    )


def _listed(stage: DemoStage) -> Iterator[str]:
    governance = stage.submitters["governance"]
    listed = governance.call("GET", f"{stage.url}/governance/manual-list").json()
    for todo in listed["waiting"]:
        what = f"{todo['what']}: {todo['reason']}"
        yield f"{what}; on the list of the {todo['owner']} since {todo['opened']}"


def _checks(result: PlayResult) -> Iterator[Padding]:
    passed = f"{len(result.passed)} times a record held what it should, and no word more"
    yield _mark("held", passed)
    for name, wrong in result.failed.items():
        yield _mark("failed", f"{name}: {'; '.join(wrong)}")
    for name, wrong in result.also.items():
        told = f"{name}: {'; '.join(wrong[:3])}" if wrong else name
        yield _mark("failed" if wrong else "held", told)
    for name, why in result.not_yet.items():
        yield _mark("not yet", f"{name}: {why}")


def _mark(mark: str, text: str) -> Padding:
    style = {"held": "green", "failed": "red", "not yet": "yellow"}[mark]
    return Padding(Text.assemble((f"{mark:<8}", style), text), (0, 0, 0, 2), expand=False)
