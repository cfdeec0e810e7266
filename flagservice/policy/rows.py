"""The rows of a policy file, read strictly. An unknown word or a missing reason is refused.

A row has lists of words and nothing else: no expressions, operators, variables or includes.
"""

from enum import StrEnum
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from flagservice.domain.codes import CODES
from flagservice.domain.copies import Label
from flagservice.domain.elements import Element, Kind
from flagservice.domain.holds import Escalation, Owner
from flagservice.domain.people import RECORDS, Knows, Phase, Role, Standing, State
from flagservice.policy.case import Case
from flagservice.policy.readers import Reader

W = TypeVar("W", bound=StrEnum)
Id = Annotated[str, Field(pattern=r"^[A-Z0-9]+-[A-Z]?[0-9]{2}[a-z]?$")]
_ALWAYS: Final = {Label.NOPAT, Label.PERSISTLABEL}
Sentence = Annotated[str, Field(min_length=10)]


class PlacementAction(StrEnum):
    """What happens for one record."""

    PLACE = "place"
    HOLD = "hold"
    REQUEST = "request"
    WITHHOLD = "withhold"


class DeskChoice(StrEnum):
    """Whose duty desk a copy names."""

    AGENCY = "agency"
    NEUTRAL = "neutral"
    """one that no agency can be told from"""


class AfterEnd(StrEnum):
    """What remains of a copy once its plan has ended."""

    HISTORY = "history"
    RETRACT = "retract"


class ElementAction(StrEnum):
    """What happens to one element. `redact` is the stricter."""

    DISCLOSE = "disclose"
    REDACT = "redact"


def _words(of: type[W], everything: tuple[W, ...]) -> BeforeValidator:
    def read(value: object) -> tuple[W, ...]:
        if value == "any":
            return everything
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            raise ValueError('is a list of words, or "any"')
        words = tuple(of(word) for word in value)
        if len(set(words)) != len(words) or any(word not in everything for word in words):
            raise ValueError("has a word twice, or one that has no place here")
        return words

    return BeforeValidator(read)


class PolicyRow(BaseModel):
    """What every row has: whom it is about, why, and from which rules of the catalogue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    roles: Annotated[tuple[Role, ...], _words(Role, RECORDS)]
    standings: Annotated[tuple[Standing, ...], _words(Standing, tuple(Standing))]
    knows: Annotated[tuple[Knows, ...], _words(Knows, tuple(Knows))]
    states: Annotated[tuple[State, ...], _words(State, tuple(State))]
    because: Sentence
    source: Annotated[
        list[Annotated[str, Field(pattern=r"^\S+ [ABCJ](/[ABCJ])*$")]], Field(min_length=1)
    ]

    def matches(self, case: Case) -> bool:
        """Returns whether this row is about that case."""
        return (
            case.role in self.roles
            and case.standing in self.standings
            and case.knows in self.knows
            and case.state in self.states
        )


class Placement(PolicyRow):
    """What happens for one record, and what a flag that is placed there carries."""

    action: PlacementAction
    code: str | None = None
    labels: tuple[Label, ...] = ()
    desk: DeskChoice | None = None
    review: (
        Annotated[str, Field(pattern=r"^(with-plan|[1-9]\d? (months|working days))$")] | None
    ) = None
    expires: Annotated[str, Field(pattern=r"^[1-9]\d? months$")] | None = None
    warn: Annotated[str, Field(pattern=r"^[1-9]\d? days$")] | None = None
    after_end: AfterEnd | None = None
    owner: Owner | None = None
    due: Annotated[str, Field(pattern=r"^[1-9]\d? working days?$")] | None = None
    then: Escalation | None = None

    @property
    def end_code(self) -> str | None:
        """The code that ends the start code. Without one, a flag ends by its status."""
        return None if self.code is None else CODES[self.code].ended_by

    def tells(self, phase: Phase) -> bool:
        """Returns whether the record gets an open flag or request, or an ended flag's history."""
        if self.action not in (PlacementAction.PLACE, PlacementAction.REQUEST):
            return False
        return phase is Phase.OPEN or self.after_end is AfterEnd.HISTORY

    @model_validator(mode="after")
    def _whole(self) -> "Placement":
        told = (self.code, self.desk, self.review, self.after_end, self.labels or None)
        held = (self.owner, self.due, self.then)
        placed = self.action in (PlacementAction.PLACE, PlacementAction.REQUEST)
        if placed != all(part is not None for part in told):
            raise ValueError("place and request need code, labels, desk, review and after_end")
        if not placed and any(part is not None for part in (*told, self.expires, self.warn)):
            raise ValueError("hold and withhold carry no code, labels, desk, review or end")
        if (self.action is PlacementAction.HOLD) != all(part is not None for part in held):
            raise ValueError("hold needs owner, due and then")
        if self.action is not PlacementAction.HOLD and any(part is not None for part in held):
            raise ValueError("only hold has owner, due and then")
        if self.code is not None and self.code not in CODES:
            raise ValueError("the code is not on the list in domain.codes")
        if placed and not (set(self.labels) > _ALWAYS and len(self.labels) == 3):
            raise ValueError("labels are NOPAT, PERSISTLABEL and one of R and V")
        if (self.expires is None) != (self.warn is None):
            raise ValueError("expires and warn go together")
        return self


class ElementRule(PolicyRow):
    """What happens to some elements in some cases."""

    elements: Annotated[tuple[Element, ...], _words(Element, tuple(Element))]
    phases: Annotated[tuple[Phase, ...], _words(Phase, tuple(Phase))]
    readers: Annotated[tuple[Reader, ...], _words(Reader, tuple(Reader))] = (Reader.PRACTICE,)
    action: ElementAction

    def matches(self, case: Case) -> bool:
        """Returns whether this rule is about that case, in its phase."""
        return super().matches(case) and case.phase in self.phases


class PolicyFile(BaseModel):
    """One file: a version of one kind's policy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    version: Annotated[int, Field(ge=1)]
    purpose: Sentence
    placements: Annotated[tuple[Placement, ...], Field(min_length=1)]
    disclosures: Annotated[tuple[ElementRule, ...], Field(min_length=1)]
