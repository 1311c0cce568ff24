"""Pairs: what each part holds and does not hold, and that others read the files."""

import json
from collections import Counter
from pathlib import Path

import pytest
from conlang.languages import invented, oshari

from daneel.conlang.pairs import LEAST, MOST, compose, write
from daneel.conlang.read import load, parse
from daneel.errors import DataError


@pytest.fixture(scope="module")
def corpus():
    return compose(oshari(), 2000, 1)


def test_counts_and_lengths(corpus):
    assert {name: len(pairs) for name, pairs in corpus.splits.items()} == {
        "train": 2000, "heldout": 100, "roots": 100, "patterns": 100,
    }  # fmt: skip
    pairs = [pair for split in corpus.splits.values() for pair in split]
    assert all(LEAST <= len(pair.english.split()) <= MOST for pair in pairs)
    assert all(len(pair.sentence.tokens) <= MOST for pair in pairs)
    assert corpus.ambiguous == 0


def test_no_sentence_comes_twice(corpus):
    pairs = [pair for split in corpus.splits.values() for pair in split]
    assert len({pair.english for pair in pairs}) == len({pair.sentence.text for pair in pairs}) == len(pairs)


def test_held_out_roots_are_met_plainly_in_training_and_otherwise_in_their_test(corpus):
    held, met = corpus.held_out.roots, Counter()
    lexicon = oshari().lexicon
    assert all(any(root in part for root in held) for part in (lexicon.nouns, lexicon.verbs, lexicon.adjectives))
    for pair in corpus.splits["train"]:
        found = pair.meaning.roots() & held
        met.update(found)
        if found:
            assert len(found) == 1
            assert pair.meaning.patterns() <= {"adjective"}
    assert set(met) == held
    assert max(met.values()) <= 2000 // 400
    assert all(pair.meaning.roots() & held for pair in corpus.splits["roots"])
    assert all(pair.meaning.patterns() - {"adjective"} for pair in corpus.splits["roots"])
    for name in ("heldout", "patterns"):
        assert not any(pair.meaning.roots() & held for pair in corpus.splits[name])


def test_held_out_patterns_are_together_in_their_test_alone(corpus):
    together = corpus.held_out.patterns
    assert len(together) == 3
    assert len(frozenset().union(*together)) == 6
    for name, pairs in corpus.splits.items():
        found = [any(each <= pair.meaning.patterns() for each in together) for pair in pairs]
        assert all(found) if name == "patterns" else not any(found)
    # Each of them alone is well known.
    known = Counter(pattern for pair in corpus.splits["train"] for pattern in pair.meaning.patterns())
    assert all(known[pattern] > 20 for each in together for pattern in each)


def test_unseen_sentences_are_of_known_words(corpus):
    def words(name: str) -> set[str]:
        return {root for pair in corpus.splits[name] for root in pair.meaning.roots()}

    assert words("heldout") <= words("train")


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_files(corpus, tmp_path):
    manifest = write(oshari(), corpus, tmp_path / "out", 1)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8")) == manifest
    assert manifest["counts"] == {"train": 2000, "heldout": 100, "roots": 100, "patterns": 100}
    assert (manifest["language"], manifest["language_seed"], manifest["seed"]) == ("Oshari", 9, 1)
    assert load(tmp_path / "out" / "grammar.toml") == oshari()
    assert len(manifest["files"]) == 8
    for split, pairs in corpus.splits.items():
        there, back = (rows(tmp_path / "out" / folder / f"{split}.jsonl") for folder in ("en-oshari", "oshari-en"))
        assert [(row["source"], row["target"]) for row in there] == [(p.english, p.sentence.text) for p in pairs]
        assert [(row["target"], row["source"]) for row in back] == [(p.english, p.sentence.text) for p in pairs]
        assert all(row["gloss"] and row["source_language"] == "en" for row in there)
        assert all(row["gloss"] and row["target_language"] == "en" for row in back)
    # Again into the same folder is fine; into somebody else's is not.
    write(oshari(), corpus, tmp_path / "out", 1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "novel.txt").write_text("years of work")
    with pytest.raises(DataError, match="holds something else"):
        write(oshari(), corpus, tmp_path / "mine", 1)
    assert (tmp_path / "mine" / "novel.txt").read_text() == "years of work"


def test_a_corpus_is_built_from_them(corpus, tmp_path):
    from daneel.corpus.build import build
    from daneel.corpus.recipe import load_recipe

    write(oshari(), corpus, tmp_path / "out", 1)
    train = tmp_path / "out" / "en-oshari" / "train.jsonl"
    manifest = build([train], tmp_path / "corpus", recipe=load_recipe("parallel"))
    assert manifest["read"] == 2000
    assert manifest["kept"] > 1980


def test_a_seed_is_a_corpus():
    one, again, other = (compose(invented(3), 200, seed) for seed in (1, 1, 2))
    assert one == again
    assert one.splits["train"] != other.splits["train"]


def test_too_few_sentences_is_said(tables):
    for key in ("relative", "adjectives", "adverbs", "adpositions", "verb"):
        del tables[key]
    tables["verbs"] = {"sleep": {"form": "shul", "past": "slept"}}
    grammar = parse(tables, "file")
    with pytest.raises(DataError, match=r"Tiny has too few sentences of 3 to 12 words \(.* of 1,050 seen"):
        compose(grammar, 1000)


def test_a_language_without_the_constructions_of_the_tests(tables):
    for key in ("relative", "adjectives", "adverbs", "adpositions", "verb"):
        del tables[key]
    corpus = compose(parse(tables, "file"), 40)
    assert len(corpus.splits["train"]) == 40


def test_a_language_that_can_say_nothing(tables):
    tables["verbs"] = {"shine": {"form": "tul", "past": "shone", "subject": "thing"}}
    del tables["nouns"]["thing"]
    with pytest.raises(DataError, match="Tiny can say nothing: give a verb"):
        compose(parse(tables, "file"), 40)
