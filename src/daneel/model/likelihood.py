"""How probable a model finds a text."""

from itertools import takewhile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from daneel.model.cache import Cache
from daneel.model.decoder import Decoder
from daneel.model.loss import token_losses

# Tokens read in one pass at most: the keys and values of so many take 190 MB for SmolLM2 in float32.
WINDOW = 4096


class Reader:
    """Scores texts one after another; what the next begins with, as the last did, is not read again."""

    def __init__(self, model: Decoder, window: int = WINDOW) -> None:
        self._model, self._window = model, min(window, model.arch.context)
        self._cache: Cache | None = None
        self._read: list[int] = []

    @torch.inference_mode()
    def logprobs(self, ids: list[int], start: int = 1) -> NDArray[np.float32]:
        """Natural log of p(ids[i] | ids before it) for i = start ... len(ids) - 1; start is 1 or more.

        A text longer than the window (at most the model's context) is read in windows that overlap by half, and
        each token is scored once, with at least half a window before it.
        """
        out = np.empty(len(ids) - start, dtype=np.float32)
        done = start
        while done < len(ids):
            # The first window reaches as far as it can; later ones keep half a window of context.
            begin = 0 if done < self._window and done == start else max(0, done - self._window // 2)
            end = min(begin + self._window, len(ids))
            states = self._states(ids[begin : end - 1], done - begin - 1)
            losses = token_losses(states, self._model.head_weight, torch.tensor(ids[done:end]))
            out[done - start : end - start] = -losses.numpy()
            done = end
        return out

    def _states(self, ids: list[int], first: int) -> Tensor:
        """Final states of the tokens from `first` on, [len(ids) - first, W]."""
        if self._cache is None or self._cache.capacity < len(ids):
            capacity = min(self._window, 1 << (len(ids) - 1).bit_length())
            self._cache, self._read = Cache(self._model.arch, 1, capacity, self._model.dtype), []
        known = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self._read, ids[:first], strict=False)))
        self._cache.truncate(0, known)
        self._read = []  # until it is read
        states = self._model.hidden(torch.tensor([ids[known:]]), cache=self._cache, slots=[0])[0]
        self._read = ids
        return states[first - known :]
