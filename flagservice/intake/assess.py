"""Rules on one person: every plan that names them, in the light of everything that is known.

1. Gather what every open plan and notification says of the person, whoever sent it.
2. Put their standing together; the order in which things arrived does not matter.
3. For each plan, make the case, rule, and take recorded decisions into account.
4. Rule once more on the submitter's own words alone: that, and nothing else, is its receipt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.directory.registrations import Registration
from flagservice.domain.people import Phase, Standing, State, together
from flagservice.domain.statements import Identity
from flagservice.intake.facts import Facts, unseal
from flagservice.intake.rulebook import Rulebook
from flagservice.policy.case import Case
from flagservice.policy.rows import Owner, PlacementAction
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.policy.table import Policy
from flagservice.store import tables

Decisions = Mapping[Owner, str]
"""What each side has decided: `place` or `withhold`."""


@dataclass(frozen=True)
class Assessment:
    """One plan's answer for one person, and what its submitter's own words would have given."""

    plan: tables.Plan
    naming: tables.Naming
    facts: Facts
    ruling: Ruling
    own: Ruling
    resolving: "Resolving"
    about: Mapping[Owner, str]
    """What each side would decide about: see `fingerprint`."""


def assess(
    work: Work, person: tables.Person, *, registration: Registration | None, rulebook: Rulebook
) -> list[Assessment]:
    """Every plan that names the person, ruled on."""
    named = [(plan, naming, unseal(work, naming)) for plan, naming in _namings(work, person)]
    return [
        _assess_one(
            work, (plan, naming, facts), named, registration=registration, rulebook=rulebook
        )
        for plan, naming, facts in named
    ]


Named = tuple[tables.Plan, tables.Naming, Facts]


def _namings(work: Work, person: tables.Person) -> Sequence[tuple[tables.Plan, tables.Naming]]:
    asked = (
        select(tables.Plan, tables.Naming)
        .where(col(tables.Naming.plan_id) == col(tables.Plan.id))
        .where(col(tables.Naming.person_id) == person.id)
        .order_by(col(tables.Plan.id))
    )
    return work.session.exec(asked).all()


def _assess_one(
    work: Work,
    this: Named,
    named: Sequence[Named],
    *,
    registration: Registration | None,
    rulebook: Rulebook,
) -> Assessment:
    plan, naming, facts = this
    policy = rulebook.policies[facts.kind]
    everybody, same_agency = [f for _, _, f in named], [f for p, _, f in named if p.ods == plan.ods]
    case = _case(facts, registration, standing=_standing(facts, everybody))
    own_case = replace(case, standing=_standing(facts, same_agency))
    about = {Owner.PRACTICE: fingerprint(work, case), Owner.SUBMITTER: fingerprint(work, own_case)}
    using = Resolving(policy, facts, _decisions(work, naming, about))
    ruling, own = _resolve(using, case), _resolve(using, own_case)
    return Assessment(plan, naming, facts, ruling, own, using, about)


def _standing(facts: Facts, all_of: Sequence[Facts]) -> Standing:
    """From every open plan and notification, and from this one even once it has ended."""
    return together([facts.standing, *(f.standing for f in all_of if f.phase is Phase.OPEN)])


def _case(facts: Facts, registration: Registration | None, *, standing: Standing) -> Case:
    return Case(
        facts.kind, facts.role, standing, facts.knows, _state(facts, registration), facts.phase
    )


def _state(facts: Facts, registration: Registration | None) -> State:
    """A birth date that the register contradicts is the mark of a wrong person: unconfirmed."""
    contradicted = registration is not None and registration.date_of_birth != facts.born
    if contradicted or facts.identity is Identity.UNCONFIRMED:
        return State.UNCONFIRMED
    return State(facts.involvement.value)


@dataclass(frozen=True)
class Resolving:
    """What is needed to take a held case further."""

    policy: Policy
    facts: Facts
    decisions: Decisions


def _resolve(using: Resolving, case: Case) -> Ruling:
    """A decision moves a held case on, one side at a time.

    A submitter who confirms an identity has confirmed that and no more: the case is then ruled on
    as it stands, and may be held again, for whoever decides that.
    """
    ruling = rule_on(using.policy, case)
    if ruling.placement.action is not PlacementAction.HOLD or ruling.placement.owner is None:
        return ruling
    match using.decisions.get(ruling.placement.owner):
        case None:
            return ruling
        case "withhold":
            return rule_on(using.policy, replace(case, state=State.DECLINED))
        case _ if case.state is State.UNCONFIRMED:
            return _resolve(using, replace(case, state=State(using.facts.involvement.value)))
        case _:
            return rule_on(using.policy, replace(case, state=State.APPROVED))


def suppose(assessment: Assessment, owner: Owner) -> Ruling:
    """What the ruling would be if this side decided to place."""
    using = assessment.resolving
    supposed = replace(using, decisions={**using.decisions, owner: "place"})
    # A submitter is shown what its own words would give: another agency's must not shine through.
    seen = assessment.own if owner is Owner.SUBMITTER else assessment.ruling
    return _resolve(supposed, seen.case)


def fingerprint(work: Work, case: Case) -> str:
    """What a decision is about. When any of it changes, the decision no longer stands."""
    return work.vault.pseudonym(
        f"{case.kind}|{case.role}|{case.standing}|{case.knows}", purpose="decision"
    )


def _decisions(work: Work, naming: tables.Naming, about: Mapping[Owner, str]) -> Decisions:
    """The newest decision of each side. A submitter's is about its own words alone."""
    asked = (
        select(tables.Hold)
        .where(col(tables.Hold.plan_id) == naming.plan_id)
        .where(col(tables.Hold.person_id) == naming.person_id)
        .where(col(tables.Hold.outcome).is_not(None))
        .order_by(col(tables.Hold.decided_at))
    )
    return {
        Owner(hold.owner): str(hold.outcome)
        for hold in work.session.exec(asked)
        if hold.about == about[Owner(hold.owner)]
    }
