import pytest

from daneel.corpus.document import Document, digest, words


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("Don’t stop, 2042!", 4), ("公元2042年，AI", 5), ("naïve café—yes", 3), ("_x_ -- … 3rd", 2)],
)
def test_words(text: str, count: int) -> None:
    assert words(text) == count


def test_a_part_says_where_it_is_from() -> None:
    whole = Document("one two", "a.txt", "A", "B", "en", "CC0", digest("one two"))
    assert whole.part("two", "2") == Document("two", "a.txt#2", "A (2)", "B", "en", "CC0", digest("two"))
