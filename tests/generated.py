"""Writes what is generated: the API's description, the examples, the rule catalogue for people.

An example is what a practice receives of one copy: its first version, and the one that follows
when the plan, enquiry or notification has ended. It is built as every copy is: ruling, disclosure,
resource. Ids, days and NHS numbers (from the range kept for tests) are fixed.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from flagservice.api.records.routes import interactions
from flagservice.app.release import read_rulebook
from flagservice.app.serve import described
from flagservice.app.version import CHANGED, software_version
from flagservice.domain.days.intervals import day_after
from flagservice.domain.elements import NOTIFICATIONS, Element, Elements, Kind, PlanCategory, Value
from flagservice.domain.people import Phase, Role
from flagservice.fhir.capability import statement
from flagservice.fhir.flags import CopyIdentity, build
from flagservice.fhir.operations import operation_definitions
from flagservice.fhir.search.parameters import search_parameters
from flagservice.intake.rulebook import Rulebook
from flagservice.policy.case import every_case
from flagservice.policy.disclosure import Disclosure, disclose, form_of, removal
from flagservice.policy.proof.breaches import ALLEGED
from flagservice.policy.ruling import Ruling, rule_on
from tests.documents import catalogue

HOME: Final = Path(__file__).parents[1]
EXAMPLES: Final = Path("profiles/examples")
BASE: Final = "https://flagservice.example/fhir/R4"
_PLACED, _ENDED = date(2022, 1, 5), date(2022, 7, 4)
_SAID: Final[dict[Element, Value]] = {
    Element.PLAN_CATEGORY: (PlanCategory.NEGLECT, PlanCategory.PHYSICAL),
    Element.START: date(2022, 1, 4),
    Element.PLACED: _PLACED,
    Element.REVIEW_DUE: date(2022, 4, 4),
    Element.EXPECTED_DATE: date(2022, 6, 1),
}
_NHS_NUMBERS: Final = {
    Role.CHILD: "9990548609",
    Role.SIBLING: "9990548617",
    Role.MOTHER: "9990548625",
    Role.FATHER: "9990548633",
    Role.PARENT: "9990548641",
    Role.PARTNER: "9990548668",
}


def generated() -> dict[Path, str]:
    """Every generated file, by its path in the repository."""
    rulebook = read_rulebook(HOME)
    capability = statement(interactions(), base=BASE, version=software_version(), changed=CHANGED)
    return {
        Path("openapi/flagservice.json"): _text(described().openapi(), in_order=True),
        Path("openapi/capability.json"): _text(capability),
        **{Path(f"profiles/{name}.json"): _text(one) for name, one in _artefacts()},
        **{EXAMPLES / f"{kind}.json": _text(examples(kind, rulebook)) for kind in Kind},
        **catalogue.pages(),
    }


def _artefacts() -> Iterator[tuple[str, Any]]:
    """What the FHIR side publishes of itself besides its profiles."""
    yield from ((f"SearchParameter-{id_}", one) for id_, one in search_parameters().items())
    yield from ((f"OperationDefinition-{id_}", one) for id_, one in operation_definitions().items())


def _text(content: Any, *, in_order: bool = False) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, sort_keys=in_order) + "\n"


def examples(kind: Kind, rulebook: Rulebook) -> dict[str, Any]:
    """One Bundle for a kind: two versions of each record's copy, in the order of the table."""
    entries = [
        {"fullUrl": f"{BASE}/{resource['resourceType']}/{resource['id']}", "resource": resource}
        for name, ruling in records(kind, rulebook).items()
        for resource in _versions(name, ruling, rulebook)
    ]
    return {"resourceType": "Bundle", "id": kind, "type": "collection", "entry": entries}


def records(kind: Kind, rulebook: Rulebook) -> dict[str, Ruling]:
    """The first open case of each record that is told something.

    What a notification tells an alleged perpetrator's own record stands apart.
    """
    found: dict[str, Ruling] = {}
    for ruling in told(kind, rulebook):
        own = kind in NOTIFICATIONS and ruling.case.standing in ALLEGED
        found.setdefault("alleged-perpetrator" if own else ruling.case.role, ruling)
    return found


def told(kind: Kind, rulebook: Rulebook) -> Iterator[Ruling]:
    """Every ruling on an open case that tells the record anything."""
    for case in every_case(kind):
        ruling = rule_on(rulebook.policies[kind], case)
        if ruling.remains and case.phase is Phase.OPEN:
            yield ruling


def _versions(name: str, ruling: Ruling, rulebook: Rulebook) -> Iterator[dict[str, Any]]:
    ended = rule_on(ruling.policy, replace(ruling.case, phase=Phase.ENDED))
    copy = CopyIdentity(
        id=f"{ruling.case.kind}-{name}",
        version_id="",
        nhs_number=_NHS_NUMBERS[ruling.case.role],
        issued=datetime(2022, 1, 5, 9, tzinfo=UTC),
    )
    yield _version(disclose(ruling, said(ruling, rulebook)), copy, number=1, day=_PLACED)
    last = removal(form_of(ruling), ruling.placement.labels)
    if ended.remains:
        last = disclose(ended, {**said(ended, rulebook), Element.END: _ENDED})
    yield _version(last, copy, number=2, day=_ENDED)


def _version(
    disclosure: Disclosure, copy: CopyIdentity, *, number: int, day: date
) -> dict[str, Any]:
    """Its version id is as readable as the copy's id."""
    issued = datetime.combine(day, copy.issued.timetz())
    version_id = f"{copy.id}-{number}"
    return build(disclosure, replace(copy, version_id=version_id, issued=issued))


def said(ruling: Ruling, rulebook: Rulebook) -> Elements:
    """All that could be said; the ruling's disclosure takes from it what the record may be told."""
    ods = "Q0WYP" if ruling.case.kind in NOTIFICATIONS else "E08000032"
    days = {
        Element.REVIEW_BY: day_after(_PLACED, ruling.placement.review),
        Element.EXPIRES: day_after(_PLACED, ruling.placement.expires),
    }
    return {
        **_SAID,
        **{element: day for element, day in days.items() if day is not None},
        Element.DUTY_DESK: rulebook.desks.of(ods, ruling.placement.desk),
        Element.AGENCY: rulebook.desks.organisation(ods),
    }


def write() -> None:
    """Writes every generated file, and removes examples that are no longer made."""
    files = generated()
    for old in (HOME / EXAMPLES).glob("*.json"):
        if EXAMPLES / old.name not in files:
            old.unlink()
    for path, text in files.items():
        (HOME / path).parent.mkdir(parents=True, exist_ok=True)
        (HOME / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
