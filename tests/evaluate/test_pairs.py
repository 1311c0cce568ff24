import pytest
import sacrebleu

from daneel.evaluate.pairs import pair_summary, score_pairs


def test_scores_are_those_of_sacrebleu_with_intervals_around_them():
    written = ["the cat sat on the mat today", "a dog ran", "the lamp was lit at dusk and", "no"] * 5
    targets = ["the cat sat on a mat today", "a dog ran", "the lamp was lit at dusk", "yes it is"] * 5
    scores = score_pairs(written, targets)
    assert scores.bleu.value == pytest.approx(sacrebleu.corpus_bleu(written, [targets]).score)
    assert scores.chrf.value == pytest.approx(sacrebleu.corpus_chrf(written, [targets]).score)
    assert scores.bleu.low < scores.bleu.value < scores.bleu.high
    assert scores.exact.value == 0.25
    assert scores.same == [False, True, False, False] * 5
    assert pair_summary(scores)["chrf"]["low"] == scores.chrf.low


def test_chinese_is_cut_into_characters():
    written, targets = ["今天天气很好。", "他点亮了灯塔。"], ["今天的天气很好。", "他点亮了灯塔。"]
    scores = score_pairs(written, targets)
    assert "tok:zh" in scores.signatures[1]
    assert scores.bleu.value == pytest.approx(sacrebleu.corpus_bleu(written, [targets], tokenize="zh").score)


def test_nothing_right_and_a_single_pair_are_no_errors():
    assert score_pairs(["", "x"], ["灯塔", "a b c"]).bleu.value == 0
    assert score_pairs(["a"], ["a"]).exact.low is None
