"""Keeps, sealed, what a plan's newest version says about one person."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from flagservice.audit.log import Work
from flagservice.domain.elements import Element, Kind, PlanCategory, Value
from flagservice.domain.people import Knows, Phase, Role, Standing
from flagservice.domain.plausibility.ages import Doubt, doubt_of
from flagservice.domain.statements import Identity, Involvement, Statement
from flagservice.domain.submissions import Submission
from flagservice.store import tables


class Earlier(NamedTuple):
    """A time that an older version said had ended."""

    version: int
    kind: Kind
    start: date
    end: date


@dataclass(frozen=True)
class Particulars:
    """One record's part of one plan. `born` is as the submitter gave it, to check the register.

    `doubt` is why the person may be in the wrong row, as things stood when the version came.
    `started` is the plan's start, whether or not any record is told it. `earlier` are the times
    that older versions said had ended.
    """

    kind: Kind
    role: Role
    standing: Standing
    knows: Knows
    identity: Identity
    involvement: Involvement
    phase: Phase
    born: date | None
    doubt: Doubt | None
    elements: Mapping[Element, Value]
    started: date | None = None
    earlier: tuple[Earlier, ...] = ()


def particulars_of(submission: Submission, statement: Statement, *, today: date) -> Particulars:
    """Returns the particulars of one statement."""
    person = statement.person
    end = submission.end_of(person)
    elements = {**submission.elements(), **({} if end is None else {Element.END: end})}
    return Particulars(
        kind=statement.kind,
        role=person.role,
        standing=person.standing,
        knows=person.knows,
        identity=person.identity,
        involvement=person.involvement,
        phase=Phase.OPEN if end is None else Phase.ENDED,
        born=person.date_of_birth,
        doubt=doubt_of(person, submission.people, day=end or today),
        elements=elements,
        started=submission.started,
    )


def seal_particulars(work: Work, naming: tables.NamingRow, particulars: Particulars) -> bytes:
    """Returns particulars sealed for this naming's row alone."""
    body = {
        "kind": particulars.kind,
        "role": particulars.role,
        "standing": particulars.standing,
        "knows": particulars.knows,
        "identity": particulars.identity,
        "involvement": particulars.involvement,
        "phase": particulars.phase,
        "born": particulars.born.isoformat() if particulars.born else None,
        "doubt": particulars.doubt,
        "elements": {name: _plain(value) for name, value in particulars.elements.items()},
        "started": particulars.started.isoformat() if particulars.started else None,
        "earlier": [
            (version, kind, start.isoformat(), end.isoformat())
            for version, kind, start, end in particulars.earlier
        ],
    }
    return work.vault.seal_row(naming, json.dumps(body).encode())


def open_particulars(work: Work, naming: tables.NamingRow) -> Particulars:
    """Returns the particulars that a naming's row holds."""
    body = json.loads(work.vault.open_row(naming))
    return Particulars(
        kind=Kind(body["kind"]),
        role=Role(body["role"]),
        standing=Standing(body["standing"]),
        knows=Knows(body["knows"]),
        identity=Identity(body["identity"]),
        involvement=Involvement(body["involvement"]),
        phase=Phase(body["phase"]),
        born=date.fromisoformat(body["born"]) if body["born"] else None,
        doubt=Doubt(body["doubt"]) if body["doubt"] else None,
        elements={Element(name): _value(value) for name, value in body["elements"].items()},
        started=date.fromisoformat(body["started"]) if body["started"] else None,
        earlier=tuple(
            Earlier(version, Kind(kind), date.fromisoformat(start), date.fromisoformat(end))
            for version, kind, start, end in body["earlier"]
        ),
    )


def _plain(value: Value) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _value(value: Any) -> Value:
    if isinstance(value, list):
        return tuple(PlanCategory(category) for category in value)
    return date.fromisoformat(value)
