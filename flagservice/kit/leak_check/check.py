"""The check from beginning to end.

0. An ordinary entry is pushed to each twin, and must show on the patient's side: see `control`.
1. Both twins are crawled twice: they must be alike, and their answers must stay as they are.
2. Flags are filed on one, and a clinician must see them.
3. Both are crawled again, and what was filed is guessed at by its id.
4. The label is spelt as other systems hand it on, and what a label decides is asked again.
5. All is taken back, and both are crawled for the last time.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flagservice.kit.leak_check.config import FhirEndpoint, SupplierSystem, Twin
from flagservice.kit.leak_check.control import control
from flagservice.kit.leak_check.crawl.client import CrawlClient, Unanswered
from flagservice.kit.leak_check.crawl.reader import Doubtful, TwinReader, by_label
from flagservice.kit.leak_check.crawl.requests import (
    NOPAT_SYSTEMS,
    CrawlRequest,
    CrawlScope,
    guesses,
    plan,
)
from flagservice.kit.leak_check.crawl.transcript import Transcript
from flagservice.kit.leak_check.differences.collected import CollectedSigns
from flagservice.kit.leak_check.differences.likeness import Crawl, Noise, OwnValues
from flagservice.kit.leak_check.differences.naming import (
    CrawlDifference,
    FilingStage,
    ReaderRole,
    named,
)
from flagservice.kit.leak_check.filing import (
    FiledCopy,
    NotFiled,
    PracticeClient,
    copies,
    spelt,
    taken_back,
)
from flagservice.kit.leak_check.result import CrawlExtent, LeakCheckOutcome

_GUESSED = 2
_MOMENT = 0.01
_WHOLE, _BY_LABEL = 4, 2
"""How often a reader's whole list is asked, and how often the part where a label decides."""


@dataclass
class LeakCheck:
    """One run."""

    system: SupplierSystem
    records: PracticeClient
    pairs: Sequence[tuple[TwinReader, TwinReader]]
    noise: Noise
    tell: Callable[[str], None]
    differences: list[CrawlDifference] = field(default_factory=list)

    def go(self, flags: list[FiledCopy]) -> None:
        """Does everything in order; raises Doubtful, Unanswered or NotFiled."""
        # 1
        since = _a_second_that_begins()
        for flagged, plain in self.pairs:
            self.tell(f"the twins are crawled before the flag, as their {flagged.role}")
            self._look_first(flagged, plain, since=since)
        # 2
        self.tell(f"{len(flags)} flags and requests are filed on one of them")
        filed = self.records.file(flags)
        # 3
        self._look_again(FilingStage.FILED)
        self._guess(filed, FilingStage.FILED)
        # 4
        for stage, system in zip(
            (FilingStage.STU3, FilingStage.OID), NOPAT_SYSTEMS[1:], strict=True
        ):
            filed = self.records.file(spelt(filed, system=system))
            self._look_again(stage)
        # 5
        filed = self.records.file(taken_back(filed))
        self._look_again(FilingStage.TAKEN_BACK)
        self._guess(filed, FilingStage.TAKEN_BACK)

    @property
    def planned(self) -> int:
        """Returns how many requests the lists hold, without pages, files and guesses."""
        return sum(_planned(reader.requests) for pair in self.pairs for reader in pair)

    def _look_first(self, flagged: TwinReader, plain: TwinReader, *, since: str) -> None:
        flagged.look_first(self.noise, since=since)
        plain.look_first(self.noise, since=since)
        twins = CollectedSigns()
        twins.note_twins(plain.alike(plain.before), flagged.alike(flagged.before))
        if twins:
            raise Doubtful("the twins differ already, before anything was filed")

    def _look_again(self, stage: FilingStage) -> None:
        """Compares each twin with its earlier answers, and the flagged twin with the other."""
        time.sleep(self.system.pause.total_seconds())
        whole = stage in (FilingStage.FILED, FilingStage.TAKEN_BACK)
        for flagged, plain in self.pairs:
            self.tell(f"crawled again, {stage}, as the {flagged.role}")
            met, other = (one.again(self.noise, whole=whole) for one in (flagged, plain))
            found = CollectedSigns()
            found.note(flagged.known(whole=whole), met, own=flagged.own)
            found.note_twins(plain.alike(other), flagged.alike(met))
            found.note(plain.known(whole=whole), other, own=plain.own)
            self.differences += found.differences(flagged.role, stage)

    def _guess(self, filed: list[FiledCopy], stage: FilingStage) -> None:
        """Asks for a hidden id and for one that does not exist: the answers must be the same."""
        for reader in (one for pair in self.pairs for one in pair):
            for one in _a_few(filed):
                nobody, found = one.nobody(), CollectedSigns()
                own = OwnValues.same((one.id, nobody.id), (one.value, nobody.value))
                found.note(
                    self._guessed(reader.client, nobody, own),
                    self._guessed(reader.client, one, own),
                )
                self.differences += found.differences(reader.role, stage)

    def _guessed(self, client: CrawlClient, one: FiledCopy, own: OwnValues) -> Crawl:
        requests = guesses(one.kind, one.id, identifier=one.identifier)
        return own.crawl(self.noise.out_of(client.crawl(requests)))


def fewest() -> int:
    """Returns how many requests are planned for two readers of a system that offers nothing."""
    return 2 * _planned(plan(CrawlScope({}, (), "", (), datetime.now(UTC).isoformat())))


def _planned(requests: Sequence[CrawlRequest]) -> int:
    return _WHOLE * len(requests) + _BY_LABEL * sum(map(by_label, requests))


def run(
    system: SupplierSystem,
    *,
    examples: Path,
    now: datetime,
    transcript: Transcript | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> LeakCheckOutcome:
    """Returns the outcome of a check; a fault of the system is a doubt, never a pass."""
    kept = transcript or Transcript()
    flags = copies(examples, nhs_number=system.flagged.nhs_number)
    doubts: list[str] = []
    with _at(system, kept) as (records, pairs):
        check = LeakCheck(system, records, pairs, Noise(system.pause / 2), tell)
        tell("an ordinary entry is pushed to each twin, and looked for on the patient's side")
        shown, unshown = control(system, records, readers=pairs[0], like=flags[0])
        try:
            check.go(flags)
        except (Doubtful, NotFiled) as doubt:
            doubts.append(str(doubt))
        except Unanswered as fault:
            doubts.append(f"the patient's side did not answer: {fault}")
    findings = tuple(named(check.differences))
    extent = CrawlExtent(kept.requests, check.planned, kept.digest)
    return LeakCheckOutcome(system, now, findings, (*doubts, *unshown), extent, shown)


@contextmanager
def _at(
    system: SupplierSystem, transcript: Transcript
) -> Iterator[tuple[PracticeClient, list[tuple[TwinReader, TwinReader]]]]:
    roles = [ReaderRole.PATIENT, *([ReaderRole.PROXY] if system.flagged.proxy_token else [])]

    def reader_of(twin: Twin, role: ReaderRole) -> TwinReader:
        token = twin.token if role is ReaderRole.PATIENT else twin.proxy_token
        endpoint = FhirEndpoint(system.patient_base, token)
        return TwinReader(role, twin, CrawlClient(endpoint, role, transcript))

    pairs = [(reader_of(system.flagged, one), reader_of(system.plain, one)) for one in roles]
    records = PracticeClient(system)
    try:
        yield records, pairs
    finally:
        records.close()
        for pair in pairs:
            for one in pair:
                one.client.close()


def _a_second_that_begins() -> str:
    """Returns an instant that is later than every entry, also in a system of whole seconds."""
    until_it_begins = 1 - datetime.now(UTC).microsecond / 1_000_000
    time.sleep(until_it_begins + _MOMENT)
    return datetime.now(UTC).isoformat(timespec="seconds")


def _a_few(filed: list[FiledCopy]) -> list[FiledCopy]:
    """Returns some of each type: an answer to a guess does not depend on what a flag says."""
    kinds = sorted({one.kind for one in filed})
    return [one for kind in kinds for one in [f for f in filed if f.kind == kind][:_GUESSED]]
