"""Pairs that share a sentence on either side, directly or over other pairs: they stay in one part of a corpus."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def connected(sources: Array, targets: Array) -> Array:
    """uint64 [N]: a key that is equal for pairs linked by equal sources or targets, over any number of others.

    `sources` and `targets` are hashes, uint64 [N]; the key is the smallest hash of all that are linked, so that it does
    not depend on their order. A sentence that stands on both sides links too.
    """
    values, nodes = np.unique(np.concatenate([sources, targets]), return_inverse=True)
    lefts, rights = nodes[: len(sources)].tolist(), nodes[len(sources) :].tolist()
    parents = list(range(len(values)))

    def root(node: int) -> int:
        while parents[node] != node:
            parents[node] = node = parents[parents[node]]
        return node

    for one, two in zip(lefts, rights, strict=True):
        low, high = sorted((root(one), root(two)))
        parents[high] = low
    return values[np.array([root(node) for node in lefts], np.int64)]
