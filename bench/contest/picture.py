"""The contest as a picture: for every load and arm a point for each kernel, with its interval. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bench.contest.arms import DEFAULTS, MEMADVISOR
from bench.contest.judge import MEASURES, cell, compare, kernels, rivals
from bench.contest.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.contest.judge import Comparison

Record = dict[str, Any]

PANELS = ("mean", "p99", "allocstall", "available")
"""What is drawn, side by side."""

_LEFT, _TOP, _WIDTH, _GAP = 190, 44, 190, 22
_LINE, _SPACE = 17, 14
_REACH = 8.0
"""The axes go from 1/8 to 8 times the defaults; what lies beyond is drawn at the edge."""
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#57606a}.h{font-weight:600}.e{text-anchor:end}.m{text-anchor:middle}"
    ".g{stroke:#8b949e;stroke-opacity:.3}.z{stroke:#8b949e}.o{stroke:#8b949e;fill:#8b949e}.u{stroke:#d0762b;fill:#d0762b}"
    ".i{stroke-width:1.3;stroke-opacity:.6}.t{fill:#d0762b;font-weight:600}"
    "@media(prefers-color-scheme:dark){text{fill:#adbac7}.t{fill:#e09b5c}}"
)


def svg(records: Sequence[Record]) -> str:
    """Ratios to the kernel's defaults on a logarithmic scale; our arm in a colour of its own."""
    rows = list(_rows())
    height = _TOP + rows[-1][2] + _LINE + 30
    width = _LEFT + len(PANELS) * (_WIDTH + _GAP)
    parts = [part for number, name in enumerate(PANELS) for part in _panel(records, name, _left(number), rows)]
    parts += [_label(arm, _TOP + y) for _, arm, y in rows]
    parts += [f'<text class="h" x="4" y="{_TOP + y - _LINE + 4}">{_title(load)}</text>' for load, y in _heads(rows)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">'
    title = "<title>Every arm against the kernel's defaults, by load and kernel, with 95 % intervals</title>"
    return "\n".join([head, title, f"<style>{_STYLE}</style>", *parts, "</svg>\n"])


def _rows() -> Iterator[tuple[str, str, int]]:
    """Load, arm and height of every line."""
    y = _LINE
    for load in WORKLOADS:
        for arm in rivals():
            yield load, arm, y
            y += _LINE
        y += _LINE + _SPACE


def _heads(rows: Sequence[tuple[str, str, int]]) -> Iterator[tuple[str, int]]:
    first = rivals()[0]
    return ((load, y) for load, arm, y in rows if arm == first)


def _title(load: str) -> str:
    return f"{load} (held out)" if WORKLOADS[load].held_out else load


def _label(arm: str, y: float) -> str:
    style = "e t" if arm == MEMADVISOR else "e"
    return f'<text class="{style}" x="{_LEFT - 10}" y="{y + 4}">{arm}</text>'


def _left(number: int) -> float:
    return _LEFT + number * (_WIDTH + _GAP)


def _x(left: float, ratio: float) -> float:
    share = math.log(min(max(ratio, 1 / _REACH), _REACH)) / math.log(_REACH)
    return left + _WIDTH * (1 + share) / 2


def _panel(records: Sequence[Record], name: str, left: float, rows: Sequence[tuple[str, str, int]]) -> list[str]:
    measure = MEASURES[name]
    bottom = _TOP + rows[-1][2] + _LINE / 2
    better = "more is better" if measure.more else "less is better"
    parts = [f'<text class="h m" x="{left + _WIDTH / 2}" y="14">{measure.name.rsplit(", ", 1)[0]}</text>']
    parts += [f'<text class="m" x="{left + _WIDTH / 2}" y="28">× the defaults; {better}</text>']
    for ratio in (0.125, 0.25, 0.5, 1, 2, 4, 8):
        x, style = _x(left, ratio), "z" if ratio == 1 else "g"
        parts.append(f'<path class="{style}" d="M{x:.1f} {_TOP}V{bottom}"/>')
        parts.append(f'<text class="m" x="{x:.1f}" y="{bottom + 14}">{ratio:g}</text>')
    for load, arm, y in rows:
        for number, kernel in enumerate(kernels(records)):
            found = compare(measure, cell(records, kernel, load, DEFAULTS), cell(records, kernel, load, arm))
            if found:
                parts.append(_point(left, _TOP + y + 4 * (number - 1), arm, found))
    return parts


def _point(left: float, y: float, arm: str, found: Comparison) -> str:
    style = "u" if arm == MEMADVISOR else "o"
    low, middle, high = (_x(left, one) for one in (found.low, found.ratio, found.high))
    line = f'<path class="{style} i" d="M{low:.1f} {y}H{high:.1f}"/>'
    return f'{line}<circle class="{style}" cx="{middle:.1f}" cy="{y}" r="2"/>'
