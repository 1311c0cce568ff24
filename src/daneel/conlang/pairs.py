"""Sentence pairs for training and three tests: unseen sentences, held-out roots, held-out combinations of patterns.

A held-out root occurs in training only in plain statements, and the test asks for it everywhere else; two patterns
that are held out together occur in training only apart (as in COGS, Kim and Linzen, arXiv:2010.05465).
"""

import json
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from daneel.conlang.english import Translator
from daneel.conlang.grammar import TENSES, Grammar
from daneel.conlang.meaning import Clause
from daneel.conlang.sample import Sampler, plain_tense
from daneel.conlang.sentence import Sentence, Speaker
from daneel.conlang.write import render
from daneel.errors import DataError
from daneel.run import atomic_dir

SPLITS = ("train", "heldout", "roots", "patterns")
ENGLISH, LANGUAGE = "en", "art"  # ISO 639: art is any artificial language
LEAST, MOST = 3, 12  # words of a sentence; of the language only the upper bound holds
_TESTED = 1000  # sentences of a test, or a twentieth of the training ones if that is fewer
_SHARE_OF_ROOTS = 12  # one in so many nouns, verbs and adjectives is held out
_PLAIN = 400  # one in so many training sentences introduces one held-out root
_COMBINATIONS = 3
_TRIAL, _LOW, _HIGH = 3000, 0.005, 0.06  # meanings drawn to see which patterns meet, and the share that do
_DRAWS = 60  # meanings drawn for each sentence wanted, before giving up
_STRUCTURES = (
    "negation", "question", "past", "future", "place", "recipient", "predicate adjective", "possessor",
    "subject relative", "object relative", "dual",
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """A sentence in both languages."""

    meaning: Clause
    english: str
    sentence: Sentence

    def row(self, reverse: bool = False) -> dict[str, str]:
        """A line of JSONL: from English, or to it."""
        sides = [(ENGLISH, self.english), (LANGUAGE, self.sentence.text)]
        (source_language, source), (target_language, target) = sides[::-1] if reverse else sides
        return {
            "source": source, "target": target, "source_language": source_language, "target_language": target_language,
            "segments": self.sentence.segmented, "gloss": self.sentence.gloss,
        }  # fmt: skip


@dataclass(frozen=True)
class HeldOut:
    """What training does not show, or shows only plainly."""

    roots: frozenset[str]
    patterns: tuple[frozenset[str], ...]

    def combined(self, meaning: Clause) -> bool:
        """Whether patterns that are held out together are in the meaning."""
        found = meaning.patterns()
        return any(each <= found for each in self.patterns)


@dataclass(frozen=True)
class Corpus:
    """All pairs of a language, by split."""

    splits: Mapping[str, Sequence[Pair]]
    held_out: HeldOut
    ambiguous: int
    """Meanings left out because their sentence in one language, but not in the other, was that of another one."""


class Composer:
    """Says meanings in both languages."""

    def __init__(self, grammar: Grammar) -> None:
        self._speaker = Speaker(grammar)
        self._translator = Translator(grammar.lexicon, grammar.noun.definite is not None)

    def pair(self, meaning: Clause) -> Pair:
        """The meaning in both languages."""
        return Pair(meaning, self._translator.say(meaning), self._speaker.say(meaning))


def hold_out(grammar: Grammar, rng: random.Random) -> HeldOut:
    """Roots, and pairs of patterns that are neither rare nor common together."""
    lexicon, roots = grammar.lexicon, set[str]()
    verbs = [verb for verb in lexicon.verbs if verb != "be" and not lexicon.verbs[verb].recipient]
    for glosses in (list(lexicon.nouns), verbs, list(lexicon.adjectives)):
        roots |= set(rng.sample(glosses, round(len(glosses) / _SHARE_OF_ROOTS)))
    sampler = Sampler(grammar, rng)
    found = [sampler.clause().patterns() for _ in range(_TRIAL)]
    together = Counter(frozenset(pair) for each in found for pair in combinations(sorted(each & {*_STRUCTURES}), 2))
    # Two tenses meet only by way of a relative clause, which is a pattern of its own.
    fit = sorted(sorted(pair) for pair, n in together.items() if not pair <= {*TENSES} and _LOW <= n / _TRIAL <= _HIGH)
    rng.shuffle(fit)
    patterns: list[frozenset[str]] = []
    for pair in map(frozenset, fit):
        if len(patterns) < _COMBINATIONS and not any(pair & each for each in patterns):
            patterns.append(pair)
    return HeldOut(frozenset(roots), tuple(patterns))


def compose(grammar: Grammar, count: int, seed: int = 0) -> Corpus:
    """`count` pairs for training and the tests. Raises DataError if the language has too few sentences."""
    rng = random.Random(f"{seed} pairs")  # noqa: S311
    held_out, composer, tested = hold_out(grammar, rng), Composer(grammar), max(1, min(_TESTED, count // 20))
    gathered = _Gathered(composer)
    introduced: list[Pair] = []
    plain = Sampler(grammar, rng, plain=True)
    for root in sorted(held_out.roots):
        introduced += gathered.introduce(root, plain, held_out, max(1, count // _PLAIN))
    introduced = introduced[: count // 2]
    wanted = {"seen": count - len(introduced) + tested, "roots": tested, "patterns": tested if held_out.patterns else 0}
    wanted["roots"] *= bool(held_out.roots)
    splits: dict[str, list[Pair]] = {name: [] for name in wanted}
    sampler, plain_patterns = Sampler(grammar, rng), {plain_tense(grammar), "adjective", "predicate adjective"}
    for _ in range(_DRAWS * sum(wanted.values())):
        if all(len(splits[name]) == size for name, size in wanted.items()):
            break
        meaning = sampler.clause()
        known, apart = not meaning.roots() & held_out.roots, not held_out.combined(meaning)
        name = "seen" if known and apart else "patterns" if known else "roots" if apart else ""
        if not name or len(splits[name]) == wanted[name] or (name == "roots" and meaning.patterns() <= plain_patterns):
            continue
        if pair := gathered.add(meaning):
            splits[name].append(pair)
    else:
        short = ", ".join(f"{len(splits[name]):,} of {size:,} {name}" for name, size in wanted.items())
        raise DataError(f"{grammar.name} has too few sentences of {LEAST} to {MOST} words ({short}): ask for fewer")
    train = splits["seen"][tested:] + introduced
    rng.shuffle(train)
    return Corpus(
        {"train": train, "heldout": splits["seen"][:tested], "roots": splits["roots"], "patterns": splits["patterns"]},
        held_out, gathered.ambiguous,
    )  # fmt: skip


class _Gathered:
    """The pairs so far: no sentence comes twice."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._english: dict[str, str] = {}
        self._texts: set[str] = set()
        self.ambiguous = 0

    def add(self, meaning: Clause) -> Pair | None:
        """The pair, if it is new and neither short nor long."""
        pair = self._composer.pair(meaning)
        text = pair.sentence.text
        if self._english.get(pair.english) == text:
            return None
        if pair.english in self._english or text in self._texts:
            self.ambiguous += 1
            return None
        if not LEAST <= len(pair.english.split()) <= MOST or len(pair.sentence.tokens) > MOST:
            return None
        self._english[pair.english] = text
        self._texts.add(text)
        return pair

    def introduce(self, root: str, plain: Sampler, held_out: HeldOut, count: int) -> list[Pair]:
        """Plain statements with the root, and no other that is held out."""
        out: list[Pair] = []
        for _ in range(_DRAWS * count):
            meaning = plain.with_root(root)
            if meaning is None:
                break
            if meaning.roots() & held_out.roots == {root} and (pair := self.add(meaning)):
                out.append(pair)
            if len(out) == count:
                break
        return out


def write(grammar: Grammar, corpus: Corpus, out: Path, seed: int) -> dict[str, Any]:
    """Write a folder for each direction, the grammar and the manifest, which is returned. Raises DataError."""
    if out.exists() and not (out.is_dir() and ((out / "manifest.json").is_file() or not any(out.iterdir()))):
        raise DataError(f"{out} exists and holds something else than sentence pairs: give another folder")
    code = re.sub(r"\W+", "-", grammar.name.lower()).strip("-_") or "language"
    folders = {f"{ENGLISH}-{code}": False, f"{code}-{ENGLISH}": True}
    manifest = facts(grammar, corpus, seed) | {
        "files": [f"{folder}/{split}.jsonl" for folder in folders for split in SPLITS if corpus.splits[split]]
    }
    with atomic_dir(out) as new:
        for folder, reverse in folders.items():
            (new / folder).mkdir()
            for split, pairs in corpus.splits.items():
                lines = [json.dumps(pair.row(reverse), ensure_ascii=False) + "\n" for pair in pairs]
                if lines:
                    (new / folder / f"{split}.jsonl").write_text("".join(lines), "utf-8")
        (new / "grammar.toml").write_text(render(grammar), "utf-8")
        (new / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return manifest


def facts(grammar: Grammar, corpus: Corpus, seed: int) -> dict[str, Any]:
    """What the manifest says: counts, seeds, what is held out, sizes."""
    train = corpus.splits["train"]
    sides = {"english": [pair.english for pair in train], "language": [pair.sentence.text for pair in train]}
    return {
        "language": grammar.name, "language_seed": grammar.seed, "seed": seed,
        "counts": {name: len(pairs) for name, pairs in corpus.splits.items()},
        "ambiguous": corpus.ambiguous,
        "held_out_roots": sorted(corpus.held_out.roots),
        "held_out_patterns": [sorted(pair) for pair in corpus.held_out.patterns],
        "roots": len(grammar.lexicon.roots),
        "train": {
            name: {
                "characters": round(sum(map(len, texts)) / len(texts), 1),
                "words": round(sum(len(text.split()) for text in texts) / len(texts), 1),
                "word_forms": len({word for text in texts for word in re.findall(r"[\w'’-]+", text.lower())}),
            }
            for name, texts in sides.items()
        },
    }  # fmt: skip
