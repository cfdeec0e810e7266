"""Every answer that a policy can give: each case and element, for each reader."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flagservice.policy.case import Case, every_case
from flagservice.policy.readers import Reader
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.policy.table import Policy


@dataclass(frozen=True)
class AnswerSheet:
    """The answers for some readers whom the policy's rules do not tell apart."""

    readers: tuple[Reader, ...]
    answers: Mapping[Case, Ruling]

    @property
    def cells(self) -> int:
        """How many answers it holds, counted for each of its readers."""
        return len(self.readers) * sum(len(ruling.elements) for ruling in self.answers.values())


@dataclass(frozen=True)
class AnswerSheets:
    """A policy's whole space."""

    policy: Policy
    sheets: tuple[AnswerSheet, ...]

    @property
    def of_practice(self) -> Mapping[Case, Ruling]:
        """What the practice's clinicians are told. Nothing else leaves the service."""
        return next(s.answers for s in self.sheets if Reader.PRACTICE in s.readers)

    def by_reader(self) -> Mapping[Reader, Mapping[Case, Ruling]]:
        """Returns the answers for each reader."""
        return {reader: sheet.answers for sheet in self.sheets for reader in sheet.readers}

    def each(self) -> Iterator[tuple[tuple[Reader, ...], Ruling]]:
        """Yields every ruling, with the readers whom it is for."""
        for sheet in self.sheets:
            for ruling in sheet.answers.values():
                yield sheet.readers, ruling


def every_answer(policy: Policy) -> AnswerSheets:
    """Returns the whole space. Readers whom the same rules are about share their answers."""
    alike: dict[tuple[bool, ...], list[Reader]] = {}
    for reader in Reader:
        alike.setdefault(tuple(reader in r.readers for r in policy.disclosures), []).append(reader)
    return AnswerSheets(policy, tuple(_sheet(policy, readers) for readers in alike.values()))


def _sheet(policy: Policy, readers: list[Reader]) -> AnswerSheet:
    answers = {case: rule_on(policy, case, reader=readers[0]) for case in every_case(policy.kind)}
    return AnswerSheet(tuple(readers), answers)
