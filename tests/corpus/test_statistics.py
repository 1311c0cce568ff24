import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.document import HAN, Document
from daneel.corpus.fields import join
from daneel.corpus.statistics import BINS, RUNS, Frequent, Statistics, bins, measure

WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
texts = st.lists(st.text(st.sampled_from("abABé灯塔人 \n.,'␤１"), max_size=60), max_size=6)


def documents(texts: list[str]) -> list[Document]:
    return [Document(text, f"{n}.txt", "", "", "", "", "") for n, text in enumerate(texts)]


def runs(texts: list[str], n: int) -> Counter[tuple[str, ...]]:
    """Every run of n words, the plain way."""
    out: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        words = [word.lower() for word in WORD.findall(text)]
        out.update(tuple(words[k : k + n]) for k in range(len(words) - n + 1))
    return out


@given(texts)
def test_counts_are_those_of_plain_python(texts):
    found = measure(documents(texts))
    assert found.characters == sum(map(len, texts))
    assert sum(found.scripts.values()) <= found.characters
    assert found.scripts.get("Chinese", 0) == sum(len(re.findall(f"[{HAN}]", text)) for text in texts)
    assert found.scripts.get("white space", 0) == sum(len(re.findall(r"\s", text)) for text in texts)
    assert found.scripts.get("digits", 0) == sum(text.count("１") for text in texts)
    lines = [len(WORD.findall(line)) for text in texts for line in text.split("\n")]
    expected = [0] * BINS
    for length in filter(None, lines):
        expected[length.bit_length() - 1] += 1
    assert found.paragraphs == expected


@given(texts)
def test_every_run_that_comes_twice_is_found_with_its_count(texts):
    found = measure(documents(texts))
    for n in RUNS:
        counts = runs(texts, n)
        twice = sorted(count for count in counts.values() if count > 1)
        assert sorted(count for count, _ in found.runs[n].top()) == twice
        for count, text in found.runs[n].top():
            assert counts[tuple(word.lower() for word in WORD.findall(text))] == count
        assert found.runs[n].missed == (1 if 1 in counts.values() else 0)


@given(st.lists(texts, min_size=1, max_size=4))
def test_batches_add_up_in_any_order(batches):
    parts = [measure(documents(batch)) for batch in batches]
    whole, backwards = Statistics(), Statistics()
    for part in parts:
        whole.add(part)
    for part in reversed(parts):
        backwards.add(part)
    assert [(n, sorted(f.counts), f.missed) for n, f in whole.runs.items()] == [
        (n, sorted(f.counts), f.missed) for n, f in backwards.runs.items()
    ]
    for n in RUNS:
        counts = sum((runs(batch, n) for batch in batches), Counter())
        for count, text in whole.runs[n].top():
            true = counts[tuple(word.lower() for word in WORD.findall(text))]
            assert count <= true <= count + whole.runs[n].missed
    assert whole.scripts == backwards.scripts
    assert whole.paragraphs == backwards.paragraphs
    assert whole.associations == backwards.associations
    # What was added is left as it was.
    again = Statistics()
    for part in parts:
        again.add(part)
    assert again == whole


def test_what_is_let_go_bounds_the_error(monkeypatch):
    monkeypatch.setattr("daneel.corpus.statistics._MOST", 3)
    total = Frequent()
    true: Counter[int] = Counter()
    for n in range(40):
        batch = {n: 2, n + 1: 3, 1000: 1 + n % 2, 2000: 5}
        true.update(batch)
        total.add(Frequent({key: (count, str(key)) for key, count in batch.items()}, 0))
        assert len(total.counts) <= 6
    assert total.top()[0] == (200, "2000")
    for key, count in true.items():
        held = total.counts.get(key, (0, ""))[0]
        assert held <= count <= held + total.missed


def test_nothing_and_texts_without_words():
    for texts in ([], [""], ["…", "\n\n", "- —"]):
        found = measure(documents(texts))
        assert found.characters == sum(map(len, texts))
        assert not any(found.paragraphs)
        assert all(not frequent.counts and not frequent.missed for frequent in found.runs.values())
        assert all(not any(counts.named) for counts in found.associations.values())


def test_a_run_never_reaches_from_one_text_of_a_record_to_the_next():
    pair = Document(join(["she was", "strong lamp"]), "p#1", "", "", "en-zh", "", "")
    found = measure([pair, pair])
    assert "was strong" not in {text for _, text in found.runs[2].top()}
    assert {text for _, text in found.runs[2].top()} == {"she was", "strong lamp"}
    assert found.characters == 2 * len("she wasstrong lamp")
    assert found.scripts["white space"] == 4
    assert found.associations["gender"].near[0] == [0] * 8


@pytest.mark.parametrize(
    ("lengths", "full"), [([1], [0]), ([2, 3], [1]), ([4, 1023, 1024], [2, 9, 10]), ([2**40], [BINS - 1])]
)
def test_bins_double(lengths, full):
    import numpy as np

    found = bins(np.array(lengths))
    assert [number for number, count in enumerate(found) if count] == full
    assert sum(found) == len(lengths)
