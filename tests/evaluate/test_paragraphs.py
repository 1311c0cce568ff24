from hypothesis import given
from hypothesis import strategies as st

from daneel.evaluate.paragraphs import LONG, SHORT, paragraphs

A, B = "a" * (SHORT - 3) + ".\n\n", "b" * (SHORT - 3) + ".\n\n"


@given(st.text(st.sampled_from("ab。！. \n\r\t”"), max_size=3000))
def test_paragraphs_join_to_the_text(text):
    assert "".join(paragraphs(text)) == text
    assert all(paragraphs(text))


def test_blank_lines_separate_and_stay_with_the_paragraph_they_end():
    assert paragraphs(A + B) == [A, B]
    assert paragraphs(A.replace("\n\n", "\n \t\n\n") + B)[1] == B


def test_without_blank_lines_each_line_is_one():
    a, b = A.replace("\n\n", "\n  "), "b" + B.replace("\n\n", "\n")
    assert paragraphs(a + b) == [a, b]


def test_short_ones_are_joined_forward_and_a_short_rest_backward():
    assert paragraphs("“Yes.”\n\n" + A + B) == ["“Yes.”\n\n" + A, B]
    assert paragraphs(A + B + "End.") == [A, B + "End."]
    assert paragraphs("“Yes.”\n\n“No.”") == ["“Yes.”\n\n“No.”"]


def test_long_ones_are_cut_at_sentence_ends():
    english = "It was a long watch, and so it is entered. " * 120
    chinese = "夜里下了一场大雪，他没有睡。“你来了？”他说。" * 60
    for text in (english, chinese):
        parts = paragraphs(text)
        assert len(parts) > 1
        assert all(LONG // 2 <= len(part.encode()) <= LONG for part in parts)
        assert all(part.rstrip()[-1] in ".。”" for part in parts)
        assert not any(part.startswith("”") for part in parts)


def test_a_page_without_a_sentence_end_stays_whole():
    assert paragraphs("a" * 5000) == ["a" * 5000]
