"""Which texts of a corpus share much of their wording: they must not stand on both sides of a split.

Runs of ten words are hashed and winnowed as for the copy index. Ten English words are fifty letters or more: different
novels share next to none of these passages, a story and the collection that holds it nearly all of the story. Two texts
are kin if they share half of the passages of the shorter one. With less, the held-out text is mostly its own, and
collections that have a piece in common would all become one; how much is shared is measured instead.

Passages are sorted on disk, text by text, and looked through by ranges of their hash: memory holds one range, a number
or two a text, and 16 bytes a pair of texts that share anything.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from daneel.corpus.connected import connected
from daneel.corpus.index_build import fingerprints
from daneel.corpus.step import Arrays
from daneel.corpus.summaries import column, offsets
from daneel.corpus.words import Words

Array = np.ndarray[Any, Any]

RUN = 10
"""Words of a passage; a Chinese character is a word."""
KIN = 0.5
"""Share of the shorter text's passages from which two texts are kin."""
# Fewer passages in common are a quotation or a turn of phrase, however short the texts.
_LEAST = 3
# What stands in more texts than this is a form letter or a footer, and makes nobody kin.
_COMMON = 32
# Texts that all others with the same passage are compared with: the shortest, as a part is shorter than the whole.
_FIRST = 4
# Passages in memory at a time.
_AT_ONCE = 1 << 21


def summarised(words: Words) -> Arrays:
    """Passages of some texts, each once a text: `passages`, uint64 [P] ascending, and `owners`, int32 [P]; and `texts`,
    int32 [T]: how many each has."""
    places, hashes = fingerprints(words, RUN)
    owners = (np.searchsorted(words.bounds, places, "right") - 1).astype(np.int32)
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    fresh = np.ones(len(hashes), bool)
    fresh[1:] = (np.diff(hashes) != 0) | (np.diff(owners) != 0)
    counts = np.bincount(owners[fresh], minlength=len(words.counts)).astype(np.int32)
    return {"passages": hashes[fresh], "owners": owners[fresh], "texts": counts}


def kin(summaries: Sequence[Path], same: Array) -> Array:
    """int64 [N]: for each text the number of the first one that it must stay with, itself if it stands alone.

    Texts with an equal number in `same` [N] belong together too. The summaries are in the order of the texts.
    """
    sizes = np.concatenate([np.empty(0, np.int32), *(column(path, "texts") for path in summaries)])
    total = len(sizes)
    # By rank, so that the shorter text of a pair comes first.
    order = np.argsort(sizes, kind="stable")
    rank = np.empty(total, np.int64)
    rank[order] = np.arange(total)
    own = np.zeros(total, np.int64)
    pairs, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for hashes, owners in _ranges(summaries):
        ranks = rank[owners]
        at = np.lexsort((ranks, hashes))
        hashes, ranks = hashes[at], ranks[at]
        place = np.arange(len(hashes))
        begins = np.concatenate([[True], hashes[1:] != hashes[:-1]])[: len(hashes)]
        first = np.maximum.accumulate(np.where(begins, place, 0))
        starts = np.flatnonzero(begins)
        few = np.repeat(np.diff(starts, append=len(hashes)), np.diff(starts, append=len(hashes))) <= _COMMON
        own += np.bincount(ranks[few], minlength=total)
        found = [pairs]
        for k in range(_FIRST):
            here = few & (place - first > k)
            found.append(ranks[first[here] + k] * total + ranks[here])
        weights = np.concatenate([counts, np.ones(sum(map(len, found[1:])), np.int64)])
        pairs, counts = _summed(np.concatenate(found), weights)
    shorter, longer = np.divmod(pairs, max(total, 1))
    near = counts >= np.maximum(_LEAST, KIN * np.minimum(own[shorter], own[longer]))
    _, first, of = np.unique(same, return_index=True, return_inverse=True)
    one, two = order[shorter[near]], order[longer[near]]
    linked = connected(np.concatenate([np.arange(total), one]), np.concatenate([first[of], two]))
    return linked[:total].astype(np.int64)


def shared(summaries: Sequence[Path], heldout: Array) -> tuple[int, int]:
    """Passages of the texts that are held out, bool [N], and those of them that stand in another text as well."""
    total = both = 0
    for hashes, owners in _ranges(summaries):
        held = heldout[owners]
        training = np.unique(hashes[~held])
        total += int(held.sum())
        both += int(np.isin(hashes[held], training).sum())
    return total, both


def _ranges(summaries: Sequence[Path]) -> Iterator[tuple[Array, Array]]:
    """All passages and the texts they stand in, a range of hashes after another."""
    bounds, firsts = offsets(summaries, "passages"), offsets(summaries, "texts")
    number = -(-int(bounds[-1]) // _AT_ONCE)
    edges = np.array([n * (1 << 64) // number for n in range(1, number)], np.uint64)
    cuts = [np.concatenate([[0], np.searchsorted(column(path, "passages"), edges), [size]]).astype(np.int64)
            for path, size in zip(summaries, np.diff(bounds), strict=True)]  # fmt: skip
    for n in range(number):
        parts = [
            (path, slice(cut[n], cut[n + 1]), first) for path, cut, first in zip(summaries, cuts, firsts, strict=False)
        ]
        hashes = np.concatenate([column(path, "passages")[part] for path, part, _ in parts])
        yield hashes, np.concatenate([column(path, "owners")[part] + first for path, part, first in parts])


def _summed(keys: Array, weights: Array) -> tuple[Array, Array]:
    """Each key once, ascending, and the sum of its weights."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
    return keys[starts], np.add.reduceat(weights[order], starts) if len(starts) else weights
