"""One offline HTML page: text, figures, tables, curves, intervals, scatter plots, coloured tokens and heat maps.

The page has no script, asks for nothing from outside and says so in a content security policy: even its style
sheet is allowed by hash alone. Every text that is put in is escaped, so what a model writes stays text.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from daneel import charts
from daneel.charts import BarChart, Cloud, HeatMap, Interval, Series, escape

# Upper ends of the steps of the surprise scale, in bits: p = 1/2, 1/4, 1/16, 1/64, 1/512, 1/4096.
SURPRISE_STEPS = (1, 2, 4, 6, 9, 12)


@dataclass(frozen=True)
class Figure:
    """A number that a reader should take along."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class TokenText:
    """A text as a model reads it: pieces that join to the text, and the surprise of each in bits."""

    label: str
    pieces: Sequence[str]
    bits: Sequence[float]


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


@dataclass(frozen=True)
class Glossed:
    """A sentence of a language, its words in segments above their glosses, and what it means."""

    text: str
    words: Sequence[tuple[str, str]]
    meaning: str


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
        self._figure(charts.curves(series, x, y) + charts.legend(series), caption)

    def intervals(self, rows: Sequence[Interval], unit: str, caption: str = "") -> None:
        """Values with their intervals on one axis that shows where zero is."""
        self._figure(charts.intervals(rows, unit), caption)

    def bars(self, rows: Iterable[BarChart]) -> None:
        """Bar charts side by side, one below the other on a phone; those without rows are left out."""
        cells = "".join(
            f'<figure><figcaption class="above">{escape(chart.title)}</figcaption>'
            f"<div{_lang(chart.lang)}>{charts.bars(chart)}</div></figure>"
            for chart in rows
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
        content, hidden = charts.scatter(clouds, x, y)
        self._figure(f'<div class="scroll"{_lang(lang)}>{content}{charts.keys(clouds)}</div>', caption)
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
        cells = "".join(f"<div><h3>{escape(m.title)}</h3>{charts.heat_map(m)}</div>" for m in maps)
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

    def glosses(self, sentences: Iterable[Glossed], lang: str | None = None) -> None:
        """Numbered examples as linguists print them; a word and its gloss stay together where a line ends."""
        items = ""
        for each in sentences:
            words = "".join(
                f"<span><i{_lang(lang)}>{escape(word)}</i><b>{escape(gloss)}</b></span>" for word, gloss in each.words
            )
            items += (
                f'<li><p class="said"{_lang(lang)}>{escape(each.text)}</p><div class="words">{words}</div>'
                f"<p>‘{escape(each.meaning)}’</p></li>"
            )
        self._blocks.append(f'<ol class="glossed">{items}</ol>')

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
