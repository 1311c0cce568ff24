"""Beam search as Transformers does it, and greedy search beside it: many prompts at once over one cache.

Each sentence is searched alone, and leaves the batch as soon as it is done. Scores are float32, as there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from daneel.errors import UsageError

Array = np.ndarray[Any, Any]

_NEVER = np.float32(-1e9)
"""What Transformers takes for the score of a hypothesis that is none."""


class BeamBackend(Protocol):
    """What computes. Rows are hypotheses; all have the same number of new tokens."""

    def begin(self, prompts: Sequence[Sequence[int]], rows: int, new_tokens: int) -> NDArray[np.float32]:
        """Read prompts, a row each; the logits [B, V] of what follows. At most `rows` rows will follow."""

    def advance(self, parents: Array, tokens: Array) -> NDArray[np.float32]:
        """New rows: which of the rows before each goes on from, and with what token; logits [rows, V]."""


@dataclass(frozen=True)
class Beams:
    """How to search."""

    beams: int = 4
    """Hypotheses that go on side by side; 1 is greedy."""
    max_new_tokens: int = 200
    length_penalty: float = 1.0
    """A hypothesis's score is its log-probability over its length to this power: above 0 favours long ones."""
    early_stopping: bool | Literal["never"] = False
    """True: stop at as many finished ones as beams; False: when the best going on cannot be better at its length now;
    `never`: when it cannot at any length."""
    n_best: int = 1
    banned: tuple[int, ...] = ()
    """Tokens that are never written."""
    forced_eos: int | None = None
    """What the last token must be where a hypothesis fills all `max_new_tokens`."""

    def __post_init__(self) -> None:
        if self.beams < 1 or self.max_new_tokens < 1:
            raise UsageError(f"beams ({self.beams}) and tokens ({self.max_new_tokens}) must be 1 or more")
        if not 1 <= self.n_best <= self.beams:
            raise UsageError(f"the {self.n_best} best of {self.beams} beams cannot be given: ask for at most as many")


@dataclass(frozen=True)
class Hypothesis:
    """One way to go on."""

    tokens: list[int]
    """With the end token, if it has one."""
    score: float
    """Log-probability over length to the power of the penalty."""


def search(
    backend: BeamBackend, prompts: Sequence[Sequence[int]], settings: Beams, eos: Sequence[int]
) -> list[list[Hypothesis]]:
    """The `n_best` ways to go on from each prompt, the best first."""
    if not prompts:
        return []
    kind = _Greedy if settings.beams == 1 else _Search
    searches = [kind(settings, tuple(eos)) for _ in prompts]
    rows = backend.begin(prompts, len(prompts) * settings.beams, settings.max_new_tokens)
    first = np.arange(len(prompts))
    live = list(range(len(prompts)))
    for step in range(settings.max_new_tokens):
        logprobs = _logprobs(rows, settings, last=step + 1 == settings.max_new_tokens)
        parents: list[Array] = []
        tokens: list[Array] = []
        left = []
        for sentence in live:
            one = searches[sentence]
            width = len(one.scores)
            block = logprobs[first[sentence] : first[sentence] + width]
            chosen, written = one.advance(block, step)
            if not one.done:
                parents.append(first[sentence] + chosen)
                tokens.append(written)
                left.append(sentence)
        live = left
        if not live:
            break
        sizes = np.array([len(part) for part in parents])
        first[live] = np.cumsum(sizes) - sizes
        rows = backend.advance(np.concatenate(parents), np.concatenate(tokens))
    return [one.best() for one in searches]


def _logprobs(logits: NDArray[np.float32], settings: Beams, last: bool) -> NDArray[np.float32]:
    highest = logits.max(-1, keepdims=True)
    shifted = logits - highest
    out: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    out[:, list(settings.banned)] = -np.inf
    if last and settings.forced_eos is not None:
        out[:] = -np.inf
        out[:, settings.forced_eos] = 0
    return out


class _Greedy:
    """The likeliest token each time."""

    def __init__(self, settings: Beams, eos: tuple[int, ...]) -> None:
        self.eos = eos
        self.penalty = settings.length_penalty
        self.last = settings.max_new_tokens - 1
        self.scores = np.zeros(1, np.float32)
        self.tokens: list[int] = []
        self.done = False

    def advance(self, logprobs: NDArray[np.float32], step: int) -> tuple[Array, Array]:
        """The row to go on from, 0, and with what."""
        token = int(logprobs[0].argmax())
        self.tokens.append(token)
        self.scores = self.scores + logprobs[0, token]
        self.done = token in self.eos or step == self.last
        return np.zeros(1, np.int64), np.array([token])

    def best(self) -> list[Hypothesis]:
        """The one way."""
        return [Hypothesis(self.tokens, float(self.scores[0]) / len(self.tokens) ** self.penalty)]


class _Search:
    """One sentence: hypotheses that go on, and the best that are finished."""

    def __init__(self, settings: Beams, eos: tuple[int, ...]) -> None:
        self.settings, self.eos = settings, np.array(eos, np.int64)
        beams = settings.beams
        # As many candidates that, if all beams end, as many are left to go on.
        self.kept = max(2, 1 + len(eos)) * beams
        self.scores = np.zeros(1, np.float32)
        self.running: list[list[int]] = [[]]
        self.finished: list[list[int]] = [[] for _ in range(beams)]
        self.finished_scores = np.full(beams, _NEVER)
        self.is_finished = np.zeros(beams, bool)
        self.done = False

    def advance(self, logprobs: NDArray[np.float32], step: int) -> tuple[Array, Array]:
        """Rows [beams] to go on from and with what tokens, given the log-probabilities [beams, V] of what follows."""
        settings, beams, length = self.settings, self.settings.beams, step + 1
        totals = (logprobs + self.scores[:, None]).ravel()
        order = _top(totals, self.kept)
        scores = totals[order]
        rows, tokens = np.divmod(order, logprobs.shape[1])
        ends = np.isin(tokens, self.eos) | (length == settings.max_new_tokens)
        grown = [[*self.running[row], token] for row, token in zip(rows.tolist(), tokens.tolist(), strict=True)]
        self._finish(scores, grown, ends, length)
        on_scores = scores + ends * _NEVER
        on = _top(on_scores, beams)
        self.scores = on_scores[on].astype(np.float32)
        self.running = [grown[n] for n in on.tolist()]
        self.done = length == settings.max_new_tokens or not self._can_improve(length)
        return rows[on], tokens[on]

    def _finish(self, scores: Array, grown: list[list[int]], ends: Array, length: int) -> None:
        just = ends & (np.arange(len(ends)) < self.settings.beams)
        full = self.settings.early_stopping is True and self.is_finished.all()
        new = scores / np.float32(length**self.settings.length_penalty) + (~just | full) * _NEVER
        all_scores = np.concatenate([self.finished_scores, new.astype(np.float32)])
        best = _top(all_scores, self.settings.beams)
        self.finished_scores = all_scores[best]
        self.is_finished = np.concatenate([self.is_finished, just])[best]
        ways = self.finished + grown
        self.finished = [ways[n] for n in best.tolist()]

    def _can_improve(self, length: int) -> bool:
        settings = self.settings
        if settings.early_stopping is True and self.is_finished.all():
            return False
        longest = settings.early_stopping == "never" and settings.length_penalty > 0
        bound = self.scores[0] / np.float32((settings.max_new_tokens if longest else length) ** settings.length_penalty)
        worst = np.where(self.is_finished, self.finished_scores.min(), _NEVER)
        return bool((bound > worst).any())

    def best(self) -> list[Hypothesis]:
        """The best finished ones."""
        pairs = zip(self.finished, self.finished_scores.tolist(), strict=True)
        return [Hypothesis(tokens, score) for tokens, score in list(pairs)[: self.settings.n_best]]


def _top(scores: Array, count: int) -> Array:
    """Places of the highest scores, the highest first, the earlier of equal ones."""
    count = min(count, len(scores))
    rough = np.argpartition(-scores, count - 1)[:count]
    rough.sort()
    order: Array = rough[np.argsort(-scores[rough], kind="stable")]
    return order
