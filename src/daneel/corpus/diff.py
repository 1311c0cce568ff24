"""What changed from one corpus to another: settings, counts, and which texts came, went, moved or were changed."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from daneel.corpus.browse import Browser, Entry
from daneel.corpus.build import read_manifest
from daneel.corpus.card import by_step, licences, steps
from daneel.corpus.document import HAN
from daneel.corpus.pipeline import READING
from daneel.errors import DataError

EXCERPTS = 3
"""Changed texts that are read and shown."""
_PLACES = 3
_CONTEXT = 40
_LONGEST = 160
# Characters of both texts beyond which they are not compared, and words of a block beyond which it differs as a whole.
_COMPARED, _WORDS = 8 << 20, 2000
_TOKEN = re.compile(rf"[{HAN}]|[^\W{HAN}]+|\s+|.")


@dataclass(frozen=True)
class Place:
    """A place where two texts differ, with a little of what stands around it."""

    before: str
    removed: str
    added: str
    after: str


@dataclass(frozen=True)
class Change:
    """A text that is in both corpora, and not the same."""

    source: str
    characters: tuple[int, int]
    removed: int | None = None
    """Characters that went; None where the texts were not read, or are too long to compare."""
    added: int | None = None
    places: list[Place] = field(default_factory=list)
    """The first of them."""


@dataclass(frozen=True)
class Moved:
    """A text of the same source that belongs to another part."""

    source: str
    parts: tuple[str, str]


@dataclass(frozen=True)
class Renamed:
    """The same text, read from elsewhere."""

    sources: tuple[str, str]


@dataclass(frozen=True)
class Gone:
    """A text that one corpus has and the other has not."""

    source: str
    words: int
    reason: str
    """Why the other dropped it; empty where it never read it."""


@dataclass
class Difference:
    """Everything that differs, from the first corpus to the second; empty where nothing does."""

    settings: dict[str, tuple[Any, Any]]
    """By name, as `near_duplicates.threshold`, of reading and of the steps that both have; `steps` names all."""
    counts: dict[str, tuple[int, int]]
    languages: dict[str, tuple[int, int]]
    licences: dict[str, tuple[int, int]]
    dropped: dict[str, tuple[int, int]]
    """Documents that each step dropped, by step and reason."""
    changed_by_steps: dict[str, tuple[int, int]]
    only_first: list[Gone]
    only_second: list[Gone]
    changed: list[Change]
    moved: list[Moved]
    renamed: list[Renamed]

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def plain(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self)


def difference(first: Path, second: Path) -> Difference:
    """What changed from one corpus to another of the same kind. Raises DataError.

    Texts are told apart by source and SHA-256; read are only the first few that changed.
    """
    one, two = read_manifest(first), read_manifest(second)
    if one["kind"] != two["kind"]:
        raise DataError(f"{first} is a corpus of {one['kind']}, {second} of {two['kind']}: there is nothing to compare")
    old, new = Browser(first, one), Browser(second, two)
    mine, theirs = _by_source(old), _by_source(new)
    only_first = {key: mine[key] for key in mine if key not in theirs}
    only_second = {key: theirs[key] for key in theirs if key not in mine}
    renamed = list(_renamed(only_first, only_second))
    both = [(mine[key], theirs[key]) for key in mine if key in theirs]
    changed = [pair for pair in both if pair[0].sha256 != pair[1].sha256]
    moved = [Moved(a.source, (a.part, b.part)) for a, b in both if a.part != b.part]
    return Difference(
        settings=_pairs(_settings(one, two), _settings(two, one), None),
        counts=_pairs(_counts(one), _counts(two), 0),
        languages=_pairs(one["languages"], two["languages"], 0),
        licences=_pairs(licences(one), licences(two), 0),
        dropped=_pairs(_by_step(one, True), _by_step(two, True), 0),
        changed_by_steps=_pairs(_by_step(one, False), _by_step(two, False), 0),
        only_first=_gone(only_first, new),
        only_second=_gone(only_second, old),
        changed=[_change(old, a, new, b) if n < EXCERPTS else _unread(a, b) for n, (a, b) in enumerate(changed)],
        moved=moved,
        renamed=renamed,
    )


def _by_source(browser: Browser) -> dict[tuple[str, int], Entry]:
    """All texts by source; a number tells those apart that have the same."""
    out: dict[tuple[str, int], Entry] = {}
    seen: dict[str, int] = {}
    for entry in browser.entries():
        seen[entry.source] = number = seen.get(entry.source, 0) + 1
        out[entry.source, number] = entry
    return out


def _renamed(first: dict[tuple[str, int], Entry], second: dict[tuple[str, int], Entry]) -> Iterator[Renamed]:
    """Texts that both have under different names; they are taken out of both."""
    by_hash: dict[str, list[tuple[str, int]]] = {}
    for key, entry in second.items():
        by_hash.setdefault(entry.sha256, []).append(key)
    for key, entry in list(first.items()):
        if same := by_hash.get(entry.sha256):
            there = same.pop(0)
            yield Renamed((entry.source, second[there].source))
            del first[key], second[there]


def _gone(entries: Mapping[tuple[str, int], Entry], other: Browser) -> list[Gone]:
    """Texts that the other corpus has not, with its reason where it read them."""
    wanted = {entry.source for entry in entries.values()}
    reasons = {each.source: by_step(each.step, each.reason) for each in other.drops() if each.source in wanted}
    return [Gone(entry.source, entry.words, reasons.get(entry.source, "")) for entry in entries.values()]


def _pairs(first: Mapping[str, Any], second: Mapping[str, Any], missing: Any) -> dict[str, tuple[Any, Any]]:
    """By name, the values that differ."""
    names = dict.fromkeys([*first, *second])
    pairs = {name: (first.get(name, missing), second.get(name, missing)) for name in names}
    return {name: (a, b) for name, (a, b) in pairs.items() if a != b}


def _settings(manifest: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that was set and can be compared, by one name each."""
    recipe = manifest["recipe"]
    order = list(steps(manifest))
    both = (READING, *(step for step in order if step in steps(other)))
    told = {f"{step}.{key}": value for step in both for key, value in recipe[step].items()}
    own = {key: manifest[key] for key in ("seed", "heldout", "canaries")}
    return {"recipe": recipe["name"], "steps": order, **own, "split": manifest["split"]["unit"], **told}


def _counts(manifest: Mapping[str, Any]) -> dict[str, int]:
    parts = {f"{part} {key}": number for part, count in manifest["counts"].items() for key, number in count.items()}
    return {"read": manifest["read"], "kept": manifest["kept"], "left out": manifest["lost"], **parts}


def _by_step(manifest: Mapping[str, Any], dropped: bool) -> dict[str, int]:
    own = (each for each in manifest["steps"] if each["dropped"] == dropped)
    return {by_step(each["step"], each["what"]): each["documents"] for each in own}


def _unread(a: Entry, b: Entry) -> Change:
    return Change(a.source, (a.characters, b.characters))


def _change(old: Browser, a: Entry, new: Browser, b: Entry) -> Change:
    if a.characters + b.characters > _COMPARED:
        return _unread(a, b)
    removed, added, places = compared(old.text(a), new.text(b))
    return Change(a.source, (a.characters, b.characters), removed, added, places)


def compared(first: str, second: str) -> tuple[int, int, list[Place]]:
    """Characters removed and added from one text to another, word by word, and the first places."""
    removed = added = 0
    places: list[Place] = []
    for begin, end, start, stop in _differing(first, second):
        removed, added = removed + end - begin, added + stop - start
        if len(places) < _PLACES:
            before, after = first[max(0, begin - _CONTEXT) : begin], first[end : end + _CONTEXT]
            places.append(Place(before, _cut(first[begin:end]), _cut(second[start:stop]), after))
    return removed, added, places


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _differing(first: str, second: str) -> Iterator[tuple[int, int, int, int]]:
    """Where two texts differ: from, to in the first; from, to in the second."""
    for begin, end, start, stop in _blocks(first.splitlines(keepends=True), second.splitlines(keepends=True)):
        one, two = _TOKEN.findall(first[begin:end]), _TOKEN.findall(second[start:stop])
        head = _alike(one, two)
        tail = _alike(one[head:][::-1], two[head:][::-1])
        before = len("".join(one[:head]))
        begin, start = begin + before, start + before
        one, two = one[head : len(one) - tail], two[head : len(two) - tail]
        if len(one) > _WORDS or len(two) > _WORDS:
            yield begin, begin + len("".join(one)), start, start + len("".join(two))
            continue
        for a, b, c, d in _blocks(one, two):
            yield begin + a, begin + b, start + c, start + d


def _alike(one: list[str], two: list[str]) -> int:
    """How many items two lists begin with alike."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(two)))


def _blocks(one: list[str], two: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """The parts of two lists that differ, in characters of the joined text."""
    here, there = (_offsets(parts) for parts in (one, two))
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, two, autojunk=len(one) > _WORDS).get_opcodes():
        if kind != "equal":
            yield here[a], here[b], there[c], there[d]


def _offsets(parts: list[str]) -> list[int]:
    out = [0]
    for part in parts:
        out.append(out[-1] + len(part))
    return out
