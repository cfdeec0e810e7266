"""One row of the table: what was measured, against what, and whether it reached its target."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
DATA, CHART = HERE / "results.json", HERE / "results.svg"
BELOW, ABOVE = "at most", "at least"


@dataclass(frozen=True)
class Row:
    """A value for each round, and the target that their median has to reach."""

    work: str
    database: str
    ours: str
    against: str
    values: Sequence[float]
    target: float
    bound: str = ABOVE
    unit: str = ""
    failed: int = 0

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.values)

    @property
    def met(self) -> bool:
        """Nothing failed, and the median is on the right side."""
        reached = self.value >= self.target if self.bound == ABOVE else self.value <= self.target
        return reached and not self.failed

    @property
    def verdict(self) -> str:
        """Met, or missed and by how much."""
        if self.met:
            return "met"
        if self.failed:
            return f"missed: {self.failed:,} failed"
        return f"missed by {abs(self.value - self.target) / self.target:.0%}"

    def cells(self) -> tuple[str, ...]:
        """As it stands in the table."""
        spread = f"{_short(min(self.values))} to {_short(max(self.values))}"
        spread = spread if len(self.values) > 1 else "measured once"
        middle = f"{_short(self.value)}{self.unit} ({spread})"
        aim = f"{self.bound} {_short(self.target)}{self.unit}"
        return self.work, self.database, self.ours, self.against, middle, aim, self.verdict


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


@dataclass(frozen=True)
class Results:
    """Every row of one run, when it was, and what has to be known of it."""

    day: str
    caption: str
    rows: Sequence[Row]

    def keep(self, path: Path = DATA) -> None:
        """With all rounds."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def kept(path: Path = DATA) -> Results:
    """The results of the last run that was kept."""
    read = json.loads(path.read_text("utf-8"))
    return Results(read["day"], read["caption"], [Row(**row) for row in read["rows"]])
