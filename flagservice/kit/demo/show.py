"""What a person sees: who holds what, what waits for whom, and whether all of it is as expected."""

from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from flagservice.kit.demo.stage.received import is_removal, says
from flagservice.kit.demo.stage.stage import Stage


@dataclass
class PlayResult:
    """What became of every expectation, by family and event."""

    passed: list[str] = field(default_factory=list)
    failed: dict[str, list[str]] = field(default_factory=dict)
    not_yet: dict[str, str] = field(default_factory=dict)
    also: dict[str, list[str]] = field(default_factory=dict)
    """Checks beyond the families' own: canaries, feeds, audit; each with what is wrong."""

    def counts(self) -> dict[str, Any]:
        """As `demo --json` prints them."""
        return {
            "expectations": len(self.passed) + len(self.failed) + len(self.not_yet),
            "passed": len(self.passed),
            "failed": len(self.failed),
            "not_yet": len(self.not_yet),
            "failures": self.failed,
            "not_yet_by_name": self.not_yet,
            "also": {name: not wrong for name, wrong in self.also.items()},
        }

    @property
    def good(self) -> bool:
        """Nothing failed."""
        return not self.failed and not any(self.also.values())


def show(console: Console, stage: Stage, result: PlayResult) -> None:
    """The tables, then the verdict."""
    console.print(_records(stage))
    console.print(_waiting(stage))
    for name, why in result.not_yet.items():
        console.print(f"[yellow]not yet[/]  {name}: {why}")
    for name, wrong in result.failed.items():
        console.print(f"[red]failed[/]   {name}: {'; '.join(wrong)}")
    for name, wrong in result.also.items():
        mark = "[red]failed[/]  " if wrong else "[green]held[/]    "
        console.print(f"{mark} {name}{': ' + '; '.join(wrong[:3]) if wrong else ''}")
    counts = result.counts()
    console.print(
        f"\n[bold]{counts['passed']} of {counts['expectations']} expectations passed[/],"
        f" {counts['failed']} failed, {counts['not_yet']} not yet"
    )


def _records(stage: Stage) -> Table:
    table = Table(title="What each practice received, and holds", title_justify="left")
    for column in ("Practice", "Family", "Record", "Holds", "Says"):
        table.add_column(column, overflow="fold")
    for code, practice in stage.practices.items():
        for family in stage.families:
            for member in family.members.values():
                for resource in practice.journal.holds(member.nhs_number):
                    table.add_row(code, family.name, member.key, *_row(resource))
    return table


def _row(resource: dict[str, Any]) -> tuple[str, str]:
    if is_removal(resource):
        return "[dim]nothing: taken back[/]", ""
    display = resource["code"]["coding"][0]["display"]
    past = " [dim](history)[/]" if resource["status"] == "inactive" else ""
    form = "[cyan]request:[/] " if resource["resourceType"] == "Task" else ""
    return f"{form}{display}{past}", ", ".join(sorted(says(resource) - {"concern"}))


def _waiting(stage: Stage) -> Table:
    table = Table(title="What waits for a person", title_justify="left")
    for column in ("For", "Whose record", "Would be placed, or why it waits", "By"):
        table.add_column(column, overflow="fold")
    clients = [*stage.submitters.values(), *(p.lead for p in stage.practices.values())]
    for client in clients:
        if client.kind in ("governance", "operator"):
            continue
        for hold in client.call("GET", f"{stage.url}/holds").json()["holds"]:
            would = ", ".join(hold["would_place"].values())
            table.add_row(
                f"{hold['decider']}, {client.ods}", _name(stage, hold), would, hold["due"]
            )
    governance = stage.submitters["governance"]
    listed = governance.call("GET", f"{stage.url}/governance/manual-list").json()
    for todo in listed["waiting"]:
        table.add_row(
            todo["owner"],
            "not reached",
            f"{todo['what']}: {todo['reason']}",
            f"since {todo['opened']}",
        )
    return table


def _name(stage: Stage, hold: dict[str, Any]) -> str:
    for family in stage.families:
        for member in family.members.values():
            if member.nhs_number == hold["nhs_number"]:
                return f"{family.name}, {member.key}"
    return "somebody"
