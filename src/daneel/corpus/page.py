"""`report.html`: the card of a corpus with pictures, offline."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from daneel.charts import Bar, BarChart, Interval
from daneel.corpus.card import (
    FIND_OUT,
    FREQUENT,
    NOT_STATED,
    QUANTILES,
    account,
    example,
    frequent_note,
    happened,
    licences,
    limits,
    pieces,
    said,
    sample_note,
    steps,
    unneeded,
)
from daneel.corpus.excerpt import Excerpt
from daneel.corpus.pipeline import READING
from daneel.corpus.uneven import BY_CHANCE, LEAST_EXPECTED, NOTE, rate, shown, uneven
from daneel.report import Figure, Page

Values = Mapping[str, Any]
_SHOWN = 15


def corpus_page(title: str, manifest: Values, facts: Values, sample: Sequence[Excerpt]) -> str:
    """The page as HTML."""
    page = Page(title, f"Recipe {manifest['recipe']['name']}; {manifest['split']['how']}.", kind="daneel corpus")
    counts = manifest["counts"]
    page.figures(
        [
            Figure(f"{manifest['kept']:,}", f"{manifest['kind']} kept", f"of {manifest['read']:,} read"),
            Figure(f"{sum(each['words'] for each in counts.values()):,}", "words", "a Chinese character is one"),
            Figure(f"{counts['heldout']['words']:,}", "words held out"),
            Figure(f"{sum(each['bytes'] for each in counts.values()) / 1e6:,.1f} MB", "of text"),
        ]
    )
    _origin(page, manifest)
    _shape(page, manifest, facts)
    _making(page, manifest)
    _changes(page, manifest)
    _words(page, facts)
    _associations(page, facts)
    page.heading("Sample")
    page.note(sample_note(manifest))
    for each in sample:
        # A pair is in two languages.
        lang = each.language if manifest["kind"] == "documents" else None
        label = f"{each.title} ({each.source})" if each.title else each.source
        page.quote(label, each.texts, lang)
    page.heading("Limits")
    page.paragraph(" ".join(limits(manifest)).replace("`", ""))
    return page.html()


def _origin(page: Page, manifest: Values) -> None:
    page.heading("Sources and licences")
    kind, known = pieces(manifest), licences(manifest)
    page.bars(
        [
            _chart(f"{kind} by source", manifest["sources"]),
            _chart(f"{kind} by licence", known),
            _chart(f"{kind} by author", manifest["authors"]),
        ]
    )
    if NOT_STATED in known:
        page.note(f"{FIND_OUT}.")


def _chart(title: str, counts: Mapping[str, int]) -> BarChart:
    rows = [Bar(name, count) for name, count in list(counts.items())[:_SHOWN]]
    return BarChart(f"{title}, the first {_SHOWN} of {len(counts):,}" if len(counts) > _SHOWN else title, rows)


def _shape(page: Page, manifest: Values, facts: Values) -> None:
    page.heading("Languages and lengths")
    kind, lengths = manifest["kind"], facts["lengths"]
    page.bars(
        [
            _chart(f"{kind} by language", manifest["languages"]),
            BarChart("characters by script", [Bar(script, count) for script, count in facts["scripts"].items()]),
            BarChart(f"{kind} by words", _histogram(lengths["bins"])),
            BarChart("paragraphs by words", _histogram(facts["paragraphs"]["bins"])),
        ]
    )
    head = [QUANTILES.get(q, f"{q} %") for q in lengths["words"]]
    row = [f"{value:,}" for value in lengths["words"].values()]
    page.table(["", *head], [["words", *row]], f"Words that such a share of the {kind} does not exceed")


def _histogram(bins: Sequence[int]) -> list[Bar]:
    full = [number for number, count in enumerate(bins) if count]
    if not full:
        return []
    return [Bar(f"{2**b:,}–{2 ** (b + 1) - 1:,}" if b else "1", bins[b]) for b in range(full[0], full[-1] + 1)]


def _making(page: Page, manifest: Values) -> None:
    page.heading("How it was made")
    settings = {
        f"{number}. {step}": ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in told.items())
        for number, (step, told) in enumerate(steps(manifest).items(), 1)
    }
    page.pairs({step: told or "no settings" for step, told in settings.items()})


def _changes(page: Page, manifest: Values) -> None:
    page.heading("What was left out and changed")
    page.paragraph(account(manifest))
    for caption, entries in happened(manifest).items():
        if entries:
            rows = [
                (said(each) if each["step"] == READING else f"{each['step']}: {said(each)}", f"{each['documents']:,}",
                 f"{each['times']:,}", example(manifest, each))
                for each in entries
            ]  # fmt: skip
            page.table(("what", manifest["kind"], "times", "for example"), rows, caption, texts=True)
    if idle := unneeded(manifest):
        page.note(f"Nothing to do had {', '.join(idle)}.")


def _words(page: Page, facts: Values) -> None:
    charts = [
        BarChart(
            name,
            [Bar(text, count) for count, text in facts["frequent"][key][:_SHOWN]],
            "zh" if key == "chinese" else None,
        )
        for key, name in FREQUENT.items()
    ]
    if not any(chart.rows for chart in charts):
        return
    page.heading("Frequent words")
    page.bars(charts)
    page.note(frequent_note(facts))


def _associations(page: Page, facts: Values) -> None:
    axes = {axis: found for axis, found in facts["associations"].items() if shown(found)}
    if not axes:
        return
    page.heading("Who stands beside what")
    page.note(NOTE)
    for axis, found in axes.items():
        groups, attributes = shown(found), list(enumerate(found["attributes"]))
        rows = [
            (
                f"{found['groups'][group]} ({found['named'][group]:,})",
                *(f"{rate(found, group, n):.1f}" for n, _ in attributes),
            )
            for group in groups
        ]
        page.table((axis, *found["attributes"]), rows, f"{axis}: mentions with such a word near them, of 1,000")
        # Of two groups the second mirrors the first.
        compared = groups[:1] if len(found["groups"]) == 2 else groups
        intervals = [
            _interval(found, group, number)
            for group in compared
            for number, _ in attributes
            if uneven(found, group, number)
        ]
        if intervals:
            page.intervals(intervals, "log odds ratio against the other groups, with its 95 % interval")
    page.note(
        "Intervals are drawn for what is uneven beyond chance at 95 %, not where fewer than "
        f"{LEAST_EXPECTED} would be expected. {BY_CHANCE}"
    )


def _interval(found: Values, group: int, attribute: int) -> Interval:
    value, error = found["log_odds"][group][attribute], found["standard_error"][group][attribute]
    label = f"{found['groups'][group]}: {found['attributes'][attribute]}"
    return Interval(label, value, value - 1.96 * error, value + 1.96 * error)
