"""What a run learned, on one page: `report.html` for people, `daneel/report.json` for programs."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from daneel.charts import HeatMap, Interval, Series
from daneel.config import duration
from daneel.corpus.index import Passage, Span
from daneel.evaluate.bootstrap import Estimate
from daneel.evaluate.card import bounds
from daneel.evaluate.copying import Copied, Copying
from daneel.evaluate.likelihood import Likelihood
from daneel.evaluate.voice import Gain, Scores, Voice
from daneel.report import Figure, Footnote, Mark, Page, Sample, TokenText
from daneel.run import atomic_write


@dataclass(frozen=True)
class Findings:
    """Everything the report tells beside the training log, which it reads from the run."""

    title: str
    base: str
    """The model before training."""
    author: str
    """What was learned, in a few words: a name, a folder."""
    stranger: str
    language: str
    """Of the texts, as an ISO 639 code: it chooses fonts and how a screen reader speaks."""
    voice: Voice
    prompt: str
    """What the samples continue."""
    prompt_words: int
    """Of the author, before each passage, when the base model is measured with a prompt."""
    before: Sequence[str]
    """Continuations of the prompt, without it, by the base model: seeds 1, 2, ..."""
    after: Sequence[str]
    copying: Copying
    surprise: Sequence[TokenText]
    """One held-out paragraph as the base model and the tuned model read it."""
    attention: Sequence[HeatMap]
    settings: Mapping[str, str]
    machine: Mapping[str, str]
    seconds: Mapping[str, float]
    """How long each stage took; `trained` is shown at the top."""
    versions: Mapping[str, str] = field(default_factory=dict)


def write_report(run: Path, found: Findings) -> dict[str, Any]:
    """Write `report.html` and `daneel/report.json` into a run directory; return what the latter holds."""
    log = read_log(run / "daneel" / "log.jsonl")
    atomic_write(run / "report.html", render(found, log))
    facts = summary(found)
    atomic_write(run / "daneel" / "report.json", json.dumps(facts, ensure_ascii=False, indent=2) + "\n")
    return facts


def render(found: Findings, log: Sequence[Mapping[str, Any]]) -> str:
    """The page."""
    page = Page(found.title, f"What {found.base} learned from {found.author}, measured on text it never saw.")
    _headline(page, found)
    _scores(page, found)
    training_curves(page, log)
    _samples(page, found)
    _copied(page, found.copying)
    if found.surprise:
        page.heading("What surprises it")
        page.paragraph(
            "A paragraph of the author that was not trained on. The stronger the colour of a token, the less "
            "the model expected it; point at one, or tap it, for its probability."
        )
        page.tokens(found.surprise, found.language)
    if found.attention:
        page.heading("What it looks at")
        page.heat_maps(
            found.attention,
            "Attention of the tuned model over the prompt, averaged over heads. Each row is a token: "
            "how much it looks at itself and at those before it. A first column that is strong all the way "
            "down is where heads rest when nothing calls them. Colour grows with the root of the weight.",
        )
    _making(page, found)
    return page.html()


def summary(found: Findings) -> dict[str, Any]:
    """The numbers of the page, for `report.json`."""
    voice, copying = found.voice, found.copying
    return {
        "title": found.title,
        "base": found.base,
        "author": found.author,
        "stranger": found.stranger,
        "language": found.language,
        "learned": voice.learned,
        "sentence": voice.sentence,
        "headline": _estimate(voice.tuning.headline),
        "gain": {"tuned": _gain(voice.tuning), "prompted": _gain(voice.prompting)},
        "tuned_over_prompted": _estimate(voice.over_prompt),
        "neighbour_correlation": voice.neighbours,
        "scores": {name: _both(s) for name, s in _models(voice) if s is not None},
        "copied_8grams": {name: None if c is None else asdict(c) | {"share": c.share} for name, c in _copies(copying)},
        "samples": {"prompt": found.prompt, "before": list(found.before), "after": list(found.after)},
        "copied_spans": {
            "before": [[_span(span) for span in spans] for spans in copying.spans_before],
            "after": [[_span(span) for span in spans] for spans in copying.spans_after],
        },
        "settings": dict(found.settings),
        "machine": dict(found.machine),
        "seconds": dict(found.seconds),
        "versions": dict(found.versions),
    }


def likelihood_summary(scores: Likelihood) -> dict[str, Any]:
    """The numbers of one evaluation: values at the top, their intervals under `intervals`."""
    measures = {name: getattr(scores, name) for name in ("bits_per_byte", "perplexity", "cross_entropy")}
    return {
        **{name: e.value for name, e in measures.items()},
        "intervals": {name: {"low": e.low, "high": e.high} for name, e in measures.items()},
        "n_tokens": scores.n_tokens,
        "n_bytes": scores.n_bytes,
        "n_paragraphs": len(scores.paragraphs),
    }


def _estimate(e: Estimate | None) -> dict[str, float | None] | None:
    return None if e is None else asdict(e)


def _gain(gain: Gain | None) -> dict[str, Any] | None:
    if gain is None:
        return None
    return {name: _estimate(getattr(gain, name)) for name in ("author", "stranger", "headline")}


def _both(scores: Scores) -> dict[str, Any]:
    stranger = scores.stranger
    return {
        "author": likelihood_summary(scores.author),
        "stranger": None if stranger is None else likelihood_summary(stranger),
    }


def _span(span: Span) -> dict[str, Any]:
    """A copied part of a sample: its place there in code points, and the passage it belongs to."""
    return {"start": span.start, "end": span.end, "passage": asdict(span.passage)}


def _models(voice: Voice) -> list[tuple[str, Scores | None]]:
    return [("base", voice.base), ("prompted", voice.prompted), ("tuned", voice.tuned)]


def _copies(copying: Copying) -> list[tuple[str, Copied | None]]:
    names = ("before", "after", "heldout", "stranger")
    return [(name, getattr(copying, name)) for name in names]


def read_log(path: Path) -> list[dict[str, Any]]:
    """The rows of `log.jsonl`."""
    if not path.exists():
        return []
    lines = path.read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def _honesty(correlation: float) -> str:
    """What the correlation of neighbours means for the intervals, were the series to fade geometrically."""
    if correlation < 0.1:
        return "the intervals can be taken as they are"
    r = min(correlation, 0.9)
    factor = math.sqrt((1 + r) / (1 - r))
    return f"the intervals should be about {factor:.1f} times as wide"


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def _headline(page: Page, found: Findings) -> None:
    voice = found.voice
    page.verdict(
        voice.learned,
        voice.sentence,
        "An equal training helps on any prose of the kind. So the gain on held-out text of the author is "
        f"compared with the gain on a stranger’s text ({found.stranger or 'none was given'}): only what the "
        "author gained beyond the stranger is voice.",
    )
    base, tuned = voice.base.author.bits_per_byte.value, voice.tuned.author.bits_per_byte.value
    figures = [
        Figure(f"{tuned:.3f}", "bits per byte on the author", f"{base:.3f} before training"),
        Figure(f"{_signed(100 * (tuned / base - 1), 1)} %", "against the base model"),
        Figure(f"{100 * found.copying.after.share:.1f} %", "of its 8-word runs copied"),
    ]
    if "trained" in found.seconds:
        figures.append(Figure(duration(found.seconds["trained"]), "of training"))
    page.figures(figures)


def _scores(page: Page, found: Findings) -> None:
    voice = found.voice
    page.heading("What the training gained")
    rows = [
        ("Author − stranger", voice.tuning.headline),
        ("Author", voice.tuning.author),
        ("Stranger", voice.tuning.stranger),
    ]
    if voice.prompting is not None:
        rows.append(("Author − stranger, prompted", voice.prompting.headline))
        rows.append(("Tuned − prompted, author", voice.over_prompt))
    shown = [Interval(n, e.value, e.low, e.high) for n, e in rows if e and e.low is not None and e.high is not None]
    if shown:
        page.intervals(
            shown, "bits per byte saved", "95 % bootstrap intervals over paragraphs. Hollow: the interval includes 0."
        )
    else:
        page.paragraph("One held-out paragraph gives no interval: what it gained stands in the table.")
    names = {"base": "Base model", "prompted": "Base model, prompted", "tuned": "After training"}
    page.table(
        ["bits per byte, lower is better", found.author, found.stranger or "stranger"],
        [
            (names[name], *(_cell(side) for side in (s.author, s.stranger)))
            for name, s in _models(voice)
            if s is not None
        ],
    )
    author, stranger = voice.base.author, voice.base.stranger
    held = f"{len(author.paragraphs)} paragraphs ({author.n_bytes:,} bytes) of the author"
    if stranger is not None:
        held += f", {len(stranger.paragraphs)} ({stranger.n_bytes:,} bytes) of the stranger"
    prompted = f"“Prompted” is the base model with {found.prompt_words:,} words of the author before each passage. "
    page.note(
        f"Held out: {held}. {prompted if voice.prompted else ''}The intervals speak of other paragraphs like "
        "these, not of another training seed or another stranger. Neighbouring paragraphs’ gains correlate "
        f"with r = {_signed(voice.neighbours, 2)}: {_honesty(voice.neighbours)}."
    )


def _cell(scores: Likelihood | None) -> str:
    # On a phone the interval goes below its value, but is not broken.
    return "–" if scores is None else bounds(scores.bits_per_byte).replace(", ", ",\u00a0")


def training_curves(page: Page, log: Sequence[Mapping[str, Any]]) -> None:
    """The losses of training and held-out text by step."""
    train = [(float(row["step"]), float(row["loss"])) for row in log if row.get("loss") is not None]
    heldout = [(float(row["step"]), float(row["heldout"])) for row in log if row.get("heldout") is not None]
    series = [Series("training text", train)] if train else []
    series += [Series("held-out text", heldout, dots=True)] if heldout else []
    if series:
        page.heading("How it learned")
        page.curves(series, "step", "loss, nats per token", "Held-out text that no longer falls is learned by heart.")


def _samples(page: Page, found: Findings) -> None:
    count = min(len(found.before), len(found.after))
    if not count:
        return
    page.heading("Before and after")
    page.paragraph(f"The same prompt continued with seeds 1 to {count}: none was picked, none left out.")
    copying = found.copying
    sources: dict[tuple[str, str], Passage] = {}
    for span in (span for side in (copying.spans_before, copying.spans_after) for spans in side for span in spans):
        sources.setdefault(_key(span), span.passage)
    numbers = {key: number for number, key in enumerate(sources, start=1)}
    left, right = (
        [[Mark(span.start, span.end, numbers[_key(span)]) for span in spans] for spans in side]
        for side in (copying.spans_before, copying.spans_after)
    )
    page.note(
        "Underlined: copied, a passage of eight words (in Chinese, eight characters) or more that stands word for word "
        "in the training text; its number leads to the source below. All else is new."
        if sources
        else "All of it is new: no eight words (in Chinese, eight characters) in a row stand in the training text."
    )
    samples = [Sample(f"Seed {n + 1}", found.before[n], found.after[n], left[n], right[n]) for n in range(count)]
    footnotes = [
        Footnote(f"{p.title} ({p.source})" if p.title else p.source, p.before, p.copied, p.after)
        for p in sources.values()
    ]
    page.samples(found.prompt, samples, f"Before: {found.base}", "After training", found.language, footnotes)


def _key(span: Span) -> tuple[str, str]:
    """Equal passages of one document share a footnote."""
    return span.passage.source, span.passage.copied


def _copied(page: Page, copying: Copying) -> None:
    page.heading("What it copied")
    page.paragraph(
        "Runs of eight words (in Chinese, eight characters) that stand word for word in the training text. "
        "People repeat themselves too, so the author’s held-out text and the stranger’s are given beside the "
        "samples."
    )
    names = {
        "before": "Samples before training",
        "after": "Samples after training",
        "heldout": "The author’s held-out text",
        "stranger": "The stranger’s text",
    }
    page.table(
        ["text", "runs", "copied", "share"],
        [
            (names[name], f"{c.total:,}", f"{c.found:,}", f"{100 * c.share:.2f} %")
            for name, c in _copies(copying)
            if c is not None
        ],
    )
    if copying.after.found:
        page.note(f"The longest copied passage has {copying.after.longest_units} words: “{copying.after.longest}”")


def _making(page: Page, found: Findings) -> None:
    page.heading("How this was made")
    page.pairs(found.settings)
    if found.seconds:
        page.pairs({stage: duration(seconds) for stage, seconds in found.seconds.items()})
    page.pairs({**found.machine, **found.versions})
