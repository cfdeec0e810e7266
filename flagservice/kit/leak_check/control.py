"""The positive control: is the patient's side that is crawled the one where what is pushed shows?

A stub that knows nothing of the twins would be as clean as a system that hides their flags. So,
before the crawl, each twin is sent a resource shaped as a flag, and labelled as normal instead of
NOPAT. It must show on the patient's side after the pause of a filing; taken back, it must be gone.
A system that shows patients no flags at all is sent a Condition instead: that shows the path,
though not that a label decides.

It cannot see a system that knows the twins by their numbers, or this control by its words; one that
publishes flags later than the pause, or by a way of their own (a feed that carries NOPAT and not
the rest); and one that leaks in service what it hides in test.
"""

import secrets
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from flagservice.kit.leak_check.config import SupplierSystem, Twin
from flagservice.kit.leak_check.crawl.client import Unanswered
from flagservice.kit.leak_check.crawl.reader import TwinReader
from flagservice.kit.leak_check.crawl.requests import CrawlRequest, Door, Json
from flagservice.kit.leak_check.filing import (
    NHS_NUMBER,
    FiledCopy,
    NotFiled,
    PracticeClient,
    taken_back_in_error,
)

NOT_SHOWN: Final = (
    "control not shown: an ordinary entry that was pushed does not appear on the patient's side"
)
NOT_REMOVED: Final = (
    "control not removed: an ordinary entry that was taken back stays on the patient's side"
)
_NORMAL: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "code": "N",
    "display": "normal",
}
_ADJUSTMENT: Final = {"text": "Needs letters in large print"}
_ASTHMA: Final = {"text": "Asthma"}


class ControlKind(StrEnum):
    """The type of the control that showed."""

    FLAG = "Flag"
    CONDITION = "Condition"
    NONE = "none"


_TRIED: Final = (ControlKind.FLAG, ControlKind.CONDITION)


def control(
    system: SupplierSystem,
    records: PracticeClient,
    *,
    readers: Sequence[TwinReader],
    like: FiledCopy,
) -> tuple[ControlKind, tuple[str, ...]]:
    """Returns what showed on the patients' side, and the doubts; the entry has the shape of `like`.

    It raises nothing: a control that cannot be pushed or looked for has not shown.
    """
    for kind in _TRIED:
        sent = [(reader, _ordinary(kind, like, twin=reader.twin)) for reader in readers]
        try:
            for _, one in sent:
                records.push(one)
            time.sleep(system.pause.total_seconds())
            is_there = all(_shows(reader, one) for reader, one in sent)
            for _, one in sent:
                records.push(taken_back_in_error(one))
            time.sleep(system.pause.total_seconds())
            is_gone = not any(_shows(reader, one) for reader, one in sent)
        except (NotFiled, Unanswered):
            continue
        if is_there:
            return kind, () if is_gone else (NOT_REMOVED,)
    return ControlKind.NONE, (NOT_SHOWN,)


def _ordinary(kind: ControlKind, like: FiledCopy, *, twin: Twin) -> FiledCopy:
    person = {"type": "Patient", "identifier": {"system": NHS_NUMBER, "value": twin.nhs_number}}
    identifiers = [one | {"value": secrets.token_hex(16)} for one in like.sent["identifier"]]
    mark = {"versionId": identifiers[1]["value"], "security": [_NORMAL]}
    same = {
        "resourceType": str(kind),
        "meta": {**like.sent["meta"], **mark},
        "identifier": identifiers,
        "subject": person,
    }
    if kind is ControlKind.FLAG:
        return FiledCopy({**same, "status": "active", "code": _ADJUSTMENT})
    return FiledCopy({**same, "meta": mark, "code": _ASTHMA})


def _shows(reader: TwinReader, one: FiledCopy) -> bool:
    request = CrawlRequest(Door.SEARCH, one.kind, one.kind)
    met: list[Json] = [exchange.answer.body for exchange in reader.client.crawl([request])]
    return any(one.value in str(body) for body in met)
