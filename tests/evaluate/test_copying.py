from itertools import pairwise
from pathlib import Path

import pytest
from fake_lm import document
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.corpus.index import CopyIndex
from daneel.corpus.index_build import write_index
from daneel.evaluate.copying import N, Source, compare_copying, copied_spans, unit_spans, units

TRAIN = "The great lamp burned clean, and the twelve lesser lamps burned clean. So it is entered."


def test_units_are_words_and_chinese_characters():
    assert units("Don’t  STOP, the lamp-man!") == ["don't", "stop", "the", "lamp", "man"]
    assert units("公元2042年，AI已来") == ["公", "元", "2042", "年", "ai", "已", "来"]
    assert units("Ä café №9") == ["ä", "café", "9"]


def test_a_copy_is_found_whatever_its_case_and_punctuation():
    copy = "the great LAMP burned clean and the twelve lesser lamps"
    assert Source([TRAIN]).copied([copy]).share == 1


def test_share_counts_runs_of_eight():
    # 12 words, of which the first nine are copied: runs 1 and 2 of 5.
    text = "The great lamp burned clean and the twelve lesser suns went out"
    copied = Source([TRAIN]).copied([text])
    assert (copied.found, copied.total) == (2, 5)
    assert copied.share == pytest.approx(0.4)
    assert copied.longest == "The great lamp burned clean and the twelve lesser"
    assert copied.longest_units == 9


def test_runs_do_not_cross_texts():
    words = TRAIN.split()
    source = Source([" ".join(words[:8]), " ".join(words[8:])])
    assert source.copied([TRAIN]).found == 2
    assert source.copied([" ".join(words[:4]), " ".join(words[4:8])]).total == 0


def test_a_text_too_short_to_tell_has_share_zero():
    assert Source([TRAIN]).copied(["The great lamp"]).share == 0


def test_chinese_counts_characters():
    source = Source(["夜里下了一场大雪，他没有睡。"])
    assert source.copied(["下了一场大雪他没有"]).total == 2
    assert source.copied(["下了一场大雪他没有"]).share == 1
    assert source.copied(["下了一场小雪他没有"]).share == 0


def test_comparison_keeps_the_four_apart():
    other = "Nobody in Sandusky ever asked the deputy what the parcel weighed or why."
    train = [document(TRAIN)]
    copying = compare_copying(train, [other], [TRAIN], [TRAIN.replace("twelve", "nine")], [])
    assert copying.before.share == 0
    assert copying.after.share == 1
    assert 0 < copying.heldout.share < 1
    assert copying.stranger is None
    assert compare_copying(train, [], [], [TRAIN], [other]).stranger.total > 0
    assert copying.spans_before == [[]]
    ((span,),) = copying.spans_after
    assert TRAIN[span.start : span.end] == span.passage.copied == TRAIN.rstrip(".")


def test_spans_come_from_the_index_of_the_corpus_and_without_a_sound_one_from_the_text(tmp_path: Path) -> None:
    elsewhere = document("So it is entered: " + TRAIN)
    write_index([[elsewhere]], tmp_path / "index")
    train = [document(TRAIN)]

    def before() -> str:
        return compare_copying(train, [], [TRAIN], [], [], tmp_path).spans_after[0][0].passage.before

    assert before() == "So it is entered: "
    (tmp_path / "index" / "hashes.npy").write_bytes(b"")
    assert before() == ""
    (tmp_path / "index" / "meta.json").unlink()
    assert before() == ""


_TEXT = st.lists(st.sampled_from(["the", "lamp", "don’t", "it's", "Keeper", "灯", "塔", "1"]), max_size=60).map(
    " ".join
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_TEXT, max_size=3), _TEXT)
def test_spans_cover_the_runs_that_the_share_counts_and_no_more(train: list[str], text: str) -> None:
    source = Source(train)
    places = unit_spans(text)
    counted = [False] * len(places)
    for i in range(len(places) - N + 1):
        if source.copied([text[places[i][0] : places[i + N - 1][1]]]).found:
            counted[i : i + N] = [True] * N
    spans = copied_spans(CopyIndex.of([document(each) for each in train]), text)
    shown = [any(span.start <= a and b <= span.end for span in spans) for a, b in places]
    assert shown == counted
    assert all(one.end <= two.start for one, two in pairwise(spans))
