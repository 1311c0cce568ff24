"""The engine's backend on PyTorch: any family, full precision or bfloat16."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from daneel.model.cache import Cache
from daneel.model.decoder import Decoder


class TorchBackend:
    """A Decoder and one cache."""

    def __init__(self, model: Decoder) -> None:
        self.model = model
        planes = ", 4-bit planes for decoding" if model.has_planes else ""
        self.name = f"torch ({str(model.dtype).removeprefix('torch.')}{planes})"
        self._cache = Cache(model.arch, 0, 0, model.dtype)

    def open(self, slots: int, capacity: int) -> None:
        """See Backend."""
        self._cache = Cache(self.model.arch, slots, capacity, self.model.dtype)

    @torch.inference_mode()
    def prefill(self, slot: int, ids: Sequence[int]) -> NDArray[np.float32]:
        """See Backend."""
        logits = self.model(torch.tensor([ids]), cache=self._cache, slots=[slot], last_only=True)
        return _numpy(logits[0, 0])

    @torch.inference_mode()
    def decode(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """See Backend."""
        slots = list(range(len(tokens)))
        logits = self.model(torch.tensor(tokens)[:, None], cache=self._cache, slots=slots, last_only=True)
        return _numpy(logits[:, 0])

    @torch.inference_mode()
    def move(self, source: int, target: int) -> None:
        """See Backend."""
        self._cache.move(source, target)

    def free(self, slot: int) -> None:
        """See Backend."""
        self._cache.reset(slot)


def _numpy(logits: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = logits.numpy()
    return array
