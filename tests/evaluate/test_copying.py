import pytest

from daneel.evaluate.copying import Source, compare_copying, units

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
    copying = compare_copying([TRAIN], [other], [TRAIN], [TRAIN.replace("twelve", "nine")], [])
    assert copying.before.share == 0
    assert copying.after.share == 1
    assert 0 < copying.heldout.share < 1
    assert copying.stranger is None
    assert compare_copying([TRAIN], [], [], [TRAIN], [other]).stranger.total > 0
