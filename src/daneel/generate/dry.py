"""DRY ("don't repeat yourself"): the longer a repetition, the less likely the token that prolongs it.

As llama.cpp defines it, after p-e-w's and pi6am's work for text-generation-webui and KoboldCpp.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

Breakers = dict[int, list[tuple[int, ...]]]
"""First token of a sequence that no match may cross -> the tokens that must follow it, each possibility."""

# llama.cpp's limits: characters of a breaker, and tokens after its first.
MAX_CHARACTERS, MAX_TOKENS = 40, 20


def make_breakers(strings: Sequence[str], tokens: Sequence[bytes], encode: Callable[[str], list[int]]) -> Breakers:
    """Every way in which the vocabulary can spell each string, also where a token holds more than it."""
    found: Breakers = {}
    for string in strings:
        string = string[:MAX_CHARACTERS]
        data = string.encode()
        for token, text in enumerate(tokens):
            if data in text:
                found.setdefault(token, []).append(())
                continue
            for size in range(1, min(len(data), len(text) + 1)):
                if text.endswith(data[:size]):
                    rest = data[size:].decode("utf-8", "ignore")
                    tail = tuple(encode(rest)[:MAX_TOKENS])
                    if tail not in found.setdefault(token, []):
                        found[token].append(tail)
    return found


def _limit(history: Sequence[int], breakers: Breakers) -> int:
    """How many of the last tokens stand after the last breaker."""
    if not breakers:
        return len(history)
    for back in range(len(history)):
        at = len(history) - 1 - back
        tails = breakers.get(history[at], ())
        spelled = [len(t) for t in tails if len(t) <= back and tuple(history[at + 1 : at + 1 + len(t)]) == t]
        if spelled:
            return back - max(spelled)
    return len(history)


def dry_penalties(
    history: Sequence[int], breakers: Breakers, multiplier: float, base: float, allowed: int
) -> dict[int, float]:
    """Token -> what its logit loses: multiplier * base ^ (length of what it would repeat - allowed)."""
    limit = _limit(history, breakers)
    if limit < allowed or len(history) <= allowed:
        return {}
    # Beyond this the power overflows a float32 (log of its maximum: 88.72), so longer matches are equal.
    most = int(88.7228391 / math.log(base)) if base > 1.000001 else 0
    longest = min(limit, allowed + most) if most else limit
    tokens = np.asarray(history)
    # Places at which an earlier occurrence of the last `length` tokens ends.
    ends = np.flatnonzero(tokens[:-1] == tokens[-1])
    repeats: dict[int, int] = {}
    length = 1
    while len(ends):
        if length >= allowed:
            repeats.update(dict.fromkeys(tokens[ends + 1].tolist(), length))
        if length >= longest:
            break
        ends = ends[ends >= length]
        ends = ends[tokens[ends - length] == tokens[-1 - length]]
        length += 1
    whole = {token for token, tails in breakers.items() if () in tails}
    return {token: multiplier * base ** (length - allowed) for token, length in repeats.items() if token not in whole}
