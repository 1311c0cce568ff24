import random
import string

from hypothesis import given
from hypothesis import strategies as st
from joint_step import document, split, through

from daneel.corpus.steps.exact import ExactDuplicates


def test_the_first_of_equal_texts_stays_and_the_others_name_it() -> None:
    batches = [
        [document("The Robot\nspoke.", "a"), document("other", "b"), document("the  robot spoke.", "c")],
        [],
        [document("THE ROBOT SPOKE.", "d"), document("机器人说：ＡＢ１。", "e"), document("机器人说:AB1。", "f")],
    ]
    kept, notes = through(ExactDuplicates(), batches)
    assert [each.source for each in kept] == ["a", "b", "e"]
    assert [(source, note.what, note.example) for source, note in notes] == [
        ("c", "exact duplicate", "of a: the robot spoke."),
        ("d", "exact duplicate", "of a: THE ROBOT SPOKE."),
        ("f", "exact duplicate", "of e: 机器人说:AB1。"),
    ]


def test_one_letter_or_the_order_makes_another_text() -> None:
    kept, notes = through(ExactDuplicates(), [[document(text, text) for text in ("ab c", "abc", "c ab", "ab d")]])
    assert len(kept) == 4
    assert not notes


def test_nothing_at_all() -> None:
    assert through(ExactDuplicates(), []) == ([], [])
    assert through(ExactDuplicates(), [[]]) == ([], [])


@given(
    st.lists(st.sampled_from(["a", "A ", "b", "c\n", "c", "机"]), max_size=12), st.lists(st.integers(0, 4), max_size=3)
)
def test_the_batches_do_not_count(texts: list[str], sizes: list[int]) -> None:
    documents = [document(text, f"{n}{random.Random(n).choice(string.ascii_letters)}") for n, text in enumerate(texts)]
    first = {text.casefold().strip(): n for n, text in reversed(list(enumerate(texts)))}
    kept, _ = through(ExactDuplicates(), split(documents, sizes))
    assert kept == [documents[n] for n in sorted(first.values())]
