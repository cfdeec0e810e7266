"""A column of a closed set gives members back, and takes nothing else."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError
from sqlmodel import col, select

from flagservice.domain.copies import CopyStatus, Form, Label, NotReached
from flagservice.domain.elements import Element, Kind
from flagservice.domain.people import Role
from flagservice.store import tables
from tests.world import World


def given_a_lookup(world: World, *, role: str = Role.CHILD) -> None:
    with world.database.transaction() as session:
        plan = tables.PlanRow(
            id="plan", ods="X", reference="A", kind=Kind.MARAC, version=1, data_key=b""
        )
        session.add(plan)
        session.flush()
        lookup = tables.LookupRow(
            id="one",
            plan_id="plan",
            role=role,
            reason=NotReached.NO_PRACTICE,
            opened=world.now.date(),
        )
        session.add(lookup)


def test_a_word_of_a_closed_set_comes_back_as_its_member(any_world: World) -> None:
    given_a_lookup(any_world)
    with any_world.database.transaction() as session:
        kept = session.execute(text("SELECT role, reason FROM lookup")).one()
        row = session.exec(select(tables.LookupRow)).one()
        assert tuple(kept) == ("child", "no-practice")
        assert (row.role, row.reason) == (Role.CHILD, NotReached.NO_PRACTICE)
        assert type(row.role) is Role
        assert type(row.reason) is NotReached


def a_copy(**said: Any) -> Any:
    table: Any = tables.CopyRow
    return table(id="copy", person_id="person", code="U", placed=date(2022, 1, 4), **said)


def given_a_copy(world: World, **said: Any) -> None:
    given_a_lookup(world)
    own: dict[str, Any] = {"kind": Kind.MARAC, "form": Form.FLAG, "status": CopyStatus.ACTIVE}
    with world.database.transaction() as session:
        person = tables.PersonRow(id="person", pseudonym="1:p", data_key=b"", sealed=b"")
        session.add(person)
        session.flush()
        session.add(a_copy(practice="B83901", number=1, digest="", **own, **said))


@pytest.mark.parametrize(
    ("labels", "kept"), [((), ""), ((Label.NOPAT, Label.RESTRICTED), "NOPAT R")]
)
def test_words_of_a_closed_set_come_back_as_its_members_in_their_order(
    any_world: World, labels: tuple[Label, ...], kept: str
) -> None:
    given_a_copy(any_world, labels=labels, says=(Element.END, Element.CONCERN))
    with any_world.database.transaction() as session:
        told = session.execute(text("SELECT labels, says FROM copy")).one()
        row = session.exec(select(tables.CopyRow)).one()
        assert tuple(told) == (kept, "end concern")
        assert (row.labels, row.says) == (labels, (Element.END, Element.CONCERN))
        assert {type(one) for one in row.says} == {Element}


def test_one_wrong_word_among_right_ones_is_not_written(world: World) -> None:
    with pytest.raises(StatementError, match="'PATRQT' is not a valid Label"):
        given_a_copy(world, labels=(Label.NOPAT, "PATRQT"), says=())


def test_another_word_is_not_written(world: World) -> None:
    with pytest.raises(StatementError, match="'cousin' is not a valid Role"):
        given_a_lookup(world, role="cousin")


def test_another_word_is_not_so_much_as_asked_for(world: World) -> None:
    asked = select(tables.LookupRow).where(col(tables.LookupRow.role) == "cousin")
    with (
        world.database.transaction() as session,
        pytest.raises(StatementError, match="'cousin' is not a valid Role"),
    ):
        session.exec(asked)


def test_another_word_is_not_read(world: World) -> None:
    given_a_lookup(world)
    with world.database.transaction() as session:
        session.execute(text("UPDATE lookup SET role = 'cousin'"))
        with pytest.raises(ValueError, match="'cousin' is not a valid Role"):
            session.exec(select(tables.LookupRow)).one()
