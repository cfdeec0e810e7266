"""What one record may be told: the only door between what was said and what is told.

A `Disclosure` can be made here and nowhere else, and the floor that builds FHIR takes nothing but a
`Disclosure`. A value that is withheld is never taken out of a flag: it never gets there.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from flagservice.domain.codes import CODES, NEUTRAL
from flagservice.domain.copies import CopyStatus, Form, Label
from flagservice.domain.elements import Coding, Element, Elements, Value
from flagservice.domain.people import Phase
from flagservice.policy.rows import PlacementAction
from flagservice.policy.ruling import Ruling

Status = Literal[CopyStatus.ACTIVE, CopyStatus.INACTIVE, CopyStatus.ENTERED_IN_ERROR]
_DOOR: Final = object()


class Disclosure:
    """All that one record may be told, and the labels that go with it."""

    __slots__ = ("form", "labels", "says", "status")
    form: Form
    status: Status
    labels: tuple[Label, ...]
    says: Elements

    def __init__(
        self, *, form: Form, status: Status, labels: tuple[Label, ...], says: Elements, door: object
    ) -> None:
        if door is not _DOOR:
            raise TypeError("a Disclosure is made by policy.disclosure alone")
        for name, value in (
            ("form", form),
            ("status", status),
            ("labels", labels),
            ("says", MappingProxyType(dict(says))),
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: a Disclosure does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name}: a Disclosure does not change")

    @property
    def code(self) -> Coding:
        """The code that it carries. A removal and a request carry one that says nothing."""
        concern = self.says.get(Element.CONCERN)
        if isinstance(concern, Coding):
            return concern
        return CODES["contact-duty-desk"].coding if self.form is Form.REQUEST else NEUTRAL


def disclose(
    ruling: Ruling, said: Elements, *, within: Collection[Element] = tuple(Element)
) -> Disclosure:
    """Builds a disclosure up from nothing: what was said, as far as the ruling discloses it.

    `within` these elements: while a side is asked, no record is told more than it was.
    """
    return disclose_together([ruling], said, within=within)


def disclose_together(
    rulings: Sequence[Ruling],
    said: Elements,
    *,
    within: Collection[Element] = tuple(Element),
    clears: bool = True,
) -> Disclosure:
    """Builds one disclosure for all that stands behind one flag: what every ruling discloses.

    So an element that is withheld for one ground is not told because of another. Its labels are the
    strictest. What has ended carries the code that ends it only where it `clears`: another flag may
    still say what that code denies. Raises ValueError for what cannot be one flag.
    """
    if not all(ruling.remains for ruling in rulings):
        raise ValueError("nothing is told in this case: see removal()")
    one = max(rulings, key=_is_very_restricted)
    if any(_sort(ruling) != _sort(one) for ruling in rulings):
        raise ValueError("one flag has one form, one code and one phase")
    known: Mapping[Element, Value] = {**said, Element.CONCERN: _concern(one, clears=clears)}
    return Disclosure(
        form=form_of(one),
        status=CopyStatus.ACTIVE if one.case.phase is Phase.OPEN else CopyStatus.INACTIVE,
        labels=one.placement.labels,
        says={
            element: known[element]
            for element in disclosed_by_all(rulings)
            if element in known and element in within
        },
        door=_DOOR,
    )


def disclosed_by_all(rulings: Sequence[Ruling]) -> tuple[Element, ...]:
    """Returns the elements that every ruling discloses, in the vocabulary's order."""
    first, *others = (ruling.disclosed for ruling in rulings)
    return tuple(element for element in first if all(element in other for other in others))


def _is_very_restricted(ruling: Ruling) -> bool:
    return Label.VERY_RESTRICTED in ruling.placement.labels


def _sort(ruling: Ruling) -> tuple[Form, str | None, Phase]:
    return form_of(ruling), ruling.placement.code, ruling.case.phase


def form_of(ruling: Ruling) -> Form:
    """Returns a flag, or the task for the practice's safeguarding lead in its place."""
    return Form.REQUEST if ruling.placement.action is PlacementAction.REQUEST else Form.FLAG


def removal(form: Form, labels: tuple[Label, ...], *, in_error: bool = False) -> Disclosure:
    """Returns what takes a copy back: status, labels and a neutral code. Nothing that was said."""
    status: Status = CopyStatus.ENTERED_IN_ERROR if in_error else CopyStatus.INACTIVE
    return Disclosure(form=form, status=status, labels=labels, says={}, door=_DOOR)


def _concern(ruling: Ruling, *, clears: bool) -> Coding:
    row = ruling.placement
    ended_by = row.end_code if ruling.case.phase is Phase.ENDED and clears else None
    return CODES[str(ended_by or row.code)].coding
