"""Collects what differs between crawls, by request line."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from flagservice.kit.leak_check.crawl.client import Exchange
from flagservice.kit.leak_check.crawl.requests import Ask, Door
from flagservice.kit.leak_check.differences.compare import Sign, Sort, signs
from flagservice.kit.leak_check.differences.likeness import Crawl, Own
from flagservice.kit.leak_check.differences.naming import Difference, Reader, Wave


@dataclass
class Found:
    """Every sign for every request line, once, from however many comparisons."""

    _asks: dict[str, Ask] = field(default_factory=dict)
    _signs: dict[str, set[Sign]] = field(default_factory=dict)

    def note(self, expected: Crawl, met: Crawl, *, own: Own | None = None) -> None:
        """Compares two crawls of one twin, as they are; a line is told without the twin's `own`."""
        self._compare(expected, met, own=own, twins=False)

    def note_twins(self, expected: Crawl, met: Crawl) -> None:
        """Compares the crawls of two twins, each without its own."""
        self._compare(expected, met, own=None, twins=True)

    def _compare(self, expected: Crawl, met: Crawl, *, own: Own | None, twins: bool) -> None:
        """Whole: also what only one of them was led to."""
        for line in {**expected, **met}:
            if line in expected and line in met:
                held = signs(expected[line].answer, met[line].answer, twins=twins)
            else:
                held = _only_one(met.get(line) or expected[line])
            if held:
                ask = (met.get(line) or expected[line]).ask
                told = own.text(line) if own else line
                self._asks[told] = replace(ask, target=own.text(ask.target)) if own else ask
                self._signs.setdefault(told, set()).update(held)

    def __bool__(self) -> bool:
        return bool(self._signs)

    def differences(self, reader: Reader, wave: Wave) -> Iterable[Difference]:
        """What was collected, with who read and when."""
        for line, held in self._signs.items():
            in_order = tuple(sorted(held, key=lambda sign: (sign.sort, sign.of, sign.inside)))
            yield Difference(line, self._asks[line], in_order, reader, wave)


def _only_one(exchange: Exchange) -> list[Sign]:
    """A page more, or a file of an export more, is a sign in itself."""
    if exchange.ask.door is Door.EXPORT:
        return [Sign(Sort.NEW, exchange.step.removeprefix("file ").partition(" ")[0])]
    return [Sign(Sort.LINK)]
