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

from flagservice.kit.leak_check.config import Place, System, Twin
from flagservice.kit.leak_check.control import control
from flagservice.kit.leak_check.crawl.client import Face, Unanswered
from flagservice.kit.leak_check.crawl.reader import Doubtful, Watch, by_label
from flagservice.kit.leak_check.crawl.requests import NOPAT_SYSTEMS, Ask, Known, guesses, plan
from flagservice.kit.leak_check.crawl.transcript import Transcript
from flagservice.kit.leak_check.differences.collected import Found
from flagservice.kit.leak_check.differences.likeness import Crawl, Noise, Own
from flagservice.kit.leak_check.differences.naming import Difference, Reader, Wave, named
from flagservice.kit.leak_check.filing import Filed, NotFiled, Records, copies, spelt, taken_back
from flagservice.kit.leak_check.result import Asked, Outcome

_GUESSED = 2
_MOMENT = 0.01
_WHOLE, _BY_LABEL = 4, 2
"""How often the whole list of a reader is asked, and how often the part where a label decides."""


@dataclass
class Check:
    """One run under way."""

    system: System
    records: Records
    pairs: Sequence[tuple[Watch, Watch]]
    noise: Noise
    tell: Callable[[str], None]
    differences: list[Difference] = field(default_factory=list)

    def go(self, flags: list[Filed]) -> None:
        """Everything in order; raises Doubtful, Unanswered or NotFiled."""
        # 1
        since = _a_second_that_begins()
        for flagged, plain in self.pairs:
            self.tell(f"the twins are crawled before the flag, as their {flagged.reader}")
            self._look_first(flagged, plain, since=since)
        # 2
        self.tell(f"{len(flags)} flags and requests are filed on one of them")
        filed = self.records.file(flags)
        # 3
        self._look_again(Wave.FILED)
        self._guess(filed, Wave.FILED)
        # 4
        for wave, system in zip((Wave.STU3, Wave.OID), NOPAT_SYSTEMS[1:], strict=True):
            filed = self.records.file(spelt(filed, system=system))
            self._look_again(wave)
        # 5
        filed = self.records.file(taken_back(filed))
        self._look_again(Wave.TAKEN_BACK)
        self._guess(filed, Wave.TAKEN_BACK)

    @property
    def planned(self) -> int:
        """How many requests the lists alone come to, without pages, files and guesses."""
        return sum(_planned(watch.asks) for pair in self.pairs for watch in pair)

    def _look_first(self, flagged: Watch, plain: Watch, *, since: str) -> None:
        flagged.look_first(self.noise, since=since)
        plain.look_first(self.noise, since=since)
        twins = Found()
        twins.note_twins(plain.alike(plain.before), flagged.alike(flagged.before))
        if twins:
            raise Doubtful("the twins differ already, before anything was filed")

    def _look_again(self, wave: Wave) -> None:
        """A against what it was, A against B, and B against what it was: it may show elsewhere."""
        time.sleep(self.system.pause.total_seconds())
        whole = wave in (Wave.FILED, Wave.TAKEN_BACK)
        for flagged, plain in self.pairs:
            self.tell(f"crawled again, {wave}, as the {flagged.reader}")
            met, other = (one.again(self.noise, whole=whole) for one in (flagged, plain))
            found = Found()
            found.note(flagged.known(whole=whole), met, own=flagged.own)
            found.note_twins(plain.alike(other), flagged.alike(met))
            found.note(plain.known(whole=whole), other, own=plain.own)
            self.differences += found.differences(flagged.reader, wave)

    def _guess(self, filed: list[Filed], wave: Wave) -> None:
        """Whoever knows a hidden thing's id is told what is told of an id that nobody has."""
        for watch in (one for pair in self.pairs for one in pair):
            for one in _a_few(filed):
                nobody, found = one.nobody(), Found()
                own = Own.same((one.id, nobody.id), (one.value, nobody.value))
                found.note(
                    self._guessed(watch.face, nobody, own), self._guessed(watch.face, one, own)
                )
                self.differences += found.differences(watch.reader, wave)

    def _guessed(self, face: Face, one: Filed, own: Own) -> Crawl:
        asks = guesses(one.kind, one.id, identifier=one.identifier)
        return own.crawl(self.noise.out_of(face.crawl(asks)))


def fewest() -> int:
    """What a check of two readers, of a system that offers nothing and holds nothing, plans."""
    return 2 * _planned(plan(Known({}, (), "", (), datetime.now(UTC).isoformat())))


def _planned(asks: Sequence[Ask]) -> int:
    return _WHOLE * len(asks) + _BY_LABEL * sum(map(by_label, asks))


def run(
    system: System,
    *,
    examples: Path,
    now: datetime,
    transcript: Transcript | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Checks a system; whatever goes wrong with it is a doubt in the outcome, never a pass."""
    kept = transcript or Transcript()
    flags = copies(examples, nhs_number=system.flagged.nhs_number)
    doubts: list[str] = []
    with _at(system, kept) as (records, pairs):
        check = Check(system, records, pairs, Noise(system.pause / 2), tell)
        tell("an ordinary entry is pushed to each twin, and looked for on the patient's side")
        shown, unshown = control(system, records, watches=pairs[0], like=flags[0])
        try:
            check.go(flags)
        except (Doubtful, NotFiled) as doubt:
            doubts.append(str(doubt))
        except Unanswered as fault:
            doubts.append(f"the patient's side did not answer: {fault}")
    findings = tuple(named(check.differences))
    asked = Asked(kept.requests, check.planned, kept.digest)
    return Outcome(system, now, findings, (*doubts, *unshown), asked, shown)


@contextmanager
def _at(
    system: System, transcript: Transcript
) -> Iterator[tuple[Records, list[tuple[Watch, Watch]]]]:
    readers = [Reader.PATIENT, *([Reader.PROXY] if system.flagged.proxy_token else [])]

    def watch(twin: Twin, reader: Reader) -> Watch:
        token = twin.token if reader is Reader.PATIENT else twin.proxy_token
        return Watch(reader, twin, Face(Place(system.patient_base, token), reader, transcript))

    pairs = [(watch(system.flagged, one), watch(system.plain, one)) for one in readers]
    records = Records(system)
    try:
        yield records, pairs
    finally:
        records.close()
        for pair in pairs:
            for one in pair:
                one.face.close()


def _a_second_that_begins() -> str:
    """Whatever was entered before is older than this, also where a system rounds to seconds."""
    until_it_begins = 1 - datetime.now(UTC).microsecond / 1_000_000
    time.sleep(until_it_begins + _MOMENT)
    return datetime.now(UTC).isoformat(timespec="seconds")


def _a_few(filed: list[Filed]) -> list[Filed]:
    """Some of each type: an answer to a guess does not depend on what a flag says."""
    kinds = sorted({one.kind for one in filed})
    return [one for kind in kinds for one in [f for f in filed if f.kind == kind][:_GUESSED]]
