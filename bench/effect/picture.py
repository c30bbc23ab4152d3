"""The records of the series as a picture: every trial a point, the medians a line. Pure."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.effect.table import latency, memory, rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Record = dict[str, Any]

PANELS: tuple[tuple[str, Callable[[Record], float]], ...] = (
    ("tasks that reclaim themselves, stalls/s", rate("allocstall")),
    ("latency of a request, p99 in ms", latency(0.99)),
    ("MemAvailable, MiB", memory("MemAvailable")),
)

_WIDTH, _HEIGHT = 300, 130
_LEFT, _TOP, _GAP = 44, 26, 50
# Read on white and on black: colours of middle lightness, and text that follows the reader's scheme.
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#57606a}.h{font-weight:600}.e{text-anchor:end}.m{text-anchor:middle}"
    ".g{stroke:#8b949e;stroke-opacity:.35}.l{fill:none;stroke:#3b82c4;stroke-width:1.5}.p{fill:#3b82c4;fill-opacity:.55}"
    ".a{stroke:#d0762b;stroke-dasharray:3 3}.t{fill:#d0762b}@media(prefers-color-scheme:dark){text{fill:#adbac7}"
    ".t{fill:#e09b5c}}"
)


class _Frame(NamedTuple):
    """Where a panel lies, and the largest value it shows."""

    left: float
    top: float
    most: float

    def x(self, factor: float) -> float:
        """Factors from 10 to 1000, by their logarithm, with a margin."""
        return self.left + 12 + (_WIDTH - 24) * (math.log10(factor) - 1) / 2

    def y(self, value: float) -> float:
        """From zero up."""
        return self.top + _HEIGHT * (1 - value / self.most)


def svg(records: Sequence[Record]) -> str:
    """Panels below each other, kernels side by side; the same scale for all kernels."""
    trials = [one for one in records if one["what"] == "trial"]
    names = sorted({one["name"] for one in trials}, key=lambda name: [int(part) for part in name.split(".")])
    parts = []
    for row, (title, value) in enumerate(PANELS):
        most = round_up(max((value(one) for one in trials), default=1))
        for column, name in enumerate(names):
            frame = _Frame(_LEFT + column * (_WIDTH + _GAP), _TOP + row * (_HEIGHT + _GAP), most)
            own = [one for one in records if one["name"] == name]
            parts += _panel(frame, f"Linux {name}: {title}", value, own)
    width = _LEFT + len(names) * (_WIDTH + _GAP) - _GAP + 12
    height = _TOP + len(PANELS) * (_HEIGHT + _GAP) - _GAP + 24
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">'
    label = "<title>vm.watermark_scale_factor against stalls, latency and memory given up</title>"
    return "\n".join([head, label, f"<style>{_STYLE}</style>", *parts, "</svg>\n"])


def round_up(value: float) -> float:
    """The end of an axis: not below the value.

    >>> round_up(83.7), round_up(4.2), round_up(0)
    (85.0, 4.5, 1.0)
    """
    if value <= 0:
        return 1.0
    unit = 10 ** math.floor(math.log10(value)) / 2
    return math.ceil(value / unit) * unit


def _panel(frame: _Frame, title: str, value: Callable[[Record], float], records: Sequence[Record]) -> list[str]:
    trials = [one for one in records if one["what"] == "trial"]
    factors = sorted({one["factor"] for one in trials})
    middle = {factor: median(value(one) for one in trials if one["factor"] == factor) for factor in factors}
    line = " ".join(f"{frame.x(factor):.1f},{frame.y(point):.1f}" for factor, point in middle.items())
    dots = [
        f'<circle class="p" cx="{frame.x(one["factor"]):.1f}" cy="{frame.y(value(one)):.1f}" r="2.5"/>'
        for one in trials
    ]
    return [
        f'<text class="h" x="{frame.left}" y="{frame.top - 10}">{title}</text>',
        *_axes(frame, factors),
        *_advice(frame, records),
        f'<polyline class="l" points="{line}"/>',
        *dots,
    ]


def _axes(frame: _Frame, factors: Sequence[int]) -> list[str]:
    parts = []
    for value in (0, frame.most / 2, frame.most):
        y = frame.y(value)
        parts.append(f'<path class="g" d="M{frame.left} {y:.1f}h{_WIDTH}"/>')
        parts.append(f'<text class="e" x="{frame.left - 5}" y="{y + 4:.1f}">{value:g}</text>')
    base = frame.top + _HEIGHT + 15
    return parts + [f'<text class="m" x="{frame.x(one):.1f}" y="{base}">{one}</text>' for one in factors]


# Where the product's advice ends: the factors at which it says no more. The last one bears the name, beside its line.
def _advice(frame: _Frame, records: Sequence[Record]) -> list[str]:
    ends = {one["repeat"]: one["factor"] for one in records if one["what"] == "advice"}
    lines = [f'<path class="a" d="M{frame.x(end):.1f} {frame.top}v{_HEIGHT}"/>' for end in sorted(set(ends.values()))]
    if lines:
        x = frame.x(max(ends.values())) + 5
        lines.append(f'<text class="t" x="{x:.1f}" y="{frame.top + 11}">advice ends</text>')
    return lines
