"""`card.md`: what a reader of the corpus must know before using it, in the manner of the hub's data set cards."""

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from huggingface_hub import DatasetCardData

from daneel.corpus.excerpt import Excerpt
from daneel.corpus.fields import split
from daneel.corpus.licence_names import hub_licence
from daneel.corpus.markdown import code, inline, one_line, paragraph, table
from daneel.corpus.pipeline import READING
from daneel.corpus.read.archives import ABOUT_REASON
from daneel.corpus.uneven import BY_CHANCE, LEAST_EXPECTED, NOTE, rate, shown, uneven

Values = Mapping[str, Any]
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_TASKS = {"documents": "text-generation", "pairs": "translation", "conversations": "text-generation"}
_LISTED = 20
NOT_STATED = "not stated"
FIND_OUT = "Where the licence is not stated, find it out before you publish the corpus or a model made from it"
_STATE = "; `--licence` states it for all that names none itself, a column `licence` for a row"
QUANTILES = {"0": "shortest", "50": "median", "100": "longest"}


def corpus_card(manifest: Values, facts: Values, sample: Sequence[Excerpt]) -> str:
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
        _sample(manifest, sample),
        _again(manifest),
        _limits(manifest),
    ]
    return "\n".join(section for section in sections if section)


def essentials(manifest: Values) -> list[str]:
    """What a model's card says of the text it learned from, a line of Markdown each."""
    words = {part: f"{count['words']:,}" for part, count in manifest["counts"].items()}
    dropped = {by_step(each["step"], each["what"]): each["documents"] for each in manifest["steps"] if each["dropped"]}
    return [
        f"recipe {code(manifest['recipe']['name'])}: {manifest['read']:,} {manifest['kind']} read, "
        f"{manifest['kept']:,} kept",
        f"{words['train']} words to learn from, {words['heldout']} held out (a Chinese character counts as one)",
        f"languages: {listed(manifest['languages'])}",
        f"licences by {pieces(manifest)}: {listed(licences(manifest))}",
        f"left out: {listed(dropped) or 'nothing'}",
    ]


def by_step(step: str, what: str) -> str:
    """What a step did, under its name: rules that name their source by themselves are not named twice."""
    source, _, rule = what.partition(": ")
    return f"{step}: {rule if rule and step.startswith(source) else what}"


def pieces(manifest: Values) -> str:
    """What the parts are made of: documents that could not be parted whole were cut into blocks."""
    return "blocks" if manifest["split"]["unit"] == "blocks" else str(manifest["kind"])


def licences(manifest: Values) -> dict[str, int]:
    """How many have which licence."""
    counts: Counter[str] = Counter()
    for licence, count in manifest["licences"].items():
        counts[licence or NOT_STATED] += count
    return dict(counts.most_common())


def listed(counts: Mapping[str, int], most: int = _LISTED) -> str:
    """`en (38), zh (12) and 3 more`, in Markdown."""
    first = ", ".join(f"{inline(key)} ({count:,})" for key, count in list(counts.items())[:most])
    return f"{first} and {len(counts) - most:,} more" if len(counts) > most else first


def _front(manifest: Values) -> str:
    codes = {code for codes in manifest["languages"] for code in codes.split("-")}
    known = licences(manifest)
    names = [name for licence in known if (name := hub_licence(licence))]
    stated, named = NOT_STATED not in known, len(names) == len(known)
    front = DatasetCardData(
        language=sorted(
            code for code in codes if len(code) in (2, 3) and code.islower() and code.isascii() and code != "und"
        ),
        license=(names[0] if len(names) == 1 else names) if named else "other" if stated else "unknown",
        size_categories=[next((name for most, name in _SIZES if manifest["kept"] < most), "n>1M")],
        task_categories=[_TASKS[manifest["kind"]]],
        license_name=None if named or not stated else one_line(", ".join(known)[:200]),
        tags=["daneel"],
    )
    return f"---\n{front.to_yaml()}\n---\n\n# Corpus card\n"


def _what(manifest: Values) -> str:
    words = sum(count["words"] for count in manifest["counts"].values())
    canaries = manifest["canaries"]
    planted = (
        f" {canaries} random secrets are planted in the training text, to measure what a model remembers; they are "
        "recorded apart from the corpus."
        if canaries
        else ""
    )
    how = one_line(manifest["split"]["how"])
    kind = manifest["kind"].removesuffix("s") if manifest["kept"] == 1 else manifest["kind"]
    return (
        f"{manifest['kept']:,} {kind} kept, {words:,} words (a Chinese character counts as one), in "
        f"{listed(manifest['languages'])}. {how[:1].upper()}{inline(how[1:])}.{planted}\n"
    )


def _sources(manifest: Values) -> str:
    known = licences(manifest)
    missing = f"\n{FIND_OUT}{_STATE}.\n" if NOT_STATED in known else ""
    authors = f"\nAuthors: {listed(manifest['authors'])}.\n" if manifest["authors"] else ""
    return (
        "## Sources and licences\n\n"
        + _counted("source", pieces(manifest), manifest["sources"])
        + "\n"
        + _counted("licence", pieces(manifest), known)
        + missing
        + authors
    )


def _counted(name: str, kind: str, counts: Mapping[str, int]) -> str:
    rows = [(inline(key), count) for key, count in list(counts.items())[:_LISTED]]
    rest = list(counts.values())[_LISTED:]
    return table((name, kind), [*rows, (f"{len(rest):,} more", sum(rest))] if rest else rows)


def _sizes(manifest: Values, facts: Values) -> str:
    kind = manifest["kind"]
    parts = [
        (part, *(count[key] for key in ("documents", "words", "characters", "bytes")))
        for part, count in manifest["counts"].items()
    ]
    lengths = facts["lengths"]["words"]
    return (
        "## Sizes and languages\n\n"
        + table(("part", pieces(manifest), "words", "characters", "bytes"), parts)
        + "\n"
        + _counted("language", kind, manifest["languages"])
        + "\n"
        + table([f"words of {kind}", *(QUANTILES.get(q, f"{q} %") for q in lengths)], [("", *lengths.values())])
        + f"\nUnder 10 % stands the length that a tenth of the {kind} does not exceed, and so on. Characters: "
        + ", ".join(f"{script} {share(count, facts['characters'])}" for script, count in facts["scripts"].items())
        + ".\n"
    )


def share(count: int, total: int) -> str:
    """A part of a total in percent; little is not nothing."""
    percent = 100 * count / max(1, total)
    return f"{percent:.1f} %" if percent >= 0.05 or not count else "< 0.1 %"


def _making(manifest: Values) -> str:
    lines: list[str] = []
    for step, settings in steps(manifest).items():
        told = ", ".join(f"{key} {code(json.dumps(value, ensure_ascii=False))}" for key, value in settings.items())
        lines.append(f"{len(lines) + 1}. {code(step)}" + (f": {told}" if told else ""))
    return (
        f"## How it was made\n\nRecipe {code(manifest['recipe']['name'])}, in this order:\n\n" + "\n".join(lines) + "\n"
    )


def steps(manifest: Values) -> dict[str, dict[str, Any]]:
    """The steps of the recipe in their order, with their settings."""
    return {step: settings for step, settings in manifest["recipe"].items() if step not in ("name", READING)}


def _changes(manifest: Values) -> str:
    out = [f"## What was left out and changed\n\n{account(manifest)}\n"]
    for title, entries in happened(manifest).items():
        if entries:
            rows = [
                (*([] if each["step"] == READING else [code(each["step"])]), inline(said(each)), each["documents"],
                 each["times"], inline(example(manifest, each)))
                for each in entries
            ]  # fmt: skip
            head = ("what", manifest["kind"], "times", "for example")
            out.append(f"### {title}\n\n" + table(head if len(rows[0]) == len(head) else ("step", *head), rows))
    if idle := [code(step) for step in unneeded(manifest)]:
        out.append(f"Nothing to do had {', '.join(idle)}.\n")
    return "\n".join(out)


def account(manifest: Values) -> str:
    """What became of all that was read, in a sentence."""
    unread = sum(each["documents"] for each in happened(manifest)["Left out at reading"])
    return (
        f"Read: {manifest['read']:,}; left out at reading: {unread:,}; dropped by the steps: "
        f"{manifest['lost'] - unread:,}; kept: {manifest['kept']:,}."
    )


def happened(manifest: Values) -> dict[str, list[Values]]:
    """The entries of the manifest's `steps`, by what they mean for the text."""
    every = manifest["steps"]
    return {
        "Left out at reading": [each for each in every if each["dropped"] and each["step"] == READING],
        "Dropped by the steps": [each for each in every if each["dropped"] and each["step"] != READING],
        "Changed or found": [each for each in every if not each["dropped"]],
    }


def unneeded(manifest: Values) -> list[str]:
    """The steps that neither dropped, changed nor found anything."""
    return [step for step in steps(manifest) if step not in {each["step"] for each in manifest["steps"]}]


def said(entry: Values) -> str:
    """What an entry is about; a file about the folder is no text that was lost."""
    what = str(entry["what"])
    return f"{what}, so is no text of the corpus" if what == ABOUT_REASON.partition(":")[0] else what


def example(manifest: Values, entry: Values) -> str:
    """The first example of an entry, with its source."""
    if not entry["examples"]:
        return ""
    first = entry["examples"][0]
    shown = " ⇥ ".join(split(first["example"]))
    if entry["dropped"] and not shown:
        reasons = (each["reason"] for each in manifest["dropped"] if each["source"] == first["source"])
        shown = next(reasons, "").partition(": ")[2]
    return f"{first['source']}: {shown}" if shown else str(first["source"])


def _words(facts: Values) -> str:
    frequent = facts["frequent"]
    lines = [
        f"- {name}: " + ", ".join(f"{inline(text)} ({count:,})" for count, text in frequent[key])
        for key, name in FREQUENT.items()
        if frequent[key]
    ]
    if not lines:
        return ""
    return "## Frequent words\n\n" + "\n".join(lines) + f"\n\n{frequent_note(facts)}\n"


FREQUENT = {"words": "words", "phrases": "phrases of 2 to 4 words", "chinese": "Chinese, 2 to 4 characters"}


def frequent_note(facts: Values) -> str:
    """How to read the lists of frequent words."""
    missed = max(facts["frequent"]["missed"].values())
    return f"Without the function words of English and Chinese. A count may be too low by {missed:,} at most."


def _associations(facts: Values) -> str:
    out = [
        f"## Who stands beside what\n\n{NOTE}**Bold** is uneven beyond chance: its 95 % interval does not hold the "
        f"value of the other groups, and {LEAST_EXPECTED} or more would be expected. {BY_CHANCE}\n"
    ]
    for axis, found in facts["associations"].items():
        rows = []
        for group in shown(found):
            cells = [f"{rate(found, group, attribute):.1f}" for attribute in range(len(found["attributes"]))]
            marked = [f"**{cell}**" if uneven(found, group, n) else cell for n, cell in enumerate(cells)]
            rows.append((found["groups"][group], found["named"][group], *marked))
        if rows:
            out.append(table((axis, "named", *found["attributes"]), rows))
    return "\n".join(out) if len(out) > 1 else ""


def _sample(manifest: Values, sample: Sequence[Excerpt]) -> str:
    quotes = []
    for each in sample:
        lines = "\n>\n".join(f"> {paragraph(text)}" for text in each.texts)
        about = paragraph(f"{each.source}, {each.language}" if each.title else each.language)
        quotes.append(f"### {inline(each.title or each.source)}\n\n{about}\n\n{lines}\n")
    return f"## Sample\n\n{sample_note(manifest)}\n\n" + "\n".join(quotes)


def sample_note(manifest: Values) -> str:
    """How the sample was drawn."""
    return f"The training {manifest['kind']} with the least SHA-256, so nobody's choice."


def _again(manifest: Values) -> str:
    options = f"--seed {manifest['seed']} --heldout {manifest['heldout']:g}"
    if manifest["canaries"]:
        options += f" --canaries {manifest['canaries']}"
    recipe = shlex.quote(one_line(manifest["recipe"]["name"]))
    return (
        f"## To build it again\n\n```\ndaneel corpus build PATH… -o DIR --recipe {recipe} {options}\n```\n\n"
        "with the settings above. The same sources give the same bytes; "
        "`manifest.parquet` has the SHA-256 of each text.\n"
    )


def _limits(manifest: Values) -> str:
    return "## Limits\n\n" + " ".join(limits(manifest)) + "\n"


def limits(manifest: Values) -> Iterable[str]:
    """What the corpus does not promise."""
    if "privacy" in manifest["recipe"]:
        yield "Personal data are found by form, check digits and cues, so what is described in words is not found."
    else:
        yield "Nobody looked for personal data: the recipe has no step `privacy`."
    yield "Languages of short texts are guesses."
    yield "Duplicates are texts that share words: translations and retellings are none."
    yield (
        "Nobody has read all of it: whoever uses it should read the sample and some more "
        "(`daneel corpus show DIR --sample 20`)."
    )
