"""Rules on a case by what each side has decided about it.

A decision answers one question, and lapses when what it was about changes. A submitter answers
about its own words, what was doubted of them and the state of the case. A practice answers about
the person's whole standing, at that practice.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from flagservice.audit.log import Work
from flagservice.domain.holds import HoldOutcome, Owner, Question
from flagservice.domain.people import Standing, State
from flagservice.domain.statements import Identity
from flagservice.intake.ruling.particulars import Particulars
from flagservice.policy.case import Case
from flagservice.policy.rows import PlacementAction
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.policy.table import Policy
from flagservice.store import tables


@dataclass(frozen=True)
class OpenQuestion:
    """What a side is asked; `about` is a keyed digest, which tells nothing."""

    owner: Owner
    question: Question
    about: str


@dataclass(frozen=True)
class DecidedRuling:
    """The ruling on a case by the decisions: what is asked still, or who has declined.

    `case` is as it stood before any decision; the ruling's own is what decisions made it.
    """

    case: Case
    ruling: Ruling
    asked: OpenQuestion | None = None
    declined_by: Owner | None = None


@dataclass(frozen=True)
class Decisions:
    """The decisions on one naming, and what is needed to rule by them.

    `known` is whether the register has this number with this birth date. `made` has each question's
    outcome. `supposing` are sides that are taken to place where they have not decided yet.
    """

    work: Work
    data_key: bytes
    policy: Policy
    particulars: Particulars
    own_standing: Standing
    whole_standing: Standing
    practice: str
    known: bool
    made: Mapping[OpenQuestion, HoldOutcome]
    supposing: frozenset[Owner] = frozenset()

    def asks(self, owner: Owner, question: Question, case: Case) -> OpenQuestion:
        """Returns what a side is asked about a case.

        A birth changes the kind of a case, and asks nobody again.
        """
        match owner:
            case Owner.SUBMITTER:
                about = f"{self.own_standing}|{case.state}|{self.particulars.doubt}"
            case Owner.PRACTICE:  # pragma: no branch, a closed set
                about = f"{self.whole_standing}|{self.practice}"
        whole = f"{owner}|{question}|{case.role}|{case.knows}|{about}"
        digest = self.work.vault.digest(self.data_key, whole.encode(), purpose="decision")
        return OpenQuestion(owner, question, digest)

    def answer_to(self, asked: OpenQuestion) -> HoldOutcome | None:
        """Returns what was decided, or is supposed to be; None while it is open."""
        supposed = HoldOutcome.PLACE if asked.owner in self.supposing else None
        return self.made.get(asked, supposed)

    def on(self, case: Case) -> DecidedRuling:
        """Returns the ruling on a case, by every decision about it.

        A submitter who confirms an identity confirms no more: the case may be held again. A
        recorded "no" outlives its question: where something else is said since, its side is asked
        again, and nothing goes meanwhile.
        """
        decided = replace(self._on(self._as_known(case)), case=case)
        submitter = decided.asked is not None and decided.asked.owner is Owner.SUBMITTER
        tells = decided.asked is not None or decided.ruling.remains
        if submitter or not tells or not self._was_refused:
            return decided
        again = self.asks(Owner.SUBMITTER, Question.AGAIN, case)
        match self.answer_to(again):
            case HoldOutcome.PLACE:
                return decided
            case HoldOutcome.WITHHOLD:
                return self._declined(case, Owner.SUBMITTER)
            case None:  # pragma: no branch, a closed set
                held = rule_on(self.policy, replace(case, state=State.UNCONFIRMED))
                return DecidedRuling(case, held, again)

    def supposed(self, *owners: Owner) -> "Decisions":
        """Returns the same decisions, as if these sides placed where they have not decided."""
        return replace(self, supposing=frozenset(owners))

    def _as_known(self, case: Case) -> Case:
        """Returns the case as unconfirmed where the register does not confirm the identity.

        A case that is withheld anyway stays as it is: no answer about it depends on the register.
        """
        action = rule_on(self.policy, case).placement.action
        if self.known or action is PlacementAction.WITHHOLD:
            return case
        return replace(case, state=State.UNCONFIRMED)

    @property
    def _was_refused(self) -> bool:
        no = HoldOutcome.WITHHOLD
        return any(
            asked.owner is Owner.SUBMITTER and asked.question is not Question.WIDENING
            for asked, outcome in self.made.items()
            if outcome is no
        )

    def _on(self, case: Case) -> DecidedRuling:
        """Returns the ruling, one question after the other. Answers lead to another case."""
        ruling = rule_on(self.policy, case)
        for asked in self._questions(ruling):
            match self.answer_to(asked):
                case None:
                    return DecidedRuling(case, ruling, asked)
                case HoldOutcome.WITHHOLD:
                    return self._declined(case, asked.owner)
                case HoldOutcome.PLACE:  # pragma: no branch, a closed set
                    continue
        if ruling.placement.action is not PlacementAction.HOLD:
            return DecidedRuling(case, ruling)
        unconfirmed = case.state is State.UNCONFIRMED
        state = State(self.particulars.involvement.value) if unconfirmed else State.APPROVED
        return self._on(replace(case, state=state))

    def _questions(self, ruling: Ruling) -> Iterator[OpenQuestion]:
        """Yields what a held placement asks. A submitter's own doubts come first."""
        owner, case = ruling.placement.owner, ruling.case
        if owner is None:
            return
        identity = case.state is State.UNCONFIRMED and not self.known
        doubted = self.particulars.doubt is not None
        if not identity or doubted or self.particulars.identity is Identity.UNCONFIRMED:
            yield self.asks(owner, Question.PLACEMENT, case)
        if identity:
            yield self.asks(owner, Question.IDENTITY, case)

    def _declined(self, case: Case, owner: Owner) -> DecidedRuling:
        declined = rule_on(self.policy, replace(case, state=State.DECLINED))
        return DecidedRuling(case, declined, declined_by=owner)


def decisions_made(
    holds: Iterable[tables.HoldRow], naming: tables.NamingRow
) -> dict[OpenQuestion, HoldOutcome]:
    """Returns the newest decision on each question; `holds` are in the order of decision.

    A practice's refusal is for the version that it saw.
    """
    return {
        OpenQuestion(hold.owner, hold.question, hold.about): hold.outcome
        for hold in holds
        if hold.plan_id == naming.plan_id and hold.outcome is not None and not _lapsed(hold, naming)
    }


def _lapsed(hold: tables.HoldRow, naming: tables.NamingRow) -> bool:
    refused = hold.owner is Owner.PRACTICE and hold.outcome is HoldOutcome.WITHHOLD
    return refused and hold.version != naming.version
