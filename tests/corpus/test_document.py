import pytest

from daneel.corpus.document import Document, digest, language, words


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("Don’t stop, 2042!", 4), ("公元2042年，AI", 5), ("naïve café—yes", 3), ("_x_ -- … 3rd", 2)],
)
def test_words(text: str, count: int) -> None:
    assert words(text) == count


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("The lamp was lit at dusk, and it is the keeper who wrote of it in his book.", "en"),
        ("那天下午警报的解除信号已经响过了。", "zh"),
        ("公元2042年，AI 已经 GPT", "zh"),
        ("これは日本語の文章です。漢字もあります。", "und"),
        ("Die Lampe wurde in der Dämmerung angezündet, und der Wärter schrieb es auf.", "und"),
        ("La lampe fut allumée au crépuscule, et le gardien nota tout dans son livre.", "und"),
        ("1234 !?", "und"),
    ],
)
def test_language(text: str, tag: str) -> None:
    assert language(text) == tag


def test_a_part_says_where_it_is_from() -> None:
    whole = Document("one two", "a.txt", "A", "B", "en", "CC0", digest("one two"))
    assert whole.part("two", "2") == Document("two", "a.txt#2", "A (2)", "B", "en", "CC0", digest("two"))
