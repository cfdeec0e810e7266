"""The whole table: what every practice received, and still holds."""

from typing import Any

from rich.table import Table

from flagservice.kit.demo.stage.received import is_removal, says
from flagservice.kit.demo.stage.stage import DemoStage


def table(stage: DemoStage) -> Table:
    """Returns a row for each copy of each record, by practice and family."""
    rows = Table(title="What each practice received, and holds", title_justify="left")
    for column in ("Practice", "Family", "Record", "Holds", "Says"):
        rows.add_column(column, overflow="fold")
    for code, practice in stage.practices.items():
        for family in stage.families:
            for member in family.members.values():
                for resource in practice.journal.holds(member.nhs_number):
                    rows.add_row(code, family.name, member.key, *_row(resource))
    return rows


def _row(resource: dict[str, Any]) -> tuple[str, str]:
    if is_removal(resource):
        return "[dim]nothing: taken back[/]", ""
    display = resource["code"]["coding"][0]["display"]
    past = " [dim](history)[/]" if resource["status"] == "inactive" else ""
    form = "[cyan]request:[/] " if resource["resourceType"] == "Task" else ""
    return f"{form}{display}{past}", ", ".join(sorted(says(resource) - {"concern"}))
