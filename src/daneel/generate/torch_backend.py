"""The engine's backend on PyTorch: any family, full precision or bfloat16."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from daneel.model.attention import Memory
from daneel.model.cache import Cache
from daneel.model.decoder import Decoder
from daneel.model.encoder_decoder import EncoderDecoder, padded


class TorchBackend:
    """A model and one cache. Of an encoder-decoder a prompt is the source, and each slot remembers its own."""

    def __init__(self, model: Decoder) -> None:
        self.model = model
        planes = ", 4-bit planes for decoding" if model.has_planes else ""
        self.name = f"torch ({str(model.dtype).removeprefix('torch.')}{planes})"
        self._cache = Cache(model.arch, 0, 0, model.dtype)
        self._sources: list[Memory] = []
        self._joined: Memory | None = None

    def open(self, slots: int, capacity: int) -> None:
        """See Backend."""
        self._cache = Cache(self.model.arch, slots, capacity, self.model.dtype)
        self._sources, self._joined = [], None

    @torch.inference_mode()
    def prefill(self, slot: int, ids: Sequence[int]) -> NDArray[np.float32]:
        """See Backend."""
        model = self.model
        if not isinstance(model, EncoderDecoder):
            return _numpy(model(torch.tensor([ids]), cache=self._cache, slots=[slot], last_only=True)[0, 0])
        memory = model.remember(padded([list(ids)], 0))
        self._sources[slot:] = [memory]
        self._joined = None
        logits = model(torch.tensor([[model.arch.start]]), cache=self._cache, slots=[slot], memory=memory)
        return self._writable(_numpy(logits[0, 0]))

    @torch.inference_mode()
    def decode(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """See Backend."""
        slots = list(range(len(tokens)))
        if self._sources and self._joined is None:
            self._joined = Memory.join(self._sources[: len(tokens)])
        ids = torch.tensor(tokens)[:, None]
        logits = self.model(ids, cache=self._cache, slots=slots, last_only=True, memory=self._joined)
        return self._writable(_numpy(logits[:, 0]))

    @torch.inference_mode()
    def move(self, source: int, target: int) -> None:
        """See Backend."""
        self._cache.move(source, target)
        if self._sources:
            self._sources[target] = self._sources[source]

    def free(self, slot: int) -> None:
        """See Backend."""
        self._cache.reset(slot)
        del self._sources[slot:]
        self._joined = None

    def _writable(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.model.arch.pad is not None:
            logits[..., self.model.arch.pad] = -np.inf
        return logits


class TorchBeams:
    """Hypotheses as rows of one cache; see BeamBackend."""

    def __init__(self, model: Decoder) -> None:
        self.model = model
        self._cache = Cache(model.arch, 0, 0, model.dtype)
        self._memory: Memory | None = None
        self._sources: Memory | None = None
        self._owners = np.empty(0, np.int64)
        """The prompt of each row."""

    @torch.inference_mode()
    def begin(self, prompts: Sequence[Sequence[int]], rows: int, new_tokens: int) -> NDArray[np.float32]:
        """See BeamBackend."""
        model, count = self.model, len(prompts)
        self._owners = np.arange(count)
        if isinstance(model, EncoderDecoder):
            self._cache = Cache(model.arch, rows, new_tokens, model.dtype)
            self._memory = self._sources = model.remember(padded([list(ids) for ids in prompts], model.arch.pad or 0))
            start = torch.full((count, 1), model.arch.start)
            return _numpy(model(start, cache=self._cache, slots=list(range(count)), memory=self._memory)[:, -1])
        self._cache = Cache(model.arch, rows, max(map(len, prompts)) + new_tokens, model.dtype)
        read = [
            model(torch.tensor([ids]), cache=self._cache, slots=[n], last_only=True) for n, ids in enumerate(prompts)
        ]
        return _numpy(torch.cat(read)[:, -1])

    @torch.inference_mode()
    def advance(self, parents: NDArray[np.int64], tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """See BeamBackend."""
        self._cache.select(parents.tolist())
        owners = self._owners[parents]
        if self._sources is not None and not np.array_equal(owners, self._owners):
            self._memory = self._sources.rows(torch.from_numpy(owners))
        self._owners = owners
        slots = list(range(len(tokens)))
        ids = torch.from_numpy(tokens)[:, None]
        return _numpy(self.model(ids, cache=self._cache, slots=slots, memory=self._memory)[:, -1])


def _numpy(logits: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = logits.numpy()
    return array
