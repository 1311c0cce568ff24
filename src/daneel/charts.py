"""Charts as SVG, without a script: curves, intervals, bars, scatter plots, heat maps.

Every text that is put in is escaped. Colours and fonts are the page's (`report.css`).
"""

import html
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Characters that HTML forbids or a reader cannot see; tab and line ends stay.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
# Points a curve keeps: more cannot be seen and would only make the page large.
CURVE_POINTS = 240
WIDTH, HEIGHT = 640, 300
BARS_WIDTH = 400.0


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its interval, a row of an interval plot."""

    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart."""

    label: str
    value: float


@dataclass(frozen=True)
class BarChart:
    """Values under one title, from 0 on."""

    title: str
    rows: Sequence[Bar]
    lang: str | None = None
    """Of the labels."""


@dataclass(frozen=True)
class Series:
    """One line of a plot; `dots` marks each point, for series with few."""

    name: str
    points: Sequence[tuple[float, float]]
    dots: bool = False


@dataclass(frozen=True)
class Cloud:
    """One group of named points of a scatter plot: (label, x, y)."""

    name: str
    points: Sequence[tuple[str, float, float]]


@dataclass(frozen=True)
class HeatMap:
    """Values in 0 ... 1 by row and column."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float]]


def escape(text: str) -> str:
    """Text for HTML, in an element or an attribute: inert, valid, and nothing invisible in it."""
    text = text.encode("utf-8", "replace").decode()
    return html.escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers, about `count` of them, from at most `low` to at least `high`."""
    # Equal but for rounding: there is no range to divide.
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        high = low + (abs(low) or 1.0)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _label(value: float, marks: Sequence[float]) -> str:
    """A tick in the fewest digits that tell it from its neighbours."""
    step = marks[1] - marks[0]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    digits += round(step, digits) != round(step, 12)
    return f"{value:,.{digits}f}".replace("-", "−")


def _thin(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Finite points, averaged in groups where there are too many."""
    kept = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    group = math.ceil(len(kept) / CURVE_POINTS)
    means = []
    for i in range(0, len(kept), group or 1):
        part = kept[i : i + group]
        means.append((sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)))
    return means


def _svg(height: float, label: str, content: str, kind: str, width: float = WIDTH) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">'
        f"{content}</svg>"
    )


def curves(series: Sequence[Series], x: str, y: str) -> str:
    """Lines against a common axis."""
    lines = [_thin(s.points) for s in series]
    every = [point for line in lines for point in line] or [(0.0, 0.0)]
    xs = ticks(min(p[0] for p in every), max(p[0] for p in every))
    ys = ticks(min(p[1] for p in every), max(p[1] for p in every))
    left, right, top, bottom = 64.0, WIDTH - 16.0, 34.0, HEIGHT - 56.0

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across = (point[0] - xs[0]) / (xs[-1] - xs[0])
        up = (point[1] - ys[0]) / (ys[-1] - ys[0])
        return left + across * (right - left), bottom - up * (bottom - top)

    parts = []
    for tick in ys:
        at = place((xs[0], tick))[1]
        parts.append(f'<line class="grid" x1="{left:g}" x2="{right:g}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text class="end" x="{left - 8:g}" y="{at + 5:.1f}">{_label(tick, ys)}</text>')
    for tick in xs:
        at = place((tick, ys[0]))[0]
        parts.append(f'<text class="mid" x="{at:.1f}" y="{bottom + 22:g}">{_label(tick, xs)}</text>')
    parts.append(f'<text class="name" x="0" y="16">{escape(y)}</text>')
    parts.append(f'<text class="name mid" x="{(left + right) / 2:g}" y="{HEIGHT - 8:g}">{escape(x)}</text>')
    for number, (one, line) in enumerate(zip(series, lines, strict=True)):
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in map(place, line))
        kind = "" if one.dots else " thin"
        parts.append(f'<polyline class="line c{number % 5}{kind}" points="{path}"/>')
        for point in line if one.dots else []:
            px, py = place(point)
            hint = f"{escape(one.name)}: {point[1]:.4g} at {point[0]:g}"
            parts.append(
                f'<circle class="dot c{number % 5}" cx="{px:.1f}" cy="{py:.1f}" r="4"><title>{hint}</title></circle>'
            )
    return _svg(HEIGHT, f"{y} against {x}", "".join(parts), "chart")


def legend(series: Sequence[Series]) -> str:
    """The names of the lines, with their colours."""
    line = (
        '<svg class="key" viewBox="0 0 26 10" aria-hidden="true"><polyline class="line c{}" points="1,5 25,5"/></svg>'
    )
    return (
        '<p class="legend">'
        + "".join(f"<span>{line.format(i % 5)}{escape(s.name)}</span>" for i, s in enumerate(series))
        + "</p>"
    )


def _mark(group: int, x: float, y: float) -> str:
    """Filled dots in five colours, then rings in the same five."""
    kind = "dot" if group // 5 % 2 == 0 else "ring"
    return f'<circle class="{kind} c{group % 5}" cx="{x:.1f}" cy="{y:.1f}" r="4"'


def keys(clouds: Sequence[Cloud]) -> str:
    """The names of the groups of a scatter plot, with their marks."""
    keys = (
        f'<span><svg class="key mark" viewBox="0 0 10 10" aria-hidden="true">{_mark(i, 5, 5)}/></svg>'
        f"{escape(cloud.name)}</span>"
        for i, cloud in enumerate(clouds)
    )
    return f'<p class="legend">{"".join(keys)}</p>'


def text_width(text: str) -> float:
    """About what a sans-serif font of 12 px takes."""
    return sum(12.0 if unicodedata.east_asian_width(character) in "WF" else 6.6 for character in text)


def scatter(clouds: Sequence[Cloud], x: str, y: str) -> tuple[str, list[str]]:
    """Named points on two axes of one scale, and the labels that found no free place."""
    every = [point for cloud in clouds for point in cloud.points]
    side, edge = float(WIDTH), 28.0
    xs, ys = [p[1] for p in every], [p[2] for p in every]
    # One scale for both axes: a distance on the page means the same in every direction.
    reach = max(max(xs) - min(xs), max(ys) - min(ys)) or 1.0
    scale = (side - 2 * edge) / reach

    def place(value: float, values: list[float]) -> float:
        return (value - (min(values) + max(values)) / 2) * scale

    at = [(side / 2 + place(px, xs), side / 2 - place(py, ys)) for _, px, py in every]
    taken = [(px - 4, py - 4, px + 4, py + 4) for px, py in at]
    parts, labels, hidden = [], [], []
    groups = [number for number, cloud in enumerate(clouds) for _ in cloud.points]
    for (label, _, _), (px, py), group in zip(every, at, groups, strict=True):
        parts.append(f"{_mark(group, px, py)}><title>{escape(label)}</title></circle>")
        width = text_width(label)
        for reach_x, reach_y, side_x in _PLACES:
            left = px + reach_x - (0, width / 2, width)[side_x]
            box = (left, py + reach_y - 6, left + width, py + reach_y + 6)
            inside = box[0] >= 0 and box[2] <= side and box[1] >= 0 and box[3] <= side
            if inside and not any(_overlap(box, other) for other in taken):
                if max(abs(reach_x), abs(reach_y)) > 12:
                    to = (px + reach_x, py + reach_y)
                    parts.append(f'<line class="grid" x1="{px:.1f}" y1="{py:.1f}" x2="{to[0]:.1f}" y2="{to[1]:.1f}"/>')
                taken.append(box)
                labels.append(f'<text class="c{group % 5}" x="{left:.1f}" y="{box[1] + 10:.1f}">{escape(label)}</text>')
                break
        else:
            hidden.append(label)
    names = (
        f'<text class="name mid" x="{side / 2:g}" y="{side + 16:g}">{escape(x)}</text>'
        f'<text class="name mid" transform="translate(-6 {side / 2:g}) rotate(-90)">{escape(y)}</text>'
    )
    frame = f'<rect class="frame" width="{side:g}" height="{side:g}"/>'
    content = frame + "".join(parts) + "".join(labels) + names
    return _svg(side + 24, f"{len(every)} points, {y} against {x}", content, "plane"), hidden


# Where a label may stand: how far from its point, and whether it begins there (0), is centred (1) or ends (2).
# Beside it first; then farther and farther, at the end of a line.
_PLACES = (
    (6, 0, 0), (-6, 0, 2), (0, -11, 1), (0, 11, 1), (5, -9, 0), (5, 9, 0), (-5, -9, 2), (-5, 9, 2),
    *((r * dx, r * dy, 1 - dx) for r in (20, 32, 44, 56) for dx in (1, -1, 0) for dy in (0, -1, 1) if dx or dy),
)  # fmt: skip


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    """Whether two boxes (left, top, right, bottom) share a place."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def bars(chart: BarChart) -> str:
    """Bars from 0 on, one below the other."""
    step, gap = 24.0, 8.0
    numbers = [f"{row.value:,}" for row in chart.rows]
    names = min(BARS_WIDTH / 2, max(map(text_width, (row.label for row in chart.rows))) + gap)
    room = BARS_WIDTH - names - gap - max(map(text_width, numbers)) - 2 * gap
    longest = max(row.value for row in chart.rows) or 1
    parts = []
    for place, (row, number) in enumerate(zip(chart.rows, numbers, strict=True)):
        top = step * place
        width = max(1.0, room * row.value / longest) if row.value else 0.0
        whole = f"<title>{escape(row.label)}</title>" if text_width(row.label) > names else ""
        parts.append(
            f'<text class="row end" x="{names:.1f}" y="{top + 15:g}">{whole}{escape(fitting(row.label, names))}</text>'
            f'<rect class="fill" x="{names + gap:.1f}" y="{top + 2:g}" width="{width:.1f}" height="18"/>'
            f'<text class="row" x="{names + width + 2 * gap:.1f}" y="{top + 15:g}">{number}</text>'
        )
    return _svg(step * len(chart.rows), chart.title, "".join(parts), "bars", BARS_WIDTH)


def fitting(text: str, width: float) -> str:
    """As much of a text as the width holds."""
    if text_width(text) <= width:
        return text
    length = next(n for n in range(len(text), -1, -1) if text_width(f"{text[:n]}…") <= width)
    return f"{text[:length]}…"


def intervals(rows: Sequence[Interval], unit: str) -> str:
    """Values with their intervals on one axis that shows where zero is."""
    marks = ticks(min(0.0, *(row.low for row in rows)), max(0.0, *(row.high for row in rows)))
    left, right, step = 16.0, WIDTH - 16.0, 54.0
    bottom = step * len(rows) + 8

    def place(value: float) -> float:
        return left + (value - marks[0]) / (marks[-1] - marks[0]) * (right - left)

    parts = []
    for mark in marks:
        at = place(mark)
        kind = "zero" if mark == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{at:.1f}" x2="{at:.1f}" y1="4" y2="{bottom:g}"/>')
        parts.append(f'<text class="mid" x="{at:.1f}" y="{bottom + 20:g}">{_label(mark, marks)}</text>')
    for number, row in enumerate(rows):
        top = step * number
        low, value, high = place(row.low), place(row.value), place(row.high)
        kind = "c0" if row.low > 0 or row.high < 0 else "open"
        numbers = f"{row.value:+.3f}  [{row.low:+.3f}, {row.high:+.3f}]".replace("-", "−")
        parts.append(f'<text class="row" x="{left:g}" y="{top + 22:g}">{escape(row.label)}</text>')
        parts.append(f'<text class="row end" x="{right:g}" y="{top + 22:g}">{numbers}</text>')
        parts.append(f'<line class="bar {kind}" x1="{low:.1f}" x2="{high:.1f}" y1="{top + 38:g}" y2="{top + 38:g}"/>')
        parts.append(f'<circle class="dot {kind}" cx="{value:.1f}" cy="{top + 38:g}" r="6"/>')
    parts.append(f'<text class="name mid" x="{WIDTH / 2:g}" y="{bottom + 46:g}">{escape(unit)}</text>')
    return _svg(bottom + 56, f"intervals, {unit}", "".join(parts), "chart")


def heat_map(m: HeatMap) -> str:
    """A square for each value; it shows on hover."""
    cell, side, head = 20.0, 84.0, 84.0

    def shown(text: str) -> str:
        text = text.strip() or "␣"
        return escape(text if len(text) <= 10 else text[:9] + "…")

    parts = []
    for i, name in enumerate(m.columns):
        at = side + (i + 0.5) * cell
        parts.append(f'<text transform="translate({at + 4:g} {head - 6:g}) rotate(-60)">{shown(name)}</text>')
    for j, (name, row) in enumerate(zip(m.rows, m.values, strict=True)):
        parts.append(f'<text class="end" x="{side - 6:g}" y="{head + (j + 0.7) * cell:g}">{shown(name)}</text>')
        for i, value in enumerate(row):
            # The root spreads small values; what is below one percent stays blank and costs no bytes.
            if value >= 0.01:
                hint = f"{shown(name)} → {shown(m.columns[i])}: {100 * value:.0f} %"
                parts.append(
                    f'<rect class="a{min(9, int(10 * math.sqrt(value)))}" x="{side + i * cell:g}" '
                    f'y="{head + j * cell:g}" width="19" height="19"><title>{hint}</title></rect>'
                )
    width, height = side + cell * len(m.columns) + 36, head + cell * len(m.rows)
    return _svg(height, m.title, "".join(parts), "map", width)
