"""Rules on one person, for each plan that names them, by all that is known.

1. Gather what all agencies say of the person.
2. Put their standing together. The order of arrival does not matter.
3. For each plan, make the case, and rule on it by the recorded decisions.
4. Where an accusation was not upheld, rule as if it stood until the submitter has answered.
5. Rule once more on the submitter's own words: its receipt says that and nothing else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement
from sqlmodel import col, or_, select

from flagservice.audit.log import Work
from flagservice.domain.elements import NOTIFICATIONS, Kind
from flagservice.domain.holds import HoldOutcome, Owner, Question
from flagservice.domain.people import Phase, Standing, State, together
from flagservice.domain.plausibility.ages import DOUBTED
from flagservice.domain.statements import IN_ERROR, Identity, Withdrawal
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.decisions import (
    DecidedRuling,
    Decisions,
    OpenQuestion,
    decisions_made,
)
from flagservice.intake.ruling.particulars import Particulars, open_particulars
from flagservice.intake.ruling.person_files import PersonFile
from flagservice.people.registrations import Registration
from flagservice.policy.case import Case
from flagservice.policy.ruling import Ruling
from flagservice.store import tables


@dataclass(frozen=True)
class Assessment:
    """One plan's answer for one person, by all that is known and by its submitter's own words."""

    plan: tables.PlanRow
    naming: tables.NamingRow
    particulars: Particulars
    decided: DecidedRuling
    own_decided: DecidedRuling
    decisions: Decisions
    widening: OpenQuestion | None = None
    """asked where more would be told, now that an accusation was not upheld"""
    former: bool = False
    """whether it is what the plan said before, ruled on as ended: see `concerns.former`"""

    @property
    def said_as(self) -> tuple[str, Kind]:
        """What a ground is known by: its naming's id, and the kind by which it is ruled on."""
        return self.naming.id, self.particulars.kind

    @property
    def ruling(self) -> Ruling:
        """The ruling by all that is known."""
        return self.decided.ruling

    @property
    def own_ruling(self) -> Ruling:
        """The ruling by the submitter's own words alone."""
        return self.own_decided.ruling

    @property
    def asked(self) -> bool:
        """Whether a side has yet to decide. Meanwhile nothing is placed or taken back."""
        return self.decided.asked is not None and not self.withdrawn

    @property
    def withdrawn(self) -> bool:
        """Whether its submitter has taken back all that it said of the person."""
        return self.naming.withdrawn is not None

    @property
    def in_error(self) -> bool:
        """Whether it should never have been said."""
        return self.naming.withdrawn in IN_ERROR

    @property
    def left_out(self) -> bool:
        """Whether the newest version leaves the person out, and does not say why."""
        open_ = self.particulars.phase is Phase.OPEN
        return open_ and not self.naming.current and not self.withdrawn

    @property
    def told(self) -> Ruling:
        """The ruling by which the record is told.

        While a side is asked it is the ruling as if it decided to place. That keeps what stands,
        and adds nothing.
        """
        return self.if_placed_by(*Owner) if self.asked else self.ruling

    @property
    def own_told(self) -> Ruling:
        """The same by the submitter's own words alone."""
        return self.decisions.supposed(*Owner).on(self.own_decided.case).ruling

    @property
    def tells(self) -> bool:
        """Whether this record is told anything."""
        return self.told.remains and not self.withdrawn

    def questions(self) -> list[OpenQuestion]:
        """Returns all that is asked now: of a submitter, by its own words alone."""
        if self.withdrawn or self.particulars.phase is Phase.ENDED:
            return []
        found = [self.widening] if self.widening else []
        if self.left_out:
            found.append(
                self.decisions.asks(Owner.SUBMITTER, Question.LEFT_OUT, self.own_decided.case)
            )
        asked, own = self.decided.asked, self.own_decided.asked
        if asked is not None and asked.owner is Owner.SUBMITTER:
            asked = own if own is not None and own.owner is Owner.SUBMITTER else None
        return [*found, asked] if asked else found

    def because(self, question: Question) -> str:
        """Returns why its submitter is asked. What contradicts its words is not named."""
        match question:
            case Question.IDENTITY:
                return "check number, name and birth date"
            case Question.LEFT_OUT:
                return "the newest version does not name this person"
            case Question.AGAIN:
                return "it was decided before that this record is told nothing"
            case Question.WIDENING:
                return "less is told than was said: may all of it be told?"
            case Question.PLACEMENT:  # pragma: no branch, a closed set
                return self._held_because

    @property
    def _held_because(self) -> str:
        said = [DOUBTED[self.particulars.doubt]] if self.particulars.doubt else []
        if self.particulars.identity is Identity.UNCONFIRMED:
            said.append("the identity is unconfirmed")
        return "; ".join(said) or self.own_ruling.placement.because

    def if_placed_by(self, *owners: Owner) -> Ruling:
        """Returns the ruling as if these sides decided to place.

        For a submitter alone it is by its own words, since a submitter may see it.
        """
        case = self.own_decided.case if owners == (Owner.SUBMITTER,) else self.decided.case
        return self.decisions.supposed(*owners).on(case).ruling


@dataclass(frozen=True)
class OpenedNaming:
    """A naming of the person, with its particulars."""

    plan: tables.PlanRow
    naming: tables.NamingRow
    particulars: Particulars


def assess(work: Work, file: PersonFile, *, rulebook: Rulebook) -> list[Assessment]:
    """Returns an assessment for each naming of the person."""
    named = [
        OpenedNaming(plan, naming, open_particulars(work, naming)) for plan, naming in file.named
    ]
    registration, practice = file.registration, file.practice or ""
    said = [one for one in named if one.naming.withdrawn is None]
    fallen = [one for one in named if one.naming.withdrawn is Withdrawal.NOT_UPHELD]
    found = []
    for one in named:
        own_standing = _standing(one, [other for other in said if other.plan.ods == one.plan.ods])
        decisions = Decisions(
            work,
            data_key=one.naming.data_key,
            policy=rulebook.policies[one.particulars.kind],
            particulars=one.particulars,
            own_standing=own_standing,
            whole_standing=own_standing,
            practice=practice,
            known=_is_known(one.particulars, registration),
            made=decisions_made(file.holds, one.naming),
        )
        found.append((one, decisions, decisions.on(_case(one.particulars, own_standing))))
    counted = [
        one
        for one, _, own in found
        if one.naming.withdrawn is None and own.declined_by is not Owner.SUBMITTER
    ]
    whole = _whole(counted)
    return [
        _assessed(
            one,
            replace(decisions, whole_standing=together([whole, one.particulars.standing])),
            own,
            standing=_standing(one, counted),
            fallen=[*counted, *fallen],
        )
        for one, decisions, own in found
    ]


def _assessed(
    one: OpenedNaming,
    decisions: Decisions,
    own: DecidedRuling,
    *,
    standing: Standing,
    fallen: Sequence[OpenedNaming],
) -> Assessment:
    """Returns one naming's assessment. `fallen` are those that count, and those not upheld."""
    decided = decisions.on(replace(own.case, standing=standing))
    narrower = decisions.on(replace(own.case, standing=_standing(one, fallen)))
    widening = None
    if _tells_more(decided.ruling, narrower.ruling):
        asked = decisions.asks(Owner.SUBMITTER, Question.WIDENING, narrower.case)
        answer = decisions.answer_to(asked)
        widening = asked if answer is None else None
        decided = decided if answer is HoldOutcome.PLACE else narrower
    return Assessment(
        one.plan, one.naming, one.particulars, decided, own, decisions, widening=widening
    )


def _tells_more(ruling: Ruling, narrower: Ruling) -> bool:
    """Returns whether a ruling tells anything that the narrower one does not."""
    if not ruling.remains:
        return False
    told = (ruling.placement.code, ruling.placement.desk, set(ruling.disclosed))
    return told != (narrower.placement.code, narrower.placement.desk, set(narrower.disclosed))


def concerned_by(kind: str) -> ColumnElement[bool]:
    """Returns the condition for people whom plans of a kind name, or who hold a copy of it.

    Any notification may name a mother for the child that she expects.
    """
    of_unborn = kind == Kind.UNBORN_DOMESTIC_ABUSE
    named = (
        select(col(tables.NamingRow.person_id))
        .join(tables.PlanRow, col(tables.PlanRow.id) == col(tables.NamingRow.plan_id))
        .where(col(tables.PlanRow.kind).in_(NOTIFICATIONS if of_unborn else (kind,)))
    )
    holding = (
        select(col(tables.CopyRow.person_id))
        .join(tables.GroundRow, col(tables.GroundRow.copy_id) == col(tables.CopyRow.id))
        .where(col(tables.GroundRow.kind) == kind)
    )
    return or_(col(tables.PersonRow.id).in_(named), col(tables.PersonRow.id).in_(holding))


def _standing(one: OpenedNaming, others: Sequence[OpenedNaming]) -> Standing:
    """Returns the standing by all that names the person, open or ended.

    The end of a notification clears nobody: its last version says what stands. An accusation stays
    one, whatever the person is elsewhere: a victim is protected where that is said.
    """
    own = one.particulars.standing
    if own is Standing.ALLEGED_PERPETRATOR:
        return own
    return together([own, _whole(others)])


def _whole(others: Iterable[OpenedNaming]) -> Standing:
    return together([other.particulars.standing for other in others])


def _is_known(particulars: Particulars, registration: Registration | None) -> bool:
    """Returns whether the register has this number with this birth date.

    Another birth date and an unknown number are one answer: else a caller could learn a birth date
    by asking.
    """
    return registration is not None and registration.date_of_birth == particulars.born


def _case(particulars: Particulars, standing: Standing) -> Case:
    return Case(
        particulars.kind,
        particulars.role,
        standing,
        particulars.knows,
        _state(particulars),
        particulars.phase,
    )


def _state(particulars: Particulars) -> State:
    """Returns what the submitter says of the involvement; unconfirmed where there is a doubt."""
    if particulars.doubt is not None or particulars.identity is Identity.UNCONFIRMED:
        return State.UNCONFIRMED
    return State(particulars.involvement.value)
