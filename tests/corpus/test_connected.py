import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.connected import connected

_SIDE = st.integers(min_value=0, max_value=12)


@given(st.lists(st.tuples(_SIDE, _SIDE), max_size=30))
def test_pairs_that_are_linked_have_one_key_and_others_another(pairs: list[tuple[int, int]]) -> None:
    keys = connected(*(np.array([pair[side] for pair in pairs], np.uint64) for side in (0, 1))).tolist()
    # Whoever is reached from a pair over shared sentences.
    for start in range(len(pairs)):
        reached, todo = {start}, [start]
        while todo:
            here = set(pairs[todo.pop()])
            new = {n for n, pair in enumerate(pairs) if here & set(pair)} - reached
            reached |= new
            todo += new
        assert {n for n, key in enumerate(keys) if key == keys[start]} == reached


def test_the_key_does_not_depend_on_the_order() -> None:
    sources, targets = np.array([9, 9, 4, 7], np.uint64), np.array([8, 6, 6, 5], np.uint64)
    assert connected(sources, targets).tolist() == [4, 4, 4, 5]
    assert connected(sources[::-1], targets[::-1]).tolist() == [5, 4, 4, 4]
    assert connected(sources[:0], targets[:0]).tolist() == []
