"""`report.html`: the card of a corpus with pictures, offline."""

from collections.abc import Mapping, Sequence
from typing import Any

from daneel.corpus.card import NOT_STATED, WINDOW_NOTE, Excerpt, clear, example
from daneel.report import Bar, Figure, Interval, Page

_SHOWN = 15


def corpus_page(title: str, manifest: Mapping[str, Any], facts: Mapping[str, Any], sample: Sequence[Excerpt]) -> str:
    """The page as HTML."""
    page = Page(title, manifest["split"]["how"], kind="daneel corpus")
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
    _changes(page, manifest)
    _words(page, facts)
    _associations(page, facts)
    page.heading("Sample")
    page.note("The training documents with the least hashes, so nobody's choice.")
    for each in sample:
        page.quote(f"{each.title or each.source} ({each.source})", each.text, each.language)
    return page.html()


def _origin(page: Page, manifest: Mapping[str, Any]) -> None:
    page.heading("Sources and licences")
    page.bars([Bar(name, count) for name, count in list(manifest["sources"].items())[:_SHOWN]], "documents by source")
    rows = [(licence or NOT_STATED, f"{count:,}") for licence, count in manifest["licences"].items()]
    page.table(("licence", "documents"), rows)
    if "" in manifest["licences"]:
        page.note("Where the licence is not stated, find it out before you publish the corpus or a model made from it.")
    authors = list(manifest["authors"].items())[:_SHOWN]
    if authors:
        page.bars([Bar(name, count) for name, count in authors], "documents by author")


def _shape(page: Page, manifest: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    page.heading("Languages and lengths")
    page.bars(
        [Bar(code, count) for code, count in list(manifest["languages"].items())[:_SHOWN]], "documents by language"
    )
    page.bars([Bar(script, count) for script, count in facts["scripts"].items()], "characters by script")
    for key, name in (("lengths", "documents by words"), ("paragraphs", "paragraphs by words")):
        page.bars(_histogram(facts[key]["bins"]), name)


def _histogram(bins: Sequence[int]) -> list[Bar]:
    full = [number for number, count in enumerate(bins) if count]
    return [Bar(f"{2**b:,} to {2 ** (b + 1) - 1:,}", bins[b]) for b in range(full[0], full[-1] + 1)] if full else []


def _changes(page: Page, manifest: Mapping[str, Any]) -> None:
    page.heading("What was dropped and changed")
    for dropped, caption in ((True, "Dropped"), (False, "Changed or found")):
        rows = [
            (f"{each['step']}: {each['what']}", f"{each['documents']:,}", f"{each['times']:,}", example(each))
            for each in manifest["steps"]
            if each["dropped"] == dropped
        ]
        if rows:
            page.table(("what", "documents", "times", "for example"), rows, caption)
        else:
            page.paragraph(f"{caption}: nothing.")


def _words(page: Page, facts: Mapping[str, Any]) -> None:
    page.heading("Frequent words")
    frequent = facts["frequent"]
    for key, name in (("words", "words"), ("phrases", "phrases"), ("chinese", "Chinese, 2 to 4 characters")):
        if frequent[key]:
            page.bars([Bar(text, count) for count, text in frequent[key][:_SHOWN]], name)
    page.note(f"Without the commonest words. A count may be too low by {max(frequent['missed'].values()):,} at most.")


def _associations(page: Page, facts: Mapping[str, Any]) -> None:
    axes = {axis: found for axis, found in facts["associations"].items() if any(found["named"])}
    if not axes:
        return
    page.heading("Who stands beside what")
    page.note(WINDOW_NOTE)
    for axis, found in axes.items():
        rows = [
            (f"{name} ({found['named'][group]:,})", *(f"{count:,}" for count in found["near"][group]))
            for group, name in enumerate(found["groups"])
        ]
        page.table((axis, *found["attributes"]), rows, f"{axis}: how often an attribute is near")
        uneven = [
            Interval(f"{name}: {attribute}", value, value - 1.96 * error, value + 1.96 * error)
            for group, name in enumerate(found["groups"])
            for number, attribute in enumerate(found["attributes"])
            if clear(found, group, number)
            and (value := found["log_odds"][group][number], error := found["standard_error"][group][number])
        ]
        # Of two groups the second mirrors the first.
        if len(found["groups"]) == 2:
            uneven = uneven[: len(uneven) // 2]
        if uneven:
            page.intervals(uneven, f"log odds ratio against the other groups, 95 % interval ({axis})")
