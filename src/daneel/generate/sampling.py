"""The sampler chain: from the model's logits to one token, in numpy.

Names are those of vLLM and Transformers; what each step does, and the order, are llama.cpp's. `Sampler` holds
what one request has seen, and a random generator of its own, so a seed gives the same text in any batch.
"""

import math
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daneel.errors import ModelError, UsageError
from daneel.generate.dry import Breakers, dry_penalties

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

ORDER = ("penalties", "dry", "top_k", "typical_p", "top_p", "min_p", "xtc", "temperature")

# name: (lowest, whether it may be the lowest, highest)
RANGES: dict[str, tuple[float, bool, float]] = {
    "temperature": (0, True, 100),
    "top_k": (0, True, math.inf),
    "top_p": (0, False, 1),
    "min_p": (0, True, 1),
    "typical_p": (0, False, 1),
    "repetition_penalty": (0, False, 100),
    "repeat_last_n": (-1, True, math.inf),
    "frequency_penalty": (-2, True, 2),
    "presence_penalty": (-2, True, 2),
    "dry_multiplier": (0, True, 100),
    "dry_base": (1, True, 100),
    "dry_allowed_length": (1, True, math.inf),
    "dry_penalty_last_n": (-1, True, math.inf),
    "xtc_probability": (0, True, 1),
    "xtc_threshold": (0, True, 1),
    "seed": (0, True, 2**63 - 1),
}

# vLLM's bound: colder than this is greedy, since dividing by it would overflow.
GREEDY = 1e-5


def flag(name: str) -> str:
    """How the command line spells a setting."""
    return "--" + name.replace("_", "-")


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. Raises UsageError for a value out of range."""

    temperature: float = 0.8
    """Above 1 is bolder, below 1 safer; 0 always takes the likeliest token."""
    top_k: int = 40
    """Keep the k likeliest tokens; 0 keeps all."""
    top_p: float = 0.95
    """Keep the likeliest tokens that together have this probability; 1 keeps all."""
    min_p: float = 0.05
    """Keep tokens at least this fraction as likely as the likeliest; 0 keeps all."""
    typical_p: float = 1.0
    """Keep the tokens of most ordinary surprise that together have this probability; 1 keeps all."""
    repetition_penalty: float = 1.0
    """Weaken tokens already in the text, prompt included; 1 is off."""
    repeat_last_n: int = 64
    """How many last tokens the repetition penalty looks at; -1 is all, 0 none."""
    frequency_penalty: float = 0.0
    """Subtract this for each time a token was generated."""
    presence_penalty: float = 0.0
    """Subtract this once from every token that was generated."""
    dry_multiplier: float | None = None
    """Strength of DRY, which weakens what would prolong a repetition; 0 is off; unset: 0.8, 0 when greedy."""
    dry_base: float = 1.75
    """DRY grows by this factor with each token that the repetition is longer."""
    dry_allowed_length: int = 2
    """Repeated sequences up to this length cost nothing under DRY."""
    dry_penalty_last_n: int = -1
    """How many last tokens DRY looks at; -1 is all, 0 none."""
    dry_sequence_breakers: tuple[str, ...] = ()
    """DRY never matches across these strings; none by default, since small models repeat whole lines."""
    xtc_probability: float = 0.0
    """How often XTC drops the likeliest tokens, all but the last of those above its threshold; 0 is off."""
    xtc_threshold: float = 0.1
    """What XTC counts as likely; above 0.5 is off."""
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    """Added to the logits of single tokens, by id; -inf forbids one."""
    seed: int | None = None
    """The same seed, prompt and settings give the same text; drawn if not given."""
    order: tuple[str, ...] = ORDER
    """The steps, in order; one that is left out does not run."""

    def __post_init__(self) -> None:
        if self.dry_multiplier is None:
            # Small models loop without it (bench/loops.py), but who asks for greedy wants the plain model.
            object.__setattr__(self, "dry_multiplier", 0.8 if self.temperature >= GREEDY else 0.0)
        for name, (low, inclusive, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not (low <= value <= high and (inclusive or value != low)):
                least = f"{low:g} or more" if inclusive else f"above {low:g}"
                most = "" if high in (math.inf, 2**63 - 1) else f" and at most {high:g}"
                raise UsageError(f"{flag(name)} must be {least}{most}, not {value}")
        if not set(self.order) <= set(ORDER) or len(set(self.order)) < len(self.order):
            given = ",".join(self.order)
            raise UsageError(f"--order takes each of {','.join(ORDER)} at most once, not {given}")
        for token, bias in self.logit_bias.items():
            if token < 0 or math.isnan(bias) or bias == math.inf:
                raise UsageError(f"--logit-bias takes ID=VALUE, finite or -inf, not {token}={bias}")
        if "" in self.dry_sequence_breakers:
            raise UsageError("--dry-sequence-breakers cannot hold an empty string")


def draw_seed() -> int:
    """A seed for a request that names none, short enough to be typed again."""
    return secrets.randbelow(2**32)


class Sampled(NamedTuple):
    """One token; probabilities are the model's own, before any setting, as natural logarithms."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...]
    """The likeliest tokens with their log-probabilities, as many as were asked for."""


class _Candidates:
    """The tokens still in play: `ids` ascending (None: all of the vocabulary) and their logits."""

    def __init__(self, logits: Floats) -> None:
        self.ids: Ids | None = None
        self.logits = logits
        self._shared = True

    def own(self) -> Floats:
        """The logits, to be changed in place: the model's own array is copied once."""
        if self._shared:
            self.logits, self._shared = self.logits.copy(), False
        return self.logits

    def keep(self, index: Ids) -> None:
        """Narrow to these places, given in ascending order."""
        self.logits, self._shared = self.logits[index], False
        self.ids = index if self.ids is None else self.ids[index]

    def places(self, ids: Ids) -> tuple[Ids, NDArray[np.bool_]]:
        """Where some ids stand, and which of them are still in play."""
        if self.ids is None:
            return ids, np.ones(len(ids), dtype=bool)
        at = np.searchsorted(self.ids, ids)
        at = np.minimum(at, len(self.ids) - 1)
        return at, self.ids[at] == ids

    def probabilities(self) -> Floats:
        """The softmax over what is left."""
        weights: Floats = np.exp(self.logits - self.logits.max())
        weights /= weights.sum()
        return weights


class Sampler:
    """The chain for one request; `sample` is called once a token, with the logits that follow the text."""

    def __init__(
        self,
        params: Sampling,
        prompt_ids: Sequence[int],
        breakers: Breakers | None = None,
        top_logprobs: int = 0,
    ) -> None:
        self.params = params
        self._greedy = params.temperature < GREEDY
        self.seed = draw_seed() if params.seed is None else params.seed
        self._random = np.random.Generator(np.random.PCG64(self.seed))
        self._history = list(prompt_ids)
        self._counts: Counter[int] = Counter()
        self._breakers: Breakers = breakers or {}
        self._top_logprobs = top_logprobs
        self._bias_ids = np.fromiter(params.logit_bias.keys(), dtype=np.int64)
        self._biases = np.fromiter(params.logit_bias.values(), dtype=np.float32)

    def sample(self, logits: Floats) -> Sampled:
        """Choose the next token and count it as written."""
        highest = logits.max()
        if not np.isfinite(highest):
            raise ModelError("the model's output is not a number: damaged weights, or too small a --dtype")
        # One draw a token, used or not, so that no setting shifts what follows.
        coin, spin = self._random.random(2)
        token = self._choose(logits, coin, spin)
        normaliser = highest + np.log(np.exp(logits - highest).sum())
        top: tuple[tuple[int, float], ...] = ()
        if self._top_logprobs:
            best = largest(logits, self._top_logprobs)
            best = best[np.argsort(-logits[best], kind="stable")]
            top = tuple((int(i), float(logits[i] - normaliser)) for i in best)
        self._history.append(token)
        self._counts[token] += 1
        return Sampled(token, float(logits[token] - normaliser), top)

    def _choose(self, logits: Floats, coin: float, spin: float) -> int:
        left = self._chain(logits, coin)
        place = int(left.logits.argmax())
        if not self._greedy:
            place = pick(np.exp(left.logits - left.logits[place]), spin)
        return place if left.ids is None else int(left.ids[place])

    def _chain(self, logits: Floats, coin: float) -> _Candidates:
        left = _Candidates(logits)
        if len(self._bias_ids):
            left.own()[self._bias_ids] += self._biases
            if left.logits.max() == -np.inf:
                raise UsageError("--logit-bias forbids every token")
        for step in self.params.order:
            if step == "penalties":
                self._penalise(left)
            elif step == "dry":
                self._dry(left)
            elif not self._greedy:
                _FILTERS[step](left, self.params, coin)
        return left

    def _last(self, count: int) -> Sequence[int]:
        return self._history if count < 0 else self._history[-count:]

    def _penalise(self, left: _Candidates) -> None:
        params = self.params
        if params.repetition_penalty != 1.0 and params.repeat_last_n:
            recent = set(self._last(params.repeat_last_n))
            at, present = left.places(np.fromiter(recent, dtype=np.int64))
            at = at[present]
            values = left.own()[at]
            factor = np.float32(params.repetition_penalty)
            left.logits[at] = np.where(values > 0, values / factor, values * factor)
        if self._counts and (params.frequency_penalty or params.presence_penalty):
            at, present = left.places(np.fromiter(self._counts.keys(), dtype=np.int64))
            counts = np.fromiter(self._counts.values(), dtype=np.float32)
            cost = counts * np.float32(params.frequency_penalty) + np.float32(params.presence_penalty)
            left.own()[at[present]] -= cost[present]

    def _dry(self, left: _Candidates) -> None:
        params = self.params
        if not params.dry_multiplier or not params.dry_penalty_last_n:
            return
        costs = dry_penalties(
            self._last(params.dry_penalty_last_n),
            self._breakers,
            params.dry_multiplier,
            params.dry_base,
            params.dry_allowed_length,
        )
        if costs:
            at, present = left.places(np.fromiter(costs.keys(), dtype=np.int64))
            left.own()[at[present]] -= np.fromiter(costs.values(), dtype=np.float32)[present]


def largest(values: Floats, count: int) -> Ids:
    """Places of the `count` largest values, ascending; of equal values the first are taken."""
    if count >= len(values):
        return np.arange(len(values))
    columns = len(values) // 32
    if columns >= 4 * count:
        # The count-th largest of many maxima cannot exceed the count-th largest value: a cheap bound that
        # leaves few places to sort.
        maxima = values[: 32 * columns].reshape(32, columns).max(axis=0)
        bound = np.partition(maxima, columns - count)[columns - count]
        near = np.flatnonzero(values >= bound)
    else:
        near = np.flatnonzero(values >= np.partition(values, len(values) - count)[len(values) - count])
    best: Ids = near[np.argsort(-values[near], kind="stable")[:count]]
    best.sort()
    return best


def nucleus(keys: Floats, probabilities: Floats, mass: float) -> Ids:
    """The fewest places of largest key whose probabilities reach `mass`, ascending."""
    kept = np.zeros(len(keys), dtype=bool)
    places = largest(keys, 512)
    if probabilities[places].sum() < mass:
        # Quickselect by mass: split at a middling key, and go on in the part where the mass is reached.
        places = np.arange(len(keys))
        while len(places) > 2048:
            values = keys[places]
            above = values >= np.median(values[:: len(values) // 255])
            if above.all():
                break
            upper = places[above]
            share = float(probabilities[upper].sum())
            if share >= mass:
                places = upper
            else:
                kept[upper] = True
                mass -= share
                places = places[~above]
    ranked = places[np.argsort(-keys[places], kind="stable")]
    reached = np.cumsum(probabilities[ranked], dtype=np.float64)
    kept[ranked[: np.searchsorted(reached, mass) + 1]] = True
    return np.flatnonzero(kept)


def pick(weights: Floats, spin: float) -> int:
    """The place where the running sum of weights passes `spin` (0 to 1) of the total; its weight is not 0."""
    width = 1024
    if len(weights) <= 4 * width:
        sums = np.cumsum(weights, dtype=np.float64)
        return _passing(sums, spin * sums[-1])
    # Sums of blocks first: adding up a whole vocabulary one by one would be the slowest step.
    whole = len(weights) // width * width
    blocks = np.append(weights[:whole].reshape(-1, width).sum(axis=1), weights[whole:].sum())
    sums = np.cumsum(blocks, dtype=np.float64)
    target = spin * sums[-1]
    block = _passing(sums, target)
    if block:
        target -= sums[block - 1]
    start = block * width
    return start + _passing(np.cumsum(weights[start : start + width], dtype=np.float64), target)


def _passing(sums: NDArray[np.float64], target: float) -> int:
    """The first place above the target; if rounding left none, the one at which the total is reached."""
    return int(min(np.searchsorted(sums, target, side="right"), np.searchsorted(sums, sums[-1])))


def _top_k(left: _Candidates, params: Sampling, _: float) -> None:
    if 0 < params.top_k < len(left.logits):
        left.keep(largest(left.logits, params.top_k))


def _typical_p(left: _Candidates, params: Sampling, _: float) -> None:
    if params.typical_p < 1:
        p = left.probabilities()
        with np.errstate(divide="ignore"):
            surprise = -np.log(p)
        entropy = (p[p > 0] * surprise[p > 0]).sum()
        left.keep(nucleus(-np.abs(surprise - entropy), p, params.typical_p))


def _top_p(left: _Candidates, params: Sampling, _: float) -> None:
    if params.top_p < 1:
        left.keep(nucleus(left.logits, left.probabilities(), params.top_p))


def _min_p(left: _Candidates, params: Sampling, _: float) -> None:
    if params.min_p > 0:
        bound = left.logits.max() + np.float32(math.log(params.min_p))
        left.keep(np.flatnonzero(left.logits >= bound))


def _xtc(left: _Candidates, params: Sampling, coin: float) -> None:
    if coin < params.xtc_probability and params.xtc_threshold <= 0.5:
        p = left.probabilities()
        unlikely = p < params.xtc_threshold
        if not unlikely.all():
            unlikely[np.where(unlikely, 2, p).argmin()] = True
            left.keep(np.flatnonzero(unlikely))


def _temperature(left: _Candidates, params: Sampling, _: float) -> None:
    if params.temperature != 1:
        logits = left.own()
        logits /= np.float32(params.temperature)


_FILTERS = {
    "top_k": _top_k, "typical_p": _typical_p, "top_p": _top_p, "min_p": _min_p, "xtc": _xtc,
    "temperature": _temperature,
}  # fmt: skip
