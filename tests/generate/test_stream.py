"""Text as it comes: whole characters only, and never a stop string or its beginning."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from daneel.generate.stream import TextStream


def feed(pieces, stop=()):
    stream = TextStream(stop)
    out = []
    for piece in pieces:
        out.append(stream.push(piece))
        if stream.stopped:
            break
    out.append(stream.finish())
    return out, stream


def cut(data, borders):
    places = sorted({0, len(data), *(b % (len(data) + 1) for b in borders)})
    return [data[a:b] for a, b in pairwise(places)]


def reference(text, stop):
    """The text before the stop string that is complete first; of those, the one that begins first."""
    for end in range(len(text) + 1):
        ending = [s for s in stop if text[:end].endswith(s)]
        if ending:
            return text[: end - max(map(len, ending))], True
    return text, False


texts = st.text(alphabet=st.sampled_from("ab\n星é👩‍🚀") | st.characters(codec="utf-8"), max_size=40)


@given(texts, st.lists(st.integers(0, 200), max_size=30))
def test_any_cut_gives_the_text_in_whole_characters(text, borders):
    out, _ = feed(cut(text.encode(), borders))
    assert "".join(out) == text


@given(
    st.text("ab星。", max_size=30),
    st.lists(st.text("ab星。", min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(st.integers(0, 200), max_size=30),
)
@example("abcd", ["abcd", "bc"], [1, 2, 3])
@example("aab", ["ab"], [1, 2])
def test_stop_strings_end_the_text_wherever_it_is_cut(text, stop, borders):
    out, stream = feed(cut(text.encode(), borders), stop)
    expected, stopped = reference(text, stop)
    assert "".join(out) == expected
    assert stream.stopped == stopped
    # What was shown was never taken back, so no piece held what the stop string removed.
    assert not any(s in "".join(out) for s in stop)


def test_chinese_and_emoji_wait_for_their_last_byte():
    star, rocket = "星".encode(), "🚀".encode()
    out, _ = feed([star[:1], star[1:2], star[2:], rocket[:3], rocket[3:]])
    assert out == ["", "", "星", "", "🚀", ""]


def test_a_beginning_of_a_stop_string_is_held_and_given_back():
    out, _ = feed([b"one \n", b"\n", b"x \n"], ["\n\n###"])
    assert out == ["one ", "", "\n\nx ", "\n"]


def test_an_unfinished_character_is_left_out_and_a_broken_one_shown():
    assert "".join(feed([b"ab" + "星".encode()[:2]])[0]) == "ab"
    assert "".join(feed([b"a\xffb"])[0]) == "a\ufffdb"


def test_nothing_follows_a_stop():
    stream = TextStream(["."])
    assert stream.push(b"a.b") == "a"
    assert stream.push(b"c") == ""
    assert stream.finish() == ""
