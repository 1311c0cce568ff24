"""What tasks, server, studio and audits know of a language model, whatever computes it."""

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from daneel.corpus.document import HAN
from daneel.errors import UsageError
from daneel.generate.engine import Chunk, FinishReason
from daneel.generate.sampling import Sampled, Sampling
from daneel.tokenizer.chat import Message

HAN_SIGN = re.compile(f"[{HAN}]")
# Above this many tokens a Chinese character a model has seen too little Chinese to write it.
UNFIT = 1.2
# Fewer characters say little: rare ones cost several tokens in any vocabulary.
HAN_ENOUGH = 4


@dataclass(frozen=True)
class Request:
    """A text to continue, or a conversation to answer; one that ends with the assistant is continued."""

    prompt: str | Sequence[Message]
    seed: int | None = None
    """In place of the seed in the sampling settings."""


@dataclass(frozen=True)
class Generation:
    """How requests are continued."""

    max_new_tokens: int = 200
    """How many tokens are written at most."""
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    """Strings that end the text; they are not part of it."""
    top_logprobs: int = 0
    """For each token, how many of the likeliest alternatives are given."""

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise UsageError(f"-n must be 1 or more, not {self.max_new_tokens}")
        if "" in self.stop:
            raise UsageError("--stop cannot be empty: every text holds the empty string")
        if self.top_logprobs < 0:
            raise UsageError(f"top_logprobs must be 0 or more, not {self.top_logprobs}")


@dataclass(frozen=True)
class Scored:
    """The tokens of a continuation, as bytes, and the natural logarithm of each one's probability."""

    tokens: list[bytes]
    logprobs: NDArray[np.float32]


@dataclass(frozen=True)
class Capabilities:
    """What a model can do."""

    generate: bool = True
    score: bool = False
    chat: bool = False


@dataclass(frozen=True)
class Answer:
    """All chunks of one request, put together."""

    text: str
    tokens: list[Sampled]
    finish_reason: FinishReason


class LanguageModel(ABC):
    """A model that continues text."""

    name: str
    backend: str
    """What computes it, for reports."""
    context: int
    """Tokens it can look at, prompt and answer together."""
    capabilities: Capabilities

    @abstractmethod
    def generate(self, requests: Sequence[Request], params: Generation) -> Iterator[Chunk]:
        """The answers, piece by piece as they are made; closing the iterator stops the work.

        A request without a seed, under settings without one, gets a drawn seed. Raises ModelError for a
        prompt longer than the context, before anything is generated.
        """

    @abstractmethod
    def score(self, context: str, continuation: str) -> Scored:
        """How probable a continuation is. A token across the border counts as the continuation's."""

    @abstractmethod
    def count(self, prompt: str | Sequence[Message]) -> int:
        """Tokens of a text or conversation, as `generate` reads it."""

    @abstractmethod
    def token_bytes(self, token: int) -> bytes:
        """What a sampled token stands for."""

    def complete(self, requests: Sequence[Request], params: Generation) -> list[Answer]:
        """The answers whole, in the order of the requests."""
        texts: list[list[str]] = [[] for _ in requests]
        tokens: list[list[Sampled]] = [[] for _ in requests]
        reasons: list[FinishReason] = ["cancelled"] * len(requests)
        for chunk in self.generate(requests, params):
            texts[chunk.request].append(chunk.text)
            tokens[chunk.request] += chunk.tokens
            if chunk.finish_reason:
                reasons[chunk.request] = chunk.finish_reason
        return [Answer("".join(t), s, r) for t, s, r in zip(texts, tokens, reasons, strict=True)]

    def warn_if_unfit(self, text: str) -> bool:
        """Say on stderr if the vocabulary is not made for the text's Chinese; returns whether it did."""
        han = "".join(HAN_SIGN.findall(text))
        if len(han) < HAN_ENOUGH:
            return False
        share = self.count(han) / len(han)
        if share <= UNFIT:
            return False
        notice(
            f"{self.name} needs {share:.1f} tokens for a Chinese character (a model that knows Chinese: "
            f"at most {UNFIT}), so what it writes will make little sense; one that fits: -m gemma3"
        )
        return True


def notice(line: str) -> None:
    """A line on stderr: what the user should know but need not mend."""
    print(f"daneel: {line}", file=sys.stderr, flush=True)
