"""Small line charts as SVG, both axes logarithmic: a straight line is a power of the size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT, COLUMNS = 300, 210, 2
LEFT, RIGHT, TOP, BOTTOM = 52, 24, 30, 34
_OPENING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11"'
    ' role="img" aria-label="Milliseconds an operation over the number of chunks">'
)
COLOURS = {"ours": "#c2410c", "floor": "#475569"}
DASHES = {"floor": ' stroke-dasharray="5 3"'}


@dataclass(frozen=True)
class Line:
    """A named line of (size, milliseconds)."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One chart."""

    title: str
    lines: Sequence[Line]


def draw(panels: Sequence[Panel]) -> str:
    """Draw the charts side by side."""
    rows = ceil(len(panels) / COLUMNS)
    width, height = COLUMNS * WIDTH, rows * HEIGHT + 24
    parts = [
        _OPENING.format(width=width, height=height),
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_legend(),
    ]
    for number, panel in enumerate(panels):
        x, y = number % COLUMNS * WIDTH, number // COLUMNS * HEIGHT + 24
        parts += [f'<g transform="translate({x} {y})">', *_panel(panel), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _legend() -> Iterator[str]:
    for number, (name, text) in enumerate((("ours", "ragstore"), ("floor", "the same by hand"))):
        x = LEFT + number * 110
        yield f'<path d="M{x} 14h24" stroke="{COLOURS[name]}" stroke-width="2"{DASHES.get(name, "")}/>'
        yield f'<text x="{x + 30}" y="18" fill="#1e293b">{text}</text>'
    yield f'<text x="{LEFT + 262}" y="18" fill="#64748b">milliseconds (p50) over chunks, both logarithmic</text>'


class _Axis:
    """Where a value stands between two places."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = log10(low), log10(high)
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        share = (log10(value) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def _panel(panel: Panel) -> Iterator[str]:
    sizes = sorted({size for line in panel.lines for size, _ in line.points})
    times = [time for line in panel.lines for _, time in line.points]
    low, high = floor(log10(min(times))), ceil(log10(max(times)))
    x = _Axis(sizes[0] / 1.15, sizes[-1] * 1.15, LEFT, WIDTH - RIGHT)
    y = _Axis(10.0**low, 10.0 ** max(high, low + 1), HEIGHT - BOTTOM, TOP)
    yield f'<text x="{LEFT}" y="{TOP - 10}" font-weight="bold" fill="#1e293b">{escape(panel.title)}</text>'
    for power in range(low, max(high, low + 1) + 1):
        at = y(10.0**power)
        yield f'<path d="M{LEFT} {at}H{WIDTH - RIGHT}" stroke="#e2e8f0"/>'
        yield f'<text x="{LEFT - 6}" y="{at + 4}" text-anchor="end" fill="#64748b">{10.0**power:g}</text>'
    for size in sizes:
        yield f'<text x="{x(size)}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="#64748b">{size:,}</text>'
    for line in panel.lines:
        yield from _line(line, x, y)


def _line(line: Line, x: _Axis, y: _Axis) -> Iterator[str]:
    places = [(x(size), y(time)) for size, time in sorted(line.points)]
    path = "L".join(f"{across} {down}" for across, down in places)
    colour = COLOURS[line.name]
    yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{DASHES.get(line.name, "")}/>'
    for across, down in places:
        yield f'<circle cx="{across}" cy="{down}" r="3" fill="{colour}"/>'
