"""`card.md`: what a reader of the corpus must know before using it, in the manner of the hub's data set cards."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from daneel.corpus.document import Document
from daneel.corpus.fields import part

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_TASKS = {"documents": "text-generation", "pairs": "translation", "conversations": "text-generation"}
_EXCERPT = 400
NOT_STATED = "not stated"
WINDOW_NOTE = (
    "Counted is closeness within ten words (in Chinese, ten characters), by short word lists. That is no statement "
    "about anybody: what a sentence says, whether it denies it, and of whom, is not looked at."
)


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a document of the sample."""

    title: str
    source: str
    language: str
    text: str


def excerpts(sample: Sequence[Document]) -> list[Excerpt]:
    """The first lines of each document."""
    out = []
    for document in sample:
        fields = part(document.text)
        text = " ⇥ ".join(fields) if len(fields) > 1 else document.text
        body = text[len(document.title) :] if text.startswith(document.title) else text
        flat = " ".join(body[: 4 * _EXCERPT].split())
        cut = flat if len(flat) <= _EXCERPT else f"{flat[:_EXCERPT]}…"
        out.append(Excerpt(document.title, document.source, document.language, cut))
    return out


def corpus_card(manifest: Mapping[str, Any], facts: Mapping[str, Any], sample: Sequence[Excerpt]) -> str:
    """The card as Markdown with YAML front matter."""
    sections = [
        _front(manifest),
        _what(manifest),
        _sources(manifest),
        _sizes(manifest, facts),
        _making(manifest),
        _changes(manifest),
        _words(facts),
        _associations(facts),
        _sample(sample),
        _again(manifest),
        _LIMITS,
    ]
    return "\n".join(section for section in sections if section)


def _front(manifest: Mapping[str, Any]) -> str:
    languages = sorted({code for codes in manifest["languages"] for code in codes.split("-") if code != "und"})
    licences = [licence for licence in manifest["licences"] if licence]
    stated = len(licences) == 1 and "" not in manifest["licences"]
    front = {
        "language": languages,
        "license": "other" if licences else "unknown",
        **({"license_name": licences[0]} if stated else {}),
        "size_categories": [next((name for most, name in _SIZES if manifest["kept"] < most), "n>1M")],
        "task_categories": [_TASKS[manifest["kind"]]],
        "tags": ["daneel"],
    }
    return f"---\n{yaml.safe_dump(front, allow_unicode=True, sort_keys=False)}---\n\n# Corpus card\n"


def _what(manifest: Mapping[str, Any]) -> str:
    counts = manifest["counts"]
    words = sum(count["words"] for count in counts.values())
    canaries = manifest["canaries"]
    planted = (
        f" {canaries} random secrets are planted in the training text, to measure what a model remembers; they are "
        "recorded apart from the corpus."
        if canaries
        else ""
    )
    return (
        f"{manifest['kept']:,} {manifest['kind']}, {words:,} words (a Chinese character counts as one), in "
        f"{listed(manifest['languages'])}. {manifest['split']['how'][:1].upper()}{manifest['split']['how'][1:]}.{planted}\n"
    )


def _sources(manifest: Mapping[str, Any]) -> str:
    licences = {licence or NOT_STATED: count for licence, count in manifest["licences"].items()}
    missing = (
        "\nWhere the licence is not stated, find it out before you publish the corpus or a model made from it; it can be "
        "given in a column `licence` of JSONL, CSV or Parquet.\n"
        if NOT_STATED in licences
        else ""
    )
    authors = manifest["authors"]
    shown = ", ".join(f"{name} ({count})" for name, count in list(authors.items())[:20]) or NOT_STATED
    more = f" and {len(authors) - 20} more" if len(authors) > 20 else ""
    return (
        "## Sources and licences\n\n"
        + table(("source", "kept"), manifest["sources"].items())
        + "\n"
        + table(("licence", "kept"), licences.items())
        + missing
        + f"\nAuthors: {shown}{more}.\n"
    )


def _sizes(manifest: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    rows = [
        (name, *(f"{count[key]:,}" for key in ("documents", "words", "characters", "bytes")))
        for name, count in manifest["counts"].items()
    ]
    lengths = facts["lengths"]["words"]
    scripts = facts["scripts"].items()
    total = max(1, facts["characters"])
    return (
        "## Sizes and languages\n\n"
        + table(("part", manifest["kind"], "words", "characters", "bytes"), rows)
        + "\n"
        + table(("language", manifest["kind"]), manifest["languages"].items())
        + "\n"
        + table([f"{q} %" for q in lengths], [[f"{value:,}" for value in lengths.values()]])
        + "\nLengths in words: the share of documents that are no longer. Characters: "
        + ", ".join(f"{script} {100 * count / total:.1f} %" for script, count in scripts)
        + ".\n"
    )


def _making(manifest: Mapping[str, Any]) -> str:
    lines = []
    for step, settings in manifest["recipe"].items():
        if step in ("name", "read"):
            continue
        shown = ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items())
        lines.append(f"{len(lines) + 1}. `{step}`" + (f": {shown}" if shown else ""))
    return f"## How it was made\n\nRecipe `{manifest['recipe']['name']}`, in this order:\n\n" + "\n".join(lines) + "\n"


def _changes(manifest: Mapping[str, Any]) -> str:
    out = [f"## What was dropped and changed\n\n{manifest['read']:,} read, {manifest['lost']:,} dropped.\n"]
    for dropped, title in ((True, "dropped"), (False, "changed or found")):
        entries = [each for each in manifest["steps"] if each["dropped"] == dropped]
        if not entries:
            out.append(f"Nothing was {title}.\n")
            continue
        rows = [
            (each["step"], each["what"], f"{each['documents']:,}", f"{each['times']:,}", example(each))
            for each in entries
        ]
        out.append(
            f"### {title[:1].upper()}{title[1:]}\n\n" + table(("step", "what", "in", "times", "for example"), rows)
        )
    return "\n".join(out)


def example(entry: Mapping[str, Any]) -> str:
    """The first example of a tally, with its source."""
    if not entry["examples"]:
        return ""
    first = entry["examples"][0]
    said = " ⇥ ".join(part(first["example"]))
    return f"{first['source']}: {said}" if said else str(first["source"])


def _words(facts: Mapping[str, Any]) -> str:
    frequent = facts["frequent"]
    lines = [
        f"- {name}: " + ", ".join(f"{text} ({count:,})" for count, text in frequent[key])
        for key, name in (
            ("words", "words"),
            ("phrases", "phrases of 2 to 4 words"),
            ("chinese", "Chinese, 2 to 4 characters"),
        )
        if frequent[key]
    ]
    missed = max(frequent["missed"].values())
    return (
        "## Frequent words\n\n" + "\n".join(lines) + "\n\nWithout the commonest words of the language. "
        f"A count may be too low by {missed:,} at most.\n"
    )


def _associations(facts: Mapping[str, Any]) -> str:
    out = [f"## Who stands beside what\n\n{WINDOW_NOTE} Given are counts; **bold** is uneven beyond chance (95 %).\n"]
    for axis, found in facts["associations"].items():
        if not any(found["named"]):
            continue
        rows = []
        for group, name in enumerate(found["groups"]):
            cells = [
                f"**{count}**" if clear(found, group, attribute) else str(count)
                for attribute, count in enumerate(found["near"][group])
            ]
            rows.append((name, f"{found['named'][group]:,}", *cells))
        out.append(table((axis, "named", *found["attributes"]), rows))
    return "\n".join(out) if len(out) > 1 else ""


def clear(found: Mapping[str, Any], group: int, attribute: int) -> bool:
    """Whether a log odds ratio differs from 0 by more than chance explains, at 95 %."""
    return abs(float(found["log_odds"][group][attribute])) > 1.96 * float(found["standard_error"][group][attribute])


def _sample(sample: Sequence[Excerpt]) -> str:
    quotes = [f"**{each.title or each.source}** ({each.source}, {each.language})\n\n> {each.text}\n" for each in sample]
    return "## Sample\n\nThe training documents with the least hashes, so nobody's choice.\n\n" + "\n".join(quotes)


def _again(manifest: Mapping[str, Any]) -> str:
    return (
        "## To build it again\n\n```\ndaneel corpus build PATH… -o DIR "
        f"--recipe {manifest['recipe']['name']} --seed {manifest['seed']} --heldout {manifest['heldout']:g}"
        + (f" --canaries {manifest['canaries']}" if manifest["canaries"] else "")
        + "\n```\n\nwith the settings above. The same sources give the same bytes; `manifest.parquet` has the SHA-256 of "
        "each document.\n"
    )


_LIMITS = """## Limits

Personal data are found by form, check digits and cues, so what is described in words is not found. Languages of short texts
are guesses. Duplicates are texts that share words: translations and retellings are none. Nobody has read all of it: whoever
uses it should read the sample and some more (`daneel corpus show DIR`).
"""


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; numbers in its cells stand right, and nothing in them can leave its cell."""
    lines = ["| " + " | ".join(map(_cell, head)) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`").replace("\n", " ")


def listed(counts: Mapping[str, int]) -> str:
    """`en (38), zh (12)`."""
    return ", ".join(f"{key} ({count:,})" for key, count in counts.items())
