"""What an agency sends: a plan, an enquiry or a notification, and what each states.

Every version is a complete statement that replaces the one before it. The next version of the same
reference amends, adds an adult, says that the child was born, or ends. There is no field for free
text, and none for a name or an address: a flag needs neither.
"""

from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from flagservice.domain.elements import Element, Kind, PlanCategory, Value
from flagservice.domain.errors import Fault
from flagservice.domain.people import Role, Standing
from flagservice.domain.plausibility import ages, dates
from flagservice.domain.plausibility.references import Reference, reference_faults
from flagservice.domain.statements import Day, Person, Statement, Strict, Withdrawal


class ConsentAnswer(StrEnum):
    """What was answered when consent was sought."""

    GIVEN = "given"
    REFUSED = "refused"


class ConsentNotSought(StrEnum):
    """Why consent was not sought."""

    WOULD_INCREASE_RISK = "would-increase-risk"
    WOULD_PREJUDICE_ENQUIRY = "would-prejudice-enquiry"
    NOT_REACHABLE = "not-reachable"
    URGENT = "urgent"


class Consent(Strict):
    """What is recorded of consent. It is never an input to a ruling, and never sent."""

    sought: bool
    answer: ConsentAnswer | None = None
    why_not: ConsentNotSought | None = None

    def faults(self) -> list[Fault]:
        """Returns an answer without a question, or a missing answer or reason."""
        if self.sought and self.answer is None:
            return [Fault("consent.answer", "is needed when consent was sought")]
        if self.sought and self.why_not is not None:
            return [Fault("consent.why_not", "is only for consent that was not sought")]
        if not self.sought and self.why_not is None:
            return [Fault("consent.why_not", "is needed when consent was not sought")]
        if not self.sought and self.answer is not None:
            return [Fault("consent.answer", "is only for consent that was sought")]
        return []


class LawfulBasis(StrEnum):
    """The lawful basis on which the agency shares this."""

    PUBLIC_TASK = "public-task"
    LEGAL_OBLIGATION = "legal-obligation"
    VITAL_INTERESTS = "vital-interests"
    HEALTH_OR_SOCIAL_CARE = "health-or-social-care"
    SAFEGUARDING_OF_CHILDREN = "safeguarding-of-children"
    LAW_ENFORCEMENT = "law-enforcement"


class Purpose(StrEnum):
    """The purpose for which the agency shares this."""

    SAFEGUARDING_OF_A_CHILD = "safeguarding-of-a-child"
    PROTECTION_OF_AN_ADULT = "protection-of-an-adult"


class Submission(Strict, ABC):
    """What every submission has."""

    reference: Reference
    version: Annotated[int, Field(ge=1, le=9999)]
    end: Day | None = None
    people: Annotated[list[Person], Field(min_length=1, max_length=20)]
    consent: Consent
    lawful_basis: Annotated[list[LawfulBasis], Field(min_length=1, max_length=6)]
    purpose: Purpose
    withdrawn: Withdrawal | None = None

    @property
    @abstractmethod
    def rules_as(self) -> Kind:
        """The kind by which the policy rules on it."""

    @property
    def started(self) -> date | None:
        """The day from which `end` and every review day are counted."""
        return None

    @property
    def unborn(self) -> Person | None:
        """The unborn child, until it is born. Of several in a notification it is the first."""
        return next((person for person in self.people if person.role is Role.UNBORN), None)

    def elements(self) -> dict[Element, Value]:
        """Returns what it says that a flag could say."""
        said: dict[Element, Value] = {} if self.end is None else {Element.END: self.end}
        if self.unborn is not None and self.unborn.expected_date is not None:
            said[Element.EXPECTED_DATE] = self.unborn.expected_date
        return said

    def statements(self) -> list[Statement]:
        """Returns a statement for each person who has, or may have, a record."""
        return [
            Statement(place, person, self.rules_as)
            for place, person in enumerate(self.people)
            if person.role is not Role.UNBORN
        ]

    def withdrawal_of(self, person: Person) -> Withdrawal | None:
        """Returns why what it says of a person is taken back, if it is."""
        return self.withdrawn or person.withdrawn

    def end_of(self, person: Person) -> date | None:
        """Returns the day on which a person's part in it ended."""
        return person.ended or self.end

    def faults(self, today: date) -> list[Fault]:
        """Returns every rule across fields that this submission breaks."""
        found = self.consent.faults()
        for place, person in enumerate(self.people):
            found += person.faults(f"people[{place}]")
        found += self._repeated() + reference_faults(self.reference) + self._births(today)
        found += ages.age_faults(self.people) + self._mothers()
        if self.started is not None:
            found += dates.start_faults(self.started, today=today, birth=self._birth)
        return found + self._ends(today)

    def _ends(self, today: date) -> list[Fault]:
        ends = {"end": self.end}
        ends |= {f"people[{n}].ended": person.ended for n, person in enumerate(self.people)}
        found = []
        for field, end in ends.items():
            if end is not None and end > today:
                found.append(Fault(field, "is in the future: send it on the day"))
            if end is not None and self.started is not None and end < self.started:
                found.append(Fault(field, "is before start"))
        return found

    @property
    def _birth(self) -> date | None:
        """The day on which the child was born, or is expected."""
        children = (person for person in self.people if person.role in (Role.CHILD, Role.UNBORN))
        about = (child for child in children if child.withdrawn is None)
        return next((person.date_of_birth or person.expected_date for person in about), None)

    def outgrown(self, today: date) -> list[Fault]:
        """Returns every rule that time alone may break.

        By then the submission may have been taken, or be superseded.
        """
        found = ages.outgrown_faults(self.people, day=self.end or today)
        since = today if self.end is None else self.started or self.end
        for place, person in enumerate(self.people):
            if person.expected_date is not None:
                field = f"people[{place}].expected_date"
                found += dates.overdue_faults(field, person.expected_date, since=since)
        return found

    def _births(self, today: date) -> list[Fault]:
        found = []
        for place, person in enumerate(self.people):
            at, born, expected = f"people[{place}]", person.date_of_birth, person.expected_date
            if born is not None:
                found += dates.birth_faults(f"{at}.date_of_birth", born, today=today)
            if expected is not None:
                found += dates.expected_faults(f"{at}.expected_date", expected, today=today)
        return found

    def _repeated(self) -> list[Fault]:
        seen: set[str] = set()
        found = []
        for place, person in enumerate(self.people):
            if person.nhs_number in seen:
                found.append(Fault(f"people[{place}].nhs_number", "this person is named twice"))
            if person.nhs_number is not None:
                seen.add(person.nhs_number)
        return found

    def _one_child(self, roles: tuple[Role, ...]) -> list[Fault]:
        standing = [person for person in self.people if person.withdrawn is None]
        if sum(person.role in roles for person in standing) == 1:
            return []
        return [Fault("people", f"exactly one is {' or '.join(roles)}")]

    def _mothers(self) -> list[Fault]:
        """Returns a missing mother, or a second one: which of them is it who expects the child?"""
        standing = [person for person in self.people if person.withdrawn is None]
        named = sum(person.role is Role.MOTHER for person in standing)
        if self.unborn is None or named == 1:
            return []
        return [Fault("people", "exactly one is mother, where a child is unborn")]


_UNBORN: Final = {
    Kind.CHILD_IN_NEED: Kind.UNBORN_CHILD_IN_NEED,
    Kind.CHILD_PROTECTION: Kind.UNBORN_CHILD_PROTECTION,
    Kind.SECTION_47: Kind.UNBORN_SECTION_47,
    Kind.STRATEGY_MEETING: Kind.UNBORN_STRATEGY_MEETING,
    Kind.PRE_PROCEEDINGS: Kind.UNBORN_PRE_PROCEEDINGS,
}


class Plan(Submission):
    """A child in need plan (Children Act 1989 section 17) or a child protection plan."""

    kind: Literal[Kind.CHILD_IN_NEED, Kind.CHILD_PROTECTION]
    start: Day
    review_due: Day | None = None
    categories: Annotated[list[PlanCategory], Field(default_factory=list, max_length=4)]

    @property
    def rules_as(self) -> Kind:
        """The kind of plan, before or after the birth."""
        return self.kind if self.unborn is None else _UNBORN[self.kind]

    @property
    def started(self) -> date:
        """The plan's own start."""
        return self.start

    def elements(self) -> dict[Element, Value]:
        """Returns what every submission says, and start, review and categories."""
        said = super().elements() | {Element.START: self.start}
        if self.review_due is not None:
            said[Element.REVIEW_DUE] = self.review_due
        if self.categories:
            said[Element.PLAN_CATEGORY] = tuple(sorted(self.categories))
        return said

    def faults(self, today: date) -> list[Fault]:
        """Returns what every submission is checked for, and the rules of a plan."""
        found = super().faults(today) + self._one_child((Role.CHILD, Role.UNBORN))
        if self.review_due is not None:
            found += dates.review_faults(self.review_due, start=self.start, today=today)
        if self.kind is Kind.CHILD_PROTECTION and not self.categories:
            found.append(Fault("categories", "a child protection plan has at least one"))
        if self.kind is Kind.CHILD_IN_NEED and self.categories:
            found.append(Fault("categories", "only a child protection plan has them"))
        if len(set(self.categories)) != len(self.categories):
            found.append(Fault("categories", "the same category stands twice"))
        return found


class Enquiry(Submission):
    """A section 47 enquiry, a strategy meeting, or pre-proceedings (Children Act 1989)."""

    kind: Literal[Kind.SECTION_47, Kind.STRATEGY_MEETING, Kind.PRE_PROCEEDINGS]
    start: Day

    @property
    def rules_as(self) -> Kind:
        """The kind of enquiry, before or after the birth."""
        return self.kind if self.unborn is None else _UNBORN[self.kind]

    @property
    def started(self) -> date:
        """The day the enquiry or the proceedings were opened, or the meeting was held."""
        return self.start

    def faults(self, today: date) -> list[Fault]:
        """Returns what every submission is checked for. An enquiry is about one child."""
        return super().faults(today) + self._one_child((Role.CHILD, Role.UNBORN))


def _parts(statement: Statement) -> list[Statement]:
    person = statement.person
    if person.standing is not Standing.BOTH:
        return [statement]
    return [
        replace(statement, person=person.model_copy(update={"standing": part}))
        for part in (Standing.VICTIM, Standing.ALLEGED_PERPETRATOR)
    ]


_ALLEGED = (Standing.ALLEGED_PERPETRATOR, Standing.BOTH)
_VICTIM = (Standing.VICTIM, Standing.BOTH)


class Notification(Submission):
    """A notification of an alleged perpetrator or a victim of domestic abuse, or a MARAC.

    It has no date, no place and no account of an incident. A MARAC is a multi-agency risk
    assessment conference about a victim.
    """

    kind: Literal[Kind.PERPETRATOR, Kind.DOMESTIC_ABUSE_VICTIM, Kind.MARAC]

    @property
    def rules_as(self) -> Kind:
        """The kind that it says it is."""
        return self.kind

    def statements(self) -> list[Statement]:
        """Returns a statement for each person who has a record, and two for one who is both.

        What protects a victim awaits no question. A mother who is not accused is ruled on for
        the unborn child that she expects, too.
        """
        parts = [part for statement in super().statements() for part in _parts(statement)]
        return [
            replace(one, kind=Kind.UNBORN_DOMESTIC_ABUSE) if self._expecting(one.person) else one
            for one in parts
        ]

    def _expecting(self, person: Person) -> bool:
        expects = self.unborn is not None and person.role is Role.MOTHER
        return expects and person.standing not in _ALLEGED

    def faults(self, today: date) -> list[Fault]:
        """Returns what every submission is checked for, and who is missing."""
        about, word = (
            (_ALLEGED, "alleged-perpetrator")
            if self.rules_as is Kind.PERPETRATOR
            else (_VICTIM, "victim")
        )
        found = super().faults(today)
        if all(one.person.standing not in about for one in self.statements()):
            found.append(Fault("people", f"nobody's standing is {word}"))
        return found
