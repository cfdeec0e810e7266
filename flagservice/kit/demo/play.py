"""Plays the families' events in the order of their days, and checks each."""

import json
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.status import Status

from flagservice.kit.demo.checks.expectations import wrong_with
from flagservice.kit.demo.checks.left_out import left_out
from flagservice.kit.demo.checks.overall import feed_faults, leaks
from flagservice.kit.demo.family import Expectation, Family, TimelineEvent, families, people_of
from flagservice.kit.demo.result import PlayResult
from flagservice.kit.demo.stage.stage import DemoStage, StageFailed
from flagservice.kit.demo.story import story
from flagservice.kit.demo.table import table

_WIDEST = 80


def run(*, as_json: bool = False, everything: bool = False) -> int:
    """Plays it all, and prints what came of it; the exit status is 1 if anything failed."""
    width = None if everything else min(shutil.get_terminal_size().columns, _WIDEST)
    console = Console(stderr=as_json, highlight=False, width=width)
    with (
        tempfile.TemporaryDirectory(prefix="flagservice-demo-") as folder,
        console.status("the families are played: half a minute") as status,
    ):
        told = partial(_told, console, status, everything=everything)
        stage = DemoStage(Path(folder), families(), told)
        try:
            stage.set_up()
            result = _play(stage)
            status.stop()
            _show(console, stage, result, everything=everything)
        except StageFailed as failed:
            console.print(f"[red]{failed}[/]")
            return 1
        finally:
            stage.tear_down()
    if as_json:
        json.dump(result.counts(), sys.stdout, indent=2)
        print()
    return 0 if result.good else 1


def _told(console: Console, status: Status, line: str, *, everything: bool) -> None:
    status.update(line)
    if everything:
        console.print(f"[dim]{line}[/]")


def _show(console: Console, stage: DemoStage, result: PlayResult, *, everything: bool) -> None:
    story(console, stage, result)
    if everything:
        console.print("", table(stage))
    counts = result.counts()
    console.print(
        f"\n[bold]{counts['passed']} of {counts['expectations']} expectations passed[/],"
        f" {counts['failed']} failed, {counts['not_yet']} not yet"
    )
    if not everything:
        console.print("[dim]`flagservice demo --all` prints what every practice holds[/]")


def _play(stage: DemoStage) -> PlayResult:
    result = PlayResult()
    by_name = {family.name: family for family in stage.families}
    timeline = sorted(
        (event for family in stage.families for event in family.events), key=lambda e: e.at
    )
    for place, event in enumerate(timeline):
        stage.tell(f"{event.at}  {event.family}  {event.origin}: {event.name}")
        family = by_name[event.family]
        _happen(stage, family, event)
        if not any(_same(event, later) for later in timeline[place + 1 :]):
            _check(stage, family, event, result)
    result.also["nobody's words in another's record, a log, a metric or the database"] = list(
        leaks(stage)
    )
    result.also["every feed contiguous from 1, its bytes those that were pushed"] = list(
        feed_faults(stage)
    )
    result.also["a practice whose system shows flags gets nothing; it is on the manual list"] = (
        list(left_out(stage))
    )
    result.also["the audit verifies"] = _audit(stage)
    return result


def _same(event: TimelineEvent, later: TimelineEvent) -> bool:
    """Returns whether an expectation takes both for one event, as two plans of one day."""
    return (event.family, event.name) == (later.family, later.name)


def _happen(stage: DemoStage, family: Family, event: TimelineEvent) -> None:
    if event.not_yet is not None:
        return
    stage.set_day(event.at)
    sender = stage.submitters.get(event.origin)
    for post in event.posts:
        if sender is None:
            raise StageFailed(f"nobody posts for {event.origin}")
        reply = sender.call(
            "POST", f"{stage.url}/{post['to']}", json=people_of(post["body"], family)
        )
        if reply.status_code != 201:
            raise StageFailed(f"{event.name}: {reply.status_code} {reply.text}")
    if event.decides is not None:
        _decide(stage, event)
    for key, code in event.moves.items():
        stage.practices[code].take_on([family.members[key]])
    if event.moves:
        moved = [(family.members[key], code) for key, code in event.moves.items()]
        stage.operate(stage.registers(moved))
    stage.settle()


def _decide(stage: DemoStage, event: TimelineEvent) -> None:
    client = stage.practices[str(event.decides)].lead
    for hold in client.call("GET", f"{stage.url}/holds").json()["holds"]:
        reply = client.call("POST", f"{stage.url}/holds/{hold['id']}/decision", json=event.decision)
        if reply.status_code != 204:
            raise StageFailed(f"{event.name}: {reply.status_code} {reply.text}")


def _check(stage: DemoStage, family: Family, event: TimelineEvent, result: PlayResult) -> None:
    for expectation in family.expectations:
        if expectation.after != event.name:
            continue
        name = _name(expectation)
        if expectation.not_yet is not None:
            result.not_yet[name] = expectation.not_yet
            continue
        wrong = wrong_with(stage, family, expectation)
        if wrong:
            result.failed[name] = wrong
        else:
            result.passed.append(name)


def _name(expectation: Expectation) -> str:
    return (
        f"{expectation.family}, after {expectation.after}: {expectation.record}"
        f" at {expectation.practice}"
    )


def _audit(stage: DemoStage) -> list[str]:
    try:
        stage.operate(("audit", "verify"))
    except StageFailed as failed:
        return [str(failed)]
    return []
