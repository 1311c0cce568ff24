"""A language model that can be reckoned by hand: a probability for every character, whatever comes before."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from daneel.corpus.document import Document, digest
from daneel.generate.engine import Chunk
from daneel.lm.base import Capabilities, Generation, LanguageModel, Request, Scored


class UnigramModel(LanguageModel):
    """Each character is a token; those of `favourite` are likelier. It records what it was asked."""

    backend = "fake"

    def __init__(self, favourite: str = "", context: int = 400, name: str = "unigram") -> None:
        self.name = name
        self.context = context
        self.capabilities = Capabilities(score=True)
        self.favourite = Counter(favourite)
        self.asked: list[tuple[str, str]] = []

    def logprob(self, character: str) -> float:
        """Natural logarithm of a character's probability."""
        share = self.favourite[character] / max(1, self.favourite.total())
        return float(np.log(0.5 * share + 0.5 / 60))

    def generate(self, requests: Sequence[Request], params: Generation) -> Iterator[Chunk]:
        raise NotImplementedError

    def score(self, context: str, continuation: str) -> Scored:
        self.asked.append((context, continuation))
        logprobs = np.array([self.logprob(c) for c in continuation], np.float32)
        return Scored([c.encode() for c in continuation], logprobs)

    def count(self, prompt: object) -> int:
        return len(str(prompt))

    def token_bytes(self, token: int) -> bytes:
        return chr(token).encode()


class Rewriting(UnigramModel):
    """Its tokens are what a function makes of them."""

    def __init__(self, tokens: Callable[[str, str], list[bytes]], context: int = 400) -> None:
        super().__init__(context=context)
        self._tokens = tokens

    def score(self, context: str, continuation: str) -> Scored:
        tokens = self._tokens(context, continuation)
        return Scored(tokens, np.full(len(tokens), -np.log(2), np.float32))


def document(text: str, language: str = "en") -> Document:
    """A document with nothing known about it."""
    return Document(text, "memory", "Untitled", "", language, "", digest(text))
