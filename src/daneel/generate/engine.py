"""Requests to text: one scheduler that runs many at once over one cache.

A prompt is read alone as soon as a slot is free; then all that run take one step together, and what is
finished makes room. The engine belongs to one thread.
"""

import functools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from daneel.generate.dry import Breakers, make_breakers
from daneel.generate.sampling import Sampled, Sampler, Sampling
from daneel.generate.stream import TextStream
from daneel.tokenizer.load import Tokenizer

FinishReason = Literal["stop", "length", "cancelled"]


class Backend(Protocol):
    """What computes. Sequences stand in slots 0, 1, 2 … without a gap."""

    name: str

    def open(self, slots: int, capacity: int) -> None:
        """Make room for this many sequences of this many tokens; what was there is forgotten."""

    def prefill(self, slot: int, ids: Sequence[int]) -> NDArray[np.float32]:
        """Read a prompt into an empty slot; the logits [V] of what follows it."""

    def decode(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Read one token more in each of the first slots; the logits [B, V] of what follows."""

    def move(self, source: int, target: int) -> None:
        """Put a sequence in another slot."""

    def free(self, slot: int) -> None:
        """Forget a sequence."""


@dataclass(frozen=True)
class Job:
    """One prompt, as ids, and how to go on from it."""

    prompt: Sequence[int]
    sampling: Sampling
    max_new_tokens: int
    stop: tuple[str, ...] = ()
    top_logprobs: int = 0


@dataclass(frozen=True)
class Chunk:
    """What one step added to one request."""

    request: int
    """Which, counted from 0 in the order of submission."""
    text: str
    """May be empty: part of a character, or perhaps the beginning of a stop string."""
    tokens: tuple[Sampled, ...] = ()
    """What was sampled; the last may be the token that ends the text, which has none of its own."""
    finish_reason: FinishReason | None = None
    """Set in a request's last chunk."""


@dataclass
class _Running:
    request: int
    job: Job
    sampler: Sampler
    stream: TextStream
    left: int
    token: int = -1


class Engine:
    """Runs jobs over a backend, at most `slots` at a time, each of at most `capacity` tokens in all."""

    def __init__(self, backend: Backend, tokenizer: Tokenizer, slots: int, capacity: int) -> None:
        self._backend, self._tokenizer, self._slots = backend, tokenizer, slots
        backend.open(slots, capacity)
        self._waiting: deque[tuple[int, Job]] = deque()
        self._running: list[_Running] = []
        self._submitted = 0

    def submit(self, job: Job) -> int:
        """Queue a job; returns its number."""
        self._waiting.append((self._submitted, job))
        self._submitted += 1
        return self._submitted - 1

    @property
    def busy(self) -> bool:
        """Whether any job waits or runs."""
        return bool(self._waiting or self._running)

    def cancel(self, request: int) -> list[Chunk]:
        """Stop a job that waits or runs; gives its last chunk, with what text was held back."""
        for place, (number, _) in enumerate(self._waiting):
            if number == request:
                del self._waiting[place]
                return [Chunk(request, "", finish_reason="cancelled")]
        for slot, running in enumerate(self._running):
            if running.request == request:
                self._leave(slot)
                return [Chunk(request, running.stream.finish(), finish_reason="cancelled")]
        return []

    def step(self) -> list[Chunk]:
        """Take every running job a token further, then let waiting ones join with their first."""
        chunks: list[Chunk] = []
        if self._running:
            rows = self._backend.decode([running.token for running in self._running])
            chunks = [self._advance(*pair) for pair in zip(self._running, rows, strict=True)]
            # From the last slot down, so that what fills a gap has been looked at.
            for slot in reversed(range(len(chunks))):
                if chunks[slot].finish_reason:
                    self._leave(slot)
        while self._waiting and len(self._running) < self._slots:
            chunks.append(self._join(*self._waiting.popleft()))
            if chunks[-1].finish_reason:
                self._leave(len(self._running) - 1)
        return chunks

    def run(self, jobs: Sequence[Job]) -> Iterator[Chunk]:
        """All chunks of some jobs as they come. Closing the iterator cancels what is left."""
        numbers = [self.submit(job) for job in jobs]
        try:
            while self.busy:
                yield from self.step()
        finally:
            for number in numbers:
                self.cancel(number)

    def _join(self, request: int, job: Job) -> Chunk:
        breakers: Breakers = {}
        if job.sampling.dry_multiplier and job.sampling.dry_sequence_breakers:
            breakers = _breakers(self._tokenizer, job.sampling.dry_sequence_breakers)
        sampler = Sampler(job.sampling, job.prompt, breakers, job.top_logprobs)
        running = _Running(request, job, sampler, TextStream(job.stop), job.max_new_tokens)
        logits = self._backend.prefill(len(self._running), job.prompt)
        self._running.append(running)
        return self._advance(running, logits)

    def _advance(self, running: _Running, logits: NDArray[np.float32]) -> Chunk:
        sampled = running.sampler.sample(logits)
        running.token = sampled.token
        running.left -= 1
        tokenizer, stream = self._tokenizer, running.stream
        reason: FinishReason | None = None
        text = ""
        if sampled.token in tokenizer.eos:
            reason = "stop"
        elif sampled.token not in tokenizer.special_ids:
            text = stream.push(tokenizer.token_bytes(sampled.token))
        if stream.stopped:
            reason = "stop"
        elif reason is None and not running.left:
            reason = "length"
        if reason is not None:
            text += stream.finish()
        return Chunk(running.request, text, (sampled,), reason)

    def _leave(self, slot: int) -> None:
        last = len(self._running) - 1
        if slot < last:
            self._backend.move(last, slot)
            self._running[slot] = self._running[last]
        self._running.pop()
        self._backend.free(last)


@functools.lru_cache(maxsize=8)
def _breakers(tokenizer: Tokenizer, strings: tuple[str, ...]) -> Breakers:
    # Once for a tokenizer: it means a walk through the whole vocabulary.
    tokens = [tokenizer.token_bytes(token) for token in range(tokenizer.vocab_size)]
    return make_breakers(strings, tokens, tokenizer.encode)
