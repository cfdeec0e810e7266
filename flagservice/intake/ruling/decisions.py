"""Rules on a case by what each side has decided about it.

A decision answers one question. When what it was about changes, it no longer stands. A submitter
answers about its own words, what was doubted of them and the state of the case. A practice answers
about the person's whole standing, at that practice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flagservice.audit.log import Work
from flagservice.domain.holds import HoldOutcome, Owner
from flagservice.domain.people import Standing, State
from flagservice.intake.ruling.particulars import Particulars
from flagservice.policy.case import Case
from flagservice.policy.rows import PlacementAction
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.policy.table import Policy
from flagservice.store import tables


@dataclass(frozen=True)
class Decisions:
    """The decisions on one naming, and what it takes to rule by them.

    `made` has the outcome by the side that decided and the question that it answered.
    """

    work: Work
    data_key: bytes
    policy: Policy
    particulars: Particulars
    own_standing: Standing
    practice: str
    made: Mapping[tuple[Owner, str], HoldOutcome]

    def question(self, owner: Owner, case: Case) -> str:
        """Returns what this side is asked about this case, as a keyed digest that tells nothing."""
        match owner:
            case Owner.SUBMITTER:
                about = f"{self.own_standing}|{case.state}|{self.particulars.doubt}"
            case Owner.PRACTICE:  # pragma: no branch, a closed set
                about = f"{case.standing}|{self.practice}"
        whole = f"{owner}|{case.kind}|{case.role}|{case.knows}|{about}"
        return self.work.vault.digest(self.data_key, whole.encode(), purpose="decision")

    def ruling_on(self, case: Case) -> Ruling:
        """Returns the ruling on a case, by every decision that was made about it.

        A submitter who confirms an identity has confirmed that and no more. The case is then ruled
        on as it stands, and may be held again.
        """
        ruling = rule_on(self.policy, case)
        owner = ruling.placement.owner
        if ruling.placement.action is not PlacementAction.HOLD or owner is None:
            return ruling
        match self.made.get((owner, self.question(owner, case))):
            case None:
                return ruling
            case HoldOutcome.WITHHOLD:
                return rule_on(self.policy, replace(case, state=State.DECLINED))
            case _ if case.state is State.UNCONFIRMED:
                return self.ruling_on(
                    replace(case, state=State(self.particulars.involvement.value))
                )
            case _:
                return rule_on(self.policy, replace(case, state=State.APPROVED))

    def ruling_if_placed(self, owner: Owner, case: Case) -> Ruling:
        """Returns what the ruling would be if this side decided to place."""
        supposed = {**self.made, (owner, self.question(owner, case)): HoldOutcome.PLACE}
        return replace(self, made=supposed).ruling_on(case)

    def ruling_if_all_place(self, case: Case) -> Ruling:
        """Returns what the ruling would be if every side that is asked decided to place."""
        decisions, ruling = self, self.ruling_on(case)
        for _ in Owner:
            owner = ruling.placement.owner
            if ruling.placement.action is PlacementAction.HOLD and owner is not None:
                asked = (owner, self.question(owner, ruling.case))
                decisions = replace(decisions, made={**decisions.made, asked: HoldOutcome.PLACE})
                ruling = decisions.ruling_on(ruling.case)
        return ruling

    def refused_by_submitter(self, case: Case) -> bool:
        """Returns whether the submitter decided to withhold: it may be another person."""
        asked = (Owner.SUBMITTER, self.question(Owner.SUBMITTER, case))
        return self.made.get(asked) is HoldOutcome.WITHHOLD


def decisions_made(
    holds: Iterable[tables.HoldRow], naming: tables.NamingRow
) -> dict[tuple[Owner, str], HoldOutcome]:
    """Returns the newest decision on each question. `holds` are in the order of their decisions.

    A practice's refusal is for the version that it saw.
    """
    return {
        (hold.owner, hold.about): hold.outcome
        for hold in holds
        if hold.plan_id == naming.plan_id and hold.outcome is not None and not _lapsed(hold, naming)
    }


def _lapsed(hold: tables.HoldRow, naming: tables.NamingRow) -> bool:
    refused = hold.owner is Owner.PRACTICE and hold.outcome is HoldOutcome.WITHHOLD
    return refused and hold.version != naming.version
