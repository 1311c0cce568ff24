"""A model on this machine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from daneel.errors import ModelError, UsageError
from daneel.formats.hf import read_config
from daneel.formats.peft import read_adapter
from daneel.generate.beam import Beams, search
from daneel.generate.engine import Chunk, Engine, Job
from daneel.generate.sampling import draw_seed
from daneel.generate.torch_backend import TorchBackend, TorchBeams
from daneel.lm.base import Capabilities, Generation, LanguageModel, Request, Scored, notice
from daneel.model.decoder import Decoder
from daneel.model.likelihood import Reader
from daneel.model.load import load_model
from daneel.store import resolve, tokenizer_folder
from daneel.tokenizer.chat import Message
from daneel.tokenizer.load import Tokenizer

# More at once gain little on a CPU, and each needs its own part of the cache.
SLOTS = 16


@dataclass(frozen=True)
class Way:
    """One way to go on, found by search."""

    text: str
    score: float
    """Log-probability, over the length to the power of the penalty."""


class LocalModel(LanguageModel):
    """A Hugging Face folder, computed by PyTorch. The weights are read when first needed."""

    def __init__(self, folder: Path, name: str | None = None, dtype: str = "auto") -> None:
        self.folder = folder
        self.name = name or folder.name
        self.tokenizer = Tokenizer.load(tokenizer_folder(folder))
        self._dtype = dtype
        base = folder if (folder / "config.json").is_file() else resolve(read_adapter(folder).base)
        self.pairs = bool(read_config(base).get("is_encoder_decoder"))
        """A prompt is a source, which an encoder reads."""
        self.capabilities = Capabilities(score=not self.pairs, chat=self.tokenizer.chat is not None and not self.pairs)

    @cached_property
    def model(self) -> Decoder:
        """The weights. Raises ModelError for a classifier."""
        model = load_model(self.folder, self._dtype)
        if model.arch.labels:
            raise ModelError(
                f"{self.name} tells {model.arch.labels} labels apart and writes no text: load it with "
                "Transformers' AutoModelForSequenceClassification, or name a language model"
            )
        return model

    @cached_property
    def _decoder(self) -> Decoder:
        """The weights, ready to decode."""
        if self._dtype == "auto" and not self.pairs:
            self.model.add_nibbles()
        return self.model

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.model)

    @property
    def backend(self) -> str:  # type: ignore[override]
        """See LanguageModel."""
        return TorchBackend(self._decoder).name

    @cached_property
    def context(self) -> int:  # type: ignore[override]
        """See LanguageModel."""
        return self.model.arch.context

    def generate(self, requests: Sequence[Request], params: Generation) -> Iterator[Chunk]:
        """See LanguageModel."""
        several = len(requests) > 1
        jobs = [
            self._job(request, params, f"prompt {number}" if several else "the prompt")
            for number, request in enumerate(requests, start=1)
        ]
        if not jobs:
            return iter(())
        capacity = max(len(job.prompt) + job.max_new_tokens for job in jobs)
        # A backend of its own: its cache belongs to these requests alone.
        engine = Engine(TorchBackend(self._decoder), self.tokenizer, min(len(jobs), SLOTS), capacity)
        return engine.run(jobs)

    def score(self, context: str, continuation: str) -> Scored:
        """See LanguageModel."""
        if self.pairs:
            raise ModelError(f"{self.name} goes from a source to a target: it does not say how probable a text is")
        ids, spans = self.tokenizer.spans(context + continuation)
        first = next((i for i, (_, end) in enumerate(spans) if end > len(context)), len(ids))
        prefix = self.tokenizer.prefix or ([] if first else self._start())
        logprobs = np.empty(0, dtype=np.float32)
        if first < len(ids):
            logprobs = self._reader.logprobs(prefix + ids, len(prefix) + first)
        return Scored([self.tokenizer.token_bytes(id) for id in ids[first:]], logprobs)

    def count(self, prompt: str | Sequence[Message]) -> int:
        """See LanguageModel."""
        return len(self.encode(prompt))

    def encode(self, prompt: str | Sequence[Message]) -> list[int]:
        """The ids that the model reads for a text or a conversation."""
        tokenizer = self.tokenizer
        if isinstance(prompt, str) and self.pairs:
            return [*tokenizer.encode(prompt), *tokenizer.eos[:1]]
        if isinstance(prompt, str):
            return (tokenizer.prefix + tokenizer.encode(prompt)) or self._start()
        if tokenizer.chat is None or self.pairs:
            raise ModelError(
                f"{self.name} has no chat template: it continues text, it does not hold conversations; "
                "take an instruct model, such as -m smollm2, or `daneel write`"
            )
        *earlier, last = prompt
        if last["role"] == "assistant" and earlier:
            text = tokenizer.chat.render(earlier, add_generation_prompt=True) + last["content"]
        else:
            text = tokenizer.chat.render(prompt, add_generation_prompt=True)
        return tokenizer.encode(text, special=True)

    def search(self, prompts: Sequence[str], settings: Beams, at_once: int = SLOTS) -> list[list[Way]]:
        """The best ways to go on from each prompt by beam search, the best first; `at_once` share a cache."""
        ids = [
            self._job(Request(prompt), Generation(settings.max_new_tokens), prompt[:40]).prompt for prompt in prompts
        ]
        arch = self.model.arch
        if self.pairs and arch.pad is not None:
            settings = replace(settings, banned=(arch.pad,), forced_eos=arch.eos[0])
        out: list[list[Way]] = [[] for _ in prompts]
        # Sources of like length side by side, so that little is padding.
        order = sorted(range(len(prompts)), key=lambda n: len(ids[n]))
        for begin in range(0, len(order), at_once):
            group = order[begin : begin + at_once]
            found = search(TorchBeams(self.model), [ids[n] for n in group], settings, self.tokenizer.eos)
            for n, ways in zip(group, found, strict=True):
                out[n] = [Way(self._text(way.tokens), way.score) for way in ways]
        return out

    def _text(self, tokens: Sequence[int]) -> str:
        tokenizer = self.tokenizer
        written = (tokenizer.token_bytes(token) for token in tokens if token not in tokenizer.special_ids)
        return b"".join(written).decode("utf-8", "replace")

    def token_bytes(self, token: int) -> bytes:
        """See LanguageModel."""
        return self.tokenizer.token_bytes(token)

    def _start(self) -> list[int]:
        # What stands before a text when nothing does: in training, texts followed such a token.
        begin = self.tokenizer.bos if self.tokenizer.bos is not None else next(iter(self.tokenizer.eos), None)
        if begin is None:
            raise UsageError(f"{self.name} cannot begin with an empty text: give it some words to continue")
        return [begin]

    def _job(self, request: Request, params: Generation, which: str) -> Job:
        ids = self.encode(request.prompt)
        # A source does not take room from its target.
        room = self.context - (len(ids) if not self.pairs else len(ids) // self.context)
        if room < 1:
            raise ModelError(
                f"{which} has {len(ids)} tokens, but {self.name} reads at most {self.context}, "
                "its answer included: shorten the prompt"
            )
        if room < params.max_new_tokens:
            notice(
                f"{which} has {len(ids)} tokens and {self.name} reads at most {self.context}: "
                f"the text ends after {room} of the {params.max_new_tokens} tokens asked for"
            )
        size = self.model.arch.vocab_size
        for token in params.sampling.logit_bias:
            if token >= size:
                raise UsageError(f"--logit-bias names token {token}, but {self.name} has {size} tokens")
        seed = request.seed if request.seed is not None else params.sampling.seed
        sampling = replace(params.sampling, seed=draw_seed() if seed is None else seed)
        return Job(ids, sampling, min(params.max_new_tokens, room), params.stop, params.top_logprobs)
