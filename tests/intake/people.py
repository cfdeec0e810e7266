"""One family at two practices, and what is said of it, for the tests of intake."""

from typing import Any

from sqlmodel import col, select

from flagservice.audit.log import Actor, Deed, Work
from flagservice.domain.holds import HoldOutcome
from flagservice.intake.decision import Decision, decide
from flagservice.store import tables
from tests.world import World, a_submission, person

Who = tuple[str, str]
CHILD: Who = ("9990001111", "2021-12-06")
MOTHER: Who = ("9990002258", "1995-03-14")
FATHER: Who = ("9990002517", "1993-09-30")
PARTNER: Who = ("9990004811", "1988-12-12")
HOME, ELSEWHERE, NEW = "B83901", "B83902", "B83908"
CPP_CHILD, CPP_ENDED = "342191000000101", "342891000000105"
VICTIM = "879911000000102"
CPP_ADULT, CPP_ADULT_ENDED = "375041000000100", "375071000000106"
IN_FAMILY, UNBORN_NEED = "1064961000000107", "878111000000109"
HOUSEHOLD, VICTIM, ASK = "881081000000100", "879911000000102", "contact-duty-desk"
CONCERN, CONCERN_ENDED, NEUTRAL = "836881000000105", "810771000000107", "U"
EXPECTED = "2022-03-01"
UNBORN = {"role": "unborn", "expected_date": EXPECTED}


def given_the_family(world: World) -> None:
    world.registered(*CHILD, HOME)
    world.registered(*MOTHER, HOME)
    world.registered(*FATHER, ELSEWHERE)


def child(**more: Any) -> dict[str, Any]:
    return person("child", *CHILD, **more)


def mother(**more: Any) -> dict[str, Any]:
    return person("mother", *MOTHER, **{"knows": "knows", **more})


def father(**more: Any) -> dict[str, Any]:
    return person("father", *FATHER, **{"knows": "knows", **more})


def a_plan(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    everybody = people or (child(), mother(), father())
    return a_submission("child-protection", "CPP-1", *everybody, **more)


def an_unborn_plan(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    return a_submission("child-in-need", "CIN-1", UNBORN, *(people or (mother(),)), **more)


def a_born_plan(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    everybody = people or (child(), mother())
    return a_submission("child-in-need", "CIN-1", *everybody, **{"version": 2, **more})


def a_notification(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    alleged = father(standing="alleged-perpetrator", knows="must-not-know")
    return a_submission("perpetrator", "DA-1", *(people or (alleged,)), **more)


def decide_on(world: World, ods: str, hold_id: str) -> None:
    decision = Decision(
        outcome=HoldOutcome.PLACE, decided_by="Dr N. Amed", reason="a recorded decision"
    )
    world.log.perform(
        Actor("client", ods),
        lambda work: decide(work, hold_id, decision=decision, rulebook=world.rulebook),
    )


def codes(world: World, practice: str, who: Who | None = None) -> list[str]:
    """The codes of what is held, with the status of what is not active."""
    found = world.held_at(practice, who[0] if who else None)
    return sorted(_code(resource) for resource in found)


def _code(resource: dict[str, Any]) -> str:
    code = str(resource["code"]["coding"][0]["code"])
    status = str(resource["status"])
    return code if status in ("active", "requested") else f"{code} {status}"


def rows(world: World, *conditions: Any, of: Any) -> list[Any]:
    """Rows of a table as they stand, for what no face shows."""

    def deed(work: Work) -> list[Any]:
        work.record(Deed.STATUS_READ)
        return list(work.session.exec(select(of).where(*conditions)).all())

    return world.log.perform(Actor("test"), deed)


def open_lookups(world: World) -> list[tuple[str, str]]:
    """Role and reason of everything that is not reached."""
    found = rows(world, col(tables.LookupRow.closed).is_(None), of=tables.LookupRow)
    return sorted((row.role, row.reason) for row in found)


def versions(world: World, copy_id: str) -> list[tables.VersionRow]:
    """Every version of one copy, oldest first."""
    found = rows(world, col(tables.VersionRow.copy_id) == copy_id, of=tables.VersionRow)
    return sorted(found, key=lambda version: int(version.number))
