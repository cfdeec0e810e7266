"""Draws the results: a bar for each row, as long as its value is in parts of its target."""

from collections.abc import Iterator
from html import escape

from tests.benchmarks.results import ABOVE, Results, Row

_WIDTH, _LEFT, _TOP, _STEP, _BAR = 1000, 400, 84, 28, 16
_MARK = 120
"""From the left end of a bar to its target; a bar ends at two and a half times that."""
_MOST = 2.5
_KEY = "{day}: {met} met. A bar is the median in parts of its target; the stroke is the target."
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.paper { fill: #ffffff } .title { font-size: 17px; font-weight: 600 } .small { font-size: 12px }
.met { fill: #1a7f37 } .missed { fill: #bc4c00 } .mark { stroke: #1f2328; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .paper { fill: #0d1117 } .mark { stroke: #e6edf3 }
.met { fill: #3fb950 } .missed { fill: #f0883e }
}
"""


def drawn(results: Results) -> str:
    """The whole picture; the same results are the same bytes."""
    caption = list(_wrapped(results.caption))
    height = _TOP + _STEP * len(results.rows) + 18 * len(caption) + 16
    met = f"{sum(row.met for row in results.rows)} of {len(results.rows)}"
    told = "; ".join(f"{_label(row)}: {_value(row)}, {row.verdict}" for row in results.rows)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"',
        f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="title desc">',
        '<title id="title">How fast the service is, beside its targets</title>',
        f'<desc id="desc">{escape(told)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
        '<text class="title" x="20" y="32">How fast, beside its targets</text>',
        f'<text class="small" x="20" y="54">{escape(_KEY.format(day=results.day, met=met))}</text>',
        *(line for place, row in enumerate(results.rows) for line in _bar(place, row)),
        *_footer(caption, top=_TOP + _STEP * len(results.rows)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bar(place: int, row: Row) -> Iterator[str]:
    top, middle = _TOP + place * _STEP, _TOP + place * _STEP + 13
    long = round(min(row.value / row.target, _MOST) * _MARK, 1)
    mark = _LEFT + _MARK
    yield f'<text x="{_LEFT - 12}" y="{middle}" text-anchor="end">{escape(_label(row))}</text>'
    kind = "met" if row.met else "missed"
    yield f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{long}" height="{_BAR}" rx="2"/>'
    yield f'<path class="mark" d="M{mark} {top - 4}V{top + _BAR + 4}"/>'
    said = f"{_value(row)}: {row.verdict}"
    yield f'<text x="{_LEFT + _MARK * _MOST + 12:.0f}" y="{middle}">{escape(said)}</text>'


def _label(row: Row) -> str:
    return f"{row.work}, {row.database}"


def _value(row: Row) -> str:
    middle, aim = row.cells()[4].partition(" (")[0], row.cells()[5]
    sign = "≥" if row.bound == ABOVE else "≤"
    return f"{middle} ({sign} {aim.removeprefix(row.bound).strip()})"


def _footer(caption: list[str], *, top: int) -> Iterator[str]:
    for place, line in enumerate(caption):
        yield f'<text class="small" x="20" y="{top + 18 * (place + 1)}">{escape(line)}</text>'


def _wrapped(text: str, width: int = 145) -> Iterator[str]:
    line = ""
    for word in text.split():
        if len(line) + len(word) > width:
            yield line
            line = ""
        line = f"{line} {word}".strip()
    yield line
