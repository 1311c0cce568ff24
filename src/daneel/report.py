"""One offline HTML page: text, figures, tables, curves, intervals, scatter plots, coloured tokens and heat maps.

The page has no script, asks for nothing from outside and says so in a content security policy: even its style
sheet is allowed by hash alone. Every text that is put in is escaped, so what a model writes stays text.
"""

import base64
import hashlib
import html
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

# Characters that HTML forbids or a reader cannot see; tab and line ends stay.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
# Upper ends of the steps of the surprise scale, in bits: p = 1/2, 1/4, 1/16, 1/64, 1/512, 1/4096.
SURPRISE_STEPS = (1, 2, 4, 6, 9, 12)
# Points a curve keeps: more cannot be seen and would only make the page large.
CURVE_POINTS = 240
WIDTH, HEIGHT = 640, 300


@dataclass(frozen=True)
class Figure:
    """A number that a reader should take along."""

    value: str
    label: str
    note: str = ""


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
class TokenText:
    """A text as a model reads it: pieces that join to the text, and the surprise of each in bits."""

    label: str
    pieces: Sequence[str]
    bits: Sequence[float]


@dataclass(frozen=True)
class HeatMap:
    """Values in 0 ... 1 by row and column."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Mark:
    """A part of a text, in code points, that the footnote of that number speaks of."""

    start: int
    end: int
    number: int


@dataclass(frozen=True)
class Sample:
    """The same prompt continued twice, under one label; marks are in order and do not overlap."""

    label: str
    left: str
    right: str
    left_marks: Sequence[Mark] = ()
    right_marks: Sequence[Mark] = ()


@dataclass(frozen=True)
class Footnote:
    """Where a marked part comes from, and how it stands there."""

    source: str
    before: str
    passage: str
    after: str


def escape(text: str) -> str:
    """Text for HTML, in an element or an attribute: inert, valid, and nothing invisible in it."""
    text = text.encode("utf-8", "replace").decode()
    return html.escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))


def _lang(lang: str | None) -> str:
    return f' lang="{escape(lang)}"' if lang else ""


class Page:
    """A page under construction: each method adds one block below the last."""

    def __init__(self, title: str, lead: str = "", lang: str = "en", kind: str = "daneel report") -> None:
        self.title, self.lang = title, lang
        self._blocks = [f'<header><p class="kind">{escape(kind)}</p><h1>{escape(title)}</h1>']
        self._blocks.append(f'<p class="lead">{escape(lead)}</p></header>' if lead else "</header>")

    def heading(self, text: str) -> None:
        """A section begins."""
        self._blocks.append(f"<h2>{escape(text)}</h2>")

    def paragraph(self, text: str) -> None:
        """Running text."""
        self._blocks.append(f"<p>{escape(text)}</p>")

    def note(self, text: str) -> None:
        """Small print: how to read what stands above."""
        self._blocks.append(f'<p class="note">{escape(text)}</p>')

    def verdict(self, good: bool, text: str, detail: str) -> None:
        """The answer of the page, in a box; a sign beside the colour tells the two kinds apart."""
        kind, sign = ("yes", "✓") if good else ("no", "○")
        self._blocks.append(
            f'<div class="verdict {kind}"><span class="sign" aria-hidden="true">{sign}</span>'
            f"<div><strong>{escape(text)}</strong><p>{escape(detail)}</p></div></div>"
        )

    def figures(self, figures: Iterable[Figure]) -> None:
        """Key numbers side by side."""
        cells = "".join(
            f"<div><dt>{escape(f.label)}</dt><dd>{escape(f.value)}</dd>"
            + (f'<dd class="note">{escape(f.note)}</dd>' if f.note else "")
            + "</div>"
            for f in figures
        )
        self._blocks.append(f'<dl class="figures">{cells}</dl>')

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", texts: bool = False) -> None:
        """A table whose first column names the row; the others hold numbers, but with `texts` the last holds text."""
        lines = ["<tr>" + "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head) + "</tr>"]
        for first, *rest in rows:
            cells = "".join(f"<td>{escape(cell)}</td>" for cell in rest)
            lines.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
        said = f"<caption>{escape(caption)}</caption>" if caption else ""
        head_row, body = lines[0], "".join(lines[1:])
        kind = ' class="texts"' if texts else ""
        self._blocks.append(
            f'<div class="scroll"><table{kind}>{said}<thead>{head_row}</thead><tbody>{body}</tbody></table></div>'
        )

    def pairs(self, items: Mapping[str, str]) -> None:
        """Names and what they stand for: settings, versions."""
        cells = "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in items.items())
        self._blocks.append(f'<dl class="pairs">{cells}</dl>')

    def curves(self, series: Sequence[Series], x: str, y: str, caption: str = "") -> None:
        """Lines against a common axis, with a legend; points that are not finite are left out."""
        self._figure(_curves(series, x, y) + _legend(series), caption)

    def intervals(self, rows: Sequence[Interval], unit: str, caption: str = "") -> None:
        """Values with their intervals on one axis that shows where zero is."""
        self._figure(_intervals(rows, unit), caption)

    def bars(self, charts: Iterable[BarChart]) -> None:
        """Bar charts side by side, one below the other on a phone; those without rows are left out."""
        cells = "".join(
            f'<figure><figcaption class="above">{escape(chart.title)}</figcaption>'
            f"<div{_lang(chart.lang)}>{_bars(chart)}</div></figure>"
            for chart in charts
            if chart.rows
        )
        if cells:
            self._blocks.append(f'<div class="beside">{cells}</div>')

    def quote(self, label: str, texts: Iterable[str], lang: str | None = None) -> None:
        """A passage under its name, in paragraphs."""
        paragraphs = "".join(f"<p>{escape(text)}</p>" for text in texts)
        self._blocks.append(f"<h3>{escape(label)}</h3><blockquote{_lang(lang)}>{paragraphs}</blockquote>")

    def scatter(self, clouds: Sequence[Cloud], x: str, y: str, caption: str = "", lang: str | None = None) -> list[str]:
        """Named points on two axes of one scale, a colour and mark for each group.

        Returns the labels that found no free place; those points show their name on hover only.
        """
        content, hidden = _scatter(clouds, x, y)
        self._figure(f'<div class="scroll"{_lang(lang)}>{content}{_keys(clouds)}</div>', caption)
        return hidden

    def tokens(self, texts: Iterable[TokenText], lang: str | None = None) -> None:
        """Texts one above the other, each token coloured the more the less a model expected it."""
        scale = "".join(
            f'<span class="s{i}">{label}</span>'
            for i, label in enumerate(("p > 1/2", "1/4", "1/16", "1/64", "1/512", "1/4096", "less"))
        )
        self._blocks.append(f'<p class="scale"><span>expected</span>{scale}<span>surprising</span></p>')
        for text in texts:
            spans = "".join(_token(piece, bits) for piece, bits in zip(text.pieces, text.bits, strict=True))
            self._blocks.append(
                f'<figure><figcaption class="above">{escape(text.label)}: {sum(text.bits):,.0f} bits'
                f'</figcaption><p class="tokens"{_lang(lang)}>{spans}</p></figure>'
            )

    def heat_maps(self, maps: Iterable[HeatMap], caption: str = "") -> None:
        """Maps side by side; the values show on hover."""
        cells = "".join(f"<div><h3>{escape(m.title)}</h3>{_heat_map(m)}</div>" for m in maps)
        self._figure(f'<div class="maps">{cells}</div>', caption)

    def samples(
        self,
        prompt: str,
        samples: Iterable[Sample],
        left: str,
        right: str,
        lang: str | None = None,
        footnotes: Sequence[Footnote] = (),
    ) -> None:
        """Continuations of one prompt in two columns, one below the other on a phone; then the footnotes, from 1 on."""
        self._blocks.append(f"<blockquote{_lang(lang)}>{escape(prompt)}</blockquote>")
        for sample in samples:
            cells = "".join(
                f"<div><h4>{escape(name)}</h4><p{_lang(lang)}>{_marked(text, marks, footnotes)}</p></div>"
                for name, text, marks in (
                    (left, sample.left, sample.left_marks),
                    (right, sample.right, sample.right_marks),
                )
            )
            self._blocks.append(
                f'<section class="sample"><h3>{escape(sample.label)}</h3><div class="pair">{cells}</div></section>'
            )
        if footnotes:
            notes = "".join(
                f"<li><cite>{escape(note.source)}</cite> <span{_lang(lang)}>… {escape(note.before)}"
                f"<mark>{escape(note.passage)}</mark>{escape(note.after)} …</span></li>"
                for note in footnotes
            )
            self._blocks.append(f'<ol class="footnotes">{notes}</ol>')

    def html(self) -> str:
        """The finished page."""
        style = files("daneel").joinpath("report.css").read_text("utf-8")
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        return (
            f'<!DOCTYPE html>\n<html{_lang(self.lang)}>\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
            f"<title>{escape(self.title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
            + "\n".join(self._blocks)
            + "\n</main>\n</body>\n</html>\n"
        )

    def _figure(self, content: str, caption: str) -> None:
        said = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
        self._blocks.append(f"<figure>{content}{said}</figure>")


def _marked(text: str, marks: Iterable[Mark], footnotes: Sequence[Footnote]) -> str:
    parts, done = [], 0
    for mark in marks:
        hint = f"{mark.number}: {footnotes[mark.number - 1].source}"
        parts.append(
            f'{escape(text[done : mark.start])}<mark class="copied" data-p="{escape(hint)}">'
            f"{escape(text[mark.start : mark.end])}</mark><sup>{mark.number}</sup>"
        )
        done = mark.end
    return "".join(parts) + escape(text[done:])


def _token(piece: str, bits: float) -> str:
    step = sum(bits > end for end in SURPRISE_STEPS)
    chance = 100 * 2.0**-bits
    # Two significant digits, also for one in a million.
    percent = f"{chance:.0f}" if chance >= 10 else f"{chance:.2g}" if chance >= 0.01 else f"{chance:.1e}"
    hint = f"{piece.strip() or '␣'}   p = {percent} %   {bits:.1f} bits"
    # The space before a word stays white, so that words stand apart and lines end clean.
    word = piece.lstrip(" ") or piece
    kind = f"t s{step} break" if piece.isspace() and "\n" in piece else f"t s{step}"
    space = piece[: len(piece) - len(word)]
    return f'{space}<span class="{kind}" data-p="{escape(hint)}">{escape(word)}</span>'


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


def _curves(series: Sequence[Series], x: str, y: str) -> str:
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


def _legend(series: Sequence[Series]) -> str:
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


def _keys(clouds: Sequence[Cloud]) -> str:
    keys = (
        f'<span><svg class="key mark" viewBox="0 0 10 10" aria-hidden="true">{_mark(i, 5, 5)}/></svg>'
        f"{escape(cloud.name)}</span>"
        for i, cloud in enumerate(clouds)
    )
    return f'<p class="legend">{"".join(keys)}</p>'


def _text_width(text: str) -> float:
    """About what a sans-serif font of 12 px takes."""
    return sum(12.0 if unicodedata.east_asian_width(character) in "WF" else 6.6 for character in text)


def _scatter(clouds: Sequence[Cloud], x: str, y: str) -> tuple[str, list[str]]:
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
        width = _text_width(label)
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


BARS_WIDTH = 400.0


def _bars(chart: BarChart) -> str:
    step, gap = 24.0, 8.0
    numbers = [f"{row.value:,}" for row in chart.rows]
    names = min(BARS_WIDTH / 2, max(map(_text_width, (row.label for row in chart.rows))) + gap)
    room = BARS_WIDTH - names - gap - max(map(_text_width, numbers)) - 2 * gap
    longest = max(row.value for row in chart.rows) or 1
    parts = []
    for place, (row, number) in enumerate(zip(chart.rows, numbers, strict=True)):
        top = step * place
        width = max(1.0, room * row.value / longest) if row.value else 0.0
        whole = f"<title>{escape(row.label)}</title>" if _text_width(row.label) > names else ""
        parts.append(
            f'<text class="row end" x="{names:.1f}" y="{top + 15:g}">{whole}{escape(_fitting(row.label, names))}</text>'
            f'<rect class="fill" x="{names + gap:.1f}" y="{top + 2:g}" width="{width:.1f}" height="18"/>'
            f'<text class="row" x="{names + width + 2 * gap:.1f}" y="{top + 15:g}">{number}</text>'
        )
    return _svg(step * len(chart.rows), chart.title, "".join(parts), "bars", BARS_WIDTH)


def _fitting(text: str, width: float) -> str:
    """As much of a text as the width holds."""
    if _text_width(text) <= width:
        return text
    length = next(n for n in range(len(text), -1, -1) if _text_width(f"{text[:n]}…") <= width)
    return f"{text[:length]}…"


def _intervals(rows: Sequence[Interval], unit: str) -> str:
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


def _heat_map(m: HeatMap) -> str:
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
