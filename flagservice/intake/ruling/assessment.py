"""Rules on one person, for each plan that names them, in the light of all that is known.

1. Gather what every plan and notification says of the person, from all agencies.
2. Put their standing together. The order in which things arrived does not matter.
3. For each plan, make the case, and rule on it by the recorded decisions.
4. Rule once more on the submitter's own words alone: its receipt says that and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement
from sqlmodel import col, or_, select

from flagservice.audit.log import Work
from flagservice.domain.elements import NOTIFICATIONS, Kind
from flagservice.domain.holds import Owner
from flagservice.domain.people import Phase, Standing, State, together
from flagservice.domain.plausibility.ages import DOUBTED
from flagservice.domain.statements import Identity
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.decisions import Decisions, decisions_made
from flagservice.intake.ruling.particulars import Particulars, open_particulars
from flagservice.intake.ruling.person_files import PersonFile
from flagservice.people.registrations import Registration
from flagservice.policy.case import Case
from flagservice.policy.rows import PlacementAction
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.store import tables


@dataclass(frozen=True)
class Assessment:
    """One plan's answer for one person, and what its submitter's own words would have given."""

    plan: tables.PlanRow
    naming: tables.NamingRow
    particulars: Particulars
    ruling: Ruling
    own_ruling: Ruling
    decisions: Decisions
    former: bool = False
    """is it of a kind that the plan has left behind? See `former_kinds`"""

    @property
    def asked(self) -> bool:
        """Whether a side has yet to decide. Meanwhile nothing is placed, and nothing taken back."""
        return _is_asked(self.ruling) and not self.naming.dropped

    @property
    def told(self) -> Ruling:
        """The ruling by which the record is told what it is told.

        While a side is asked it is what the ruling would be if it decided to place, and it lets
        stand no more than what stands already.
        """
        return self._as_if_decided(self.ruling)

    @property
    def own_told(self) -> Ruling:
        """The same by the submitter's own words alone."""
        return self._as_if_decided(self.own_ruling)

    def _as_if_decided(self, ruling: Ruling) -> Ruling:
        return self.decisions.ruling_if_all_place(ruling.case) if _is_asked(ruling) else ruling

    @property
    def tells(self) -> bool:
        """Whether this record is told anything. A person who was left out was wrongly named."""
        return self.told.remains and not self.naming.dropped

    @property
    def held_because(self) -> str:
        """Returns why its submitter is asked. What contradicts its words is not named."""
        said = [DOUBTED[self.particulars.doubt]] if self.particulars.doubt else []
        if self.particulars.identity is Identity.UNCONFIRMED:
            said.append("the identity is unconfirmed")
        if not said and self.own_ruling.case.state is State.UNCONFIRMED:
            said.append("check number, name and birth date")
        return "; ".join(said) or self.own_ruling.placement.because

    def question_for(self, owner: Owner) -> str:
        """Returns the question that this side is asked now."""
        return self.decisions.question(owner, self.ruling_seen_by(owner).case)

    def ruling_if_placed(self, owner: Owner) -> Ruling:
        """Returns what the ruling would be if this side decided to place."""
        return self.decisions.ruling_if_placed(owner, self.ruling_seen_by(owner).case)

    def ruling_seen_by(self, owner: Owner) -> Ruling:
        """Returns the ruling that a side may see: a submitter's is from its own words alone."""
        return self.own_ruling if owner is Owner.SUBMITTER else self.ruling


def _is_asked(ruling: Ruling) -> bool:
    return ruling.placement.action is PlacementAction.HOLD and ruling.case.phase is Phase.OPEN


@dataclass(frozen=True)
class OpenedNaming:
    """One naming of the person, opened."""

    plan: tables.PlanRow
    naming: tables.NamingRow
    particulars: Particulars


def assess(work: Work, file: PersonFile, *, rulebook: Rulebook) -> list[Assessment]:
    """Returns an assessment for every plan that names the person."""
    named = [
        OpenedNaming(plan, naming, open_particulars(work, naming)) for plan, naming in file.named
    ]
    registration, practice = file.registration, file.practice or ""
    found = []
    for one in named:
        own_standing = _standing(one, [other for other in named if other.plan.ods == one.plan.ods])
        decisions = Decisions(
            work,
            data_key=one.naming.data_key,
            policy=rulebook.policies[one.particulars.kind],
            particulars=one.particulars,
            own_standing=own_standing,
            practice=practice,
            made=decisions_made(file.holds, one.naming),
        )
        found.append((one, decisions, _case(one.particulars, registration, standing=own_standing)))
    counted = [
        one for one, decisions, own_case in found if not decisions.refused_by_submitter(own_case)
    ]
    return [
        _assessed(one, decisions, own_case=own_case, standing=_standing(one, counted))
        for one, decisions, own_case in found
    ]


def _assessed(
    one: OpenedNaming, decisions: Decisions, *, own_case: Case, standing: Standing
) -> Assessment:
    ruling = decisions.ruling_on(replace(own_case, standing=standing))
    own_ruling = decisions.ruling_on(own_case)
    return Assessment(one.plan, one.naming, one.particulars, ruling, own_ruling, decisions)


def former_kinds(
    file: PersonFile, assessments: Sequence[Assessment], *, rulebook: Rulebook
) -> list[Assessment]:
    """Returns what was told under a kind that a plan has left behind, ruled on as ended.

    An unborn child's plan goes on as the child's own. What the mother's record was told of the
    first is history by the unborn kind's policy, as long as her whole state lets it be.
    """
    copies = sorted({(copy.plan_id, copy.kind) for copy in file.copies})
    by_plan = {assessment.plan.id: assessment for assessment in assessments}
    told = [(by_plan[plan_id], Kind(kind)) for plan_id, kind in copies]
    return [
        _former(now, kind, rulebook=rulebook)
        for now, kind in told
        if kind is not now.particulars.kind
    ]


def concerned_by(kind: str) -> ColumnElement[bool]:
    """Returns the condition for people whom plans of a kind name, or who hold a copy of it.

    A notification of any kind may name a mother for the child that she expects.
    """
    of_unborn = kind == Kind.UNBORN_DOMESTIC_ABUSE
    named = (
        select(col(tables.NamingRow.person_id))
        .join(tables.PlanRow, col(tables.PlanRow.id) == col(tables.NamingRow.plan_id))
        .where(col(tables.PlanRow.kind).in_(NOTIFICATIONS if of_unborn else (kind,)))
    )
    holding = select(col(tables.CopyRow.person_id)).where(col(tables.CopyRow.kind) == kind)
    return or_(col(tables.PersonRow.id).in_(named), col(tables.PersonRow.id).in_(holding))


def _former(now: Assessment, kind: Kind, *, rulebook: Rulebook) -> Assessment:
    case = replace(now.ruling.case, kind=kind, phase=Phase.ENDED)
    ruling = rule_on(rulebook.policies[kind], case)
    particulars = replace(now.particulars, kind=kind, phase=Phase.ENDED)
    return replace(now, particulars=particulars, ruling=ruling, own_ruling=ruling, former=True)


def _standing(one: OpenedNaming, others: Sequence[OpenedNaming]) -> Standing:
    """Returns the standing by all plans and notifications that name the person, open or ended.

    The end of a notification is paperwork and clears nobody: its last version says what stands.
    """
    stated = [other.particulars.standing for other in others if not other.naming.dropped]
    return together([one.particulars.standing, *stated])


def _case(
    particulars: Particulars, registration: Registration | None, *, standing: Standing
) -> Case:
    return Case(
        particulars.kind,
        particulars.role,
        standing,
        particulars.knows,
        _state(particulars, registration),
        particulars.phase,
    )


def _state(particulars: Particulars, registration: Registration | None) -> State:
    """Returns the state. An identity is unconfirmed where the register has another birth date.

    It is unconfirmed, too, where the person may be in the wrong row.
    """
    contradicted = registration is not None and registration.date_of_birth != particulars.born
    if contradicted or particulars.identity is Identity.UNCONFIRMED:
        return State.UNCONFIRMED
    if particulars.doubt is not None:
        return State.UNCONFIRMED
    return State(particulars.involvement.value)
