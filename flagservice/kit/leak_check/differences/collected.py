"""Collects what differs between crawls, by request line."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from flagservice.kit.leak_check.crawl.client import CrawlExchange
from flagservice.kit.leak_check.crawl.requests import CrawlRequest, Door
from flagservice.kit.leak_check.differences.compare import Sign, SignKind, signs
from flagservice.kit.leak_check.differences.likeness import Crawl, OwnValues
from flagservice.kit.leak_check.differences.naming import CrawlDifference, FilingStage, ReaderRole


@dataclass
class CollectedSigns:
    """Every sign, once for each request line, from any number of comparisons."""

    _asks: dict[str, CrawlRequest] = field(default_factory=dict)
    _signs: dict[str, set[Sign]] = field(default_factory=dict)

    def note(self, expected: Crawl, met: Crawl, *, own: OwnValues | None = None) -> None:
        """Compares two crawls of one twin; a line is told without the twin's `own` values."""
        self._compare(expected, met, own=own, twins=False)

    def note_twins(self, expected: Crawl, met: Crawl) -> None:
        """Compares the crawls of two twins, each without its own values."""
        self._compare(expected, met, own=None, twins=True)

    def _compare(self, expected: Crawl, met: Crawl, *, own: OwnValues | None, twins: bool) -> None:
        for line in {**expected, **met}:
            if line in expected and line in met:
                held = signs(expected[line].answer, met[line].answer, twins=twins)
            else:
                held = _only_one(met.get(line) or expected[line])
            if held:
                request = (met.get(line) or expected[line]).request
                told = own.text(line) if own else line
                self._asks[told] = (
                    replace(request, target=own.text(request.target)) if own else request
                )
                self._signs.setdefault(told, set()).update(held)

    def __bool__(self) -> bool:
        return bool(self._signs)

    def differences(self, reader: ReaderRole, stage: FilingStage) -> Iterable[CrawlDifference]:
        """Yields what was collected, with who read it and when."""
        for line, held in self._signs.items():
            in_order = tuple(sorted(held, key=lambda sign: (sign.kind, sign.of, sign.inside)))
            yield CrawlDifference(line, self._asks[line], in_order, reader, stage)


def _only_one(exchange: CrawlExchange) -> list[Sign]:
    """Returns the sign of a page, or of an export's file, that only one crawl has."""
    if exchange.request.door is Door.EXPORT:
        return [Sign(SignKind.NEW, exchange.step.removeprefix("file ").partition(" ")[0])]
    return [Sign(SignKind.LINK)]
