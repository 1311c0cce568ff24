import random
from itertools import pairwise

import pytest
from joint_step import document, split, through

from daneel.corpus import neighbours
from daneel.corpus.document import Document
from daneel.corpus.steps.near import NearDuplicates, NearParagraphs

_ENGLISH = [f"{a}{b}" for a in ("ro", "ga", "ne", "ti", "mo") for b in ("bot", "lax", "bula", "tan", "on", "")]
_CHINESE = [chr(0x4E00 + 7 * n) for n in range(300)]


def _text(rng: random.Random, words: int, chinese: bool) -> list[str]:
    # Words come with a number, so that no two texts share a run by chance.
    return [rng.choice(_CHINESE) if chinese else f"{rng.choice(_ENGLISH)}{rng.randrange(99)}" for _ in range(words)]


def _edited(words: list[str], rng: random.Random, rate: float) -> list[str]:
    return [word if rng.random() >= rate else rng.choice(words) for word in words]


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[n : n + 5]) for n in range(max(1, len(words) - 4))}


def _jaccard(one: list[str], other: list[str]) -> float:
    return len(_runs(one) & _runs(other)) / len(_runs(one) | _runs(other))


@pytest.mark.parametrize("chinese", [False, True])
@pytest.mark.parametrize("length", [12, 60, 700])
def test_planted_copies_are_found_as_their_exact_similarity_says(chinese: bool, length: int) -> None:
    rng = random.Random(length)
    join = "".join if chinese else " ".join
    originals = [_text(rng, length, chinese) for _ in range(120)]
    copies = [_edited(words, rng, rng.uniform(0, 0.1)) for words in originals]
    documents = [document(join(words), f"{n}") for n, words in enumerate([*originals, *copies])]
    _, notes = through(NearDuplicates(), split(documents, [50, 100]))
    dropped = {int(source): note.example for source, note in notes}
    above = {120 + n: _jaccard(*pair) for n, pair in enumerate(zip(originals, copies, strict=True))}
    above = {n: value for n, value in above.items() if value >= 0.7}
    assert len(above) > 20
    assert set(dropped) <= set(above)
    assert len(dropped) >= 0.95 * len(above)
    for n, example in dropped.items():
        assert example.startswith(f"of {n - 120}, Jaccard {above[n]:.2f}: {documents[n].text[:20]}")


def test_texts_shorter_than_a_shingle_are_compared_whole() -> None:
    texts = ["Yes, of course.", "yes of course", "Of course, yes.", "好的", "好 的！", "的好", "...", "…", ""]
    kept, notes = through(NearDuplicates(), [[document(text, text) for text in texts]])
    assert [source for source, _ in notes] == ["yes of course", "好 的！"]
    # A text without words is like nothing.
    assert {"...", "…", ""} <= {each.source for each in kept}


def test_what_is_like_only_a_dropped_document_stays() -> None:
    words = _text(random.Random(1), 100, False)
    chain = [words[:], words[8:] + [f"x{n}" for n in range(8)]]
    chain.append(chain[1][8:] + [f"y{n}" for n in range(8)])
    assert [_jaccard(*pair) >= 0.7 for pair in pairwise(chain)] == [True, True]
    assert _jaccard(chain[0], chain[2]) < 0.7 + 0.04
    step = NearDuplicates(threshold=0.8)
    kept, _ = through(step, [[document(" ".join(each), str(n)) for n, each in enumerate(chain)]])
    assert [each.source for each in kept] == ["0", "2"]


def test_the_batches_and_the_number_of_pairs_a_task_compares_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(3)
    documents: list[Document] = []
    for n in range(60):
        words = _text(rng, 40, n % 2 == 0)
        documents += [document(" ".join(_edited(words, rng, 0.02)), f"{n}-{k}") for k in range(3)]
    rng.shuffle(documents)
    expected = through(NearDuplicates(), [documents])
    assert expected[1]
    assert through(NearDuplicates(), split(documents, [1, 0, 77, 30])) == expected
    monkeypatch.setattr(neighbours, "_SHINGLES", 50)
    assert through(NearDuplicates(), split(documents, [90])) == expected


def test_a_crowd_of_the_same_boilerplate_is_not_compared_pair_by_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    original = neighbours._compared

    def counting(task: neighbours._Task) -> neighbours.Array:
        nonlocal compared
        compared += len(task[1])
        return original(task)

    monkeypatch.setattr(neighbours, "_compared", counting)
    boilerplate = " ".join(_text(random.Random(0), 50, False))
    kept, notes = through(NearDuplicates(), [[document(f"{boilerplate} {n}", str(n)) for n in range(3000)]])
    assert [each.source for each in kept] == ["0"]
    assert len(notes) == 2999
    # All pairs would be 4.5 million; five buckets' firsts at most are not the same.
    assert compared < 3000 * 30


_ONE, _TWO, _THREE = (" ".join(_text(random.Random(n), 40, False)) for n in (11, 12, 13))
_OWN = " ".join(_text(random.Random(14), 80, False))


def test_paragraphs_that_an_earlier_document_has_are_removed() -> None:
    changed = _TWO.rsplit(" ", 1)[0] + " ending"
    batches = [
        [document(f"{_ONE}\n\n{_TWO}", "a")],
        [document(f"Title\n\n{_OWN}\n \n\n{changed}\n\n{_THREE}\n\n{_ONE}\n", "b"), document("short", "c")],
    ]
    kept, notes = through(NearParagraphs(), batches)
    assert kept[0] == batches[0][0]
    assert kept[1].text == f"Title\n\n{_OWN}\n \n\n{_THREE}"
    assert kept[2] == batches[1][1]
    [(source, note)] = notes
    assert (source, note.what, note.times, note.dropped) == ("b", "near duplicate paragraphs removed", 2, False)
    assert note.example.startswith(f"of a, Jaccard 0.95: {changed[:20]}")


def test_refrains_of_one_document_and_short_paragraphs_stay() -> None:
    refrain = f"{_ONE}\n\n{_OWN}\n\n{_ONE}"
    short = "“Yes,” he said, “I do.”\n\n"
    documents = [document(short + refrain, "a"), document(short + _TWO, "b")]
    assert through(NearParagraphs(), [documents]) == (documents, [])


def test_a_document_of_which_little_would_be_left_is_dropped() -> None:
    batch = [document(f"{_ONE}\n\n{_TWO}", "a"), document(f"{_TWO}\n\nThe end.", "b")]
    kept, notes = through(NearParagraphs(), [batch])
    assert kept == batch[:1]
    assert [(source, note.what, note.dropped) for source, note in notes] == [
        ("b", "little left without near duplicate paragraphs", True)
    ]


def test_chinese_paragraphs_by_character_and_lines_where_there_are_no_blank_lines() -> None:
    one, two, three = ("".join(_text(random.Random(n), 60, True)) for n in (1, 2, 3))
    batch = [document(f"{one}。\n{two}。", "甲"), document(f"{three}。\n{one[:-1]}人。\n", "乙")]
    kept, notes = through(NearParagraphs(), [batch])
    assert [each.text for each in kept] == [batch[0].text, f"{three}。"]
    assert notes[0][1].example.startswith("of 甲, Jaccard 0.96: ")


def test_nothing_at_all() -> None:
    for step in (NearDuplicates(), NearParagraphs()):
        assert through(step, []) == ([], [])
        assert through(step, [[], []]) == ([], [])
        blank = [document(" \n", "a"), document("…", "b")]
        assert through(step, [blank]) == (blank, [])
