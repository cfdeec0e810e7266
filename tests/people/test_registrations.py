"""Where a record is: from a register's file, whole or not at all, and kept sealed."""

from datetime import date
from pathlib import Path

import pytest

from flagservice.audit.log import Actor, Deed, Work
from flagservice.domain.errors import Invalid
from flagservice.people.registers import CsvRegister
from flagservice.people.registrations import Registration, keep_registration, registration_of
from flagservice.store import tables
from tests.intake.people import CHILD, HOME, NEW, rows
from tests.world import World

HEAD = "nhs_number,date_of_birth,practice\n"
REGISTERED = Registration(date(2021, 12, 6), HOME)


def a_register(folder: Path, text: str) -> CsvRegister:
    path = folder / "register.csv"
    path.write_text(text, encoding="utf-8")
    return CsvRegister(path)


def test_a_register_answers_for_a_number_and_lists_everybody(tmp_path: Path) -> None:
    register = a_register(tmp_path, f"{HEAD}9990001111,2021-12-06,B83901\n9990002258,1995-03-14,\n")
    assert register.find("9990001111") == REGISTERED
    assert register.find("9990002258") == Registration(date(1995, 3, 14), None)
    assert register.find("9990002517") is None
    assert len(list(register.everybody())) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "number,born,practice\n",
        "nhs_number,practice,date_of_birth\n",
        f"{HEAD}9990001112,2021-12-06,B83901\n",
        f"{HEAD}999 000 1111,2021-12-06,B83901\n",
        f"{HEAD}9990001111,6 Dec 2021,B83901\n",
        f"{HEAD}9990001111,,B83901\n",
        f"{HEAD}9990001111\n",
        f"{HEAD}9990001111,2021-12-06,Dr Smith's\n",
        f"{HEAD}9990001111,2021-12-06,B83901\n9990001111,2021-12-06,B83902\n",
        f"{HEAD}9990001111,2021-12-06,B83901\n9990001111,2021-12-06,B83901\n",
    ],
)
def test_a_register_with_one_line_that_does_not_fit_is_refused_whole(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(Invalid) as refused:
        a_register(tmp_path, text)
    for value in ("9990001111", "9990001112", "Smith", "Dec"):
        assert value not in str(refused.value)


def test_a_line_that_does_not_fit_is_named_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="register line 3"):
        a_register(tmp_path, f"{HEAD}9990001111,2021-12-06,B83901\n1,2,3\n")


def learned(world: World, *said: Registration) -> list[bool]:
    def deed(work: Work) -> list[bool]:
        work.record(Deed.REGISTER_LOADED)
        return [keep_registration(work, CHILD[0], one) for one in said]

    return world.log.perform(Actor("operator"), deed)


def known_now(world: World) -> Registration | None:
    def deed(work: Work) -> Registration | None:
        work.record(Deed.STATUS_READ)
        return registration_of(work, CHILD[0])

    return world.log.perform(Actor("operator"), deed)


def test_what_a_register_says_is_news_once(any_world: World) -> None:
    assert known_now(any_world) is None
    moved = Registration(REGISTERED.date_of_birth, NEW)
    assert learned(any_world, REGISTERED, REGISTERED, moved) == [True, False, True]
    assert known_now(any_world) == moved


def test_a_registration_is_kept_sealed_under_a_pseudonym(world: World) -> None:
    learned(world, REGISTERED)
    (row,) = rows(world, of=tables.RegistrationRow)
    assert CHILD[0] not in row.id + row.pseudonym
    assert CHILD[0].encode() not in row.sealed
    assert b"2021-12-06" not in row.sealed
    assert HOME.encode() not in row.sealed
