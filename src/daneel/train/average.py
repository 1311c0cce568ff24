"""A moving average of the weights, which is often better than the last of them (arXiv:1412.6980, section 7.2).

It is one more copy of the weights and a number, so it goes through checkpoints with the moments, and a run that was
killed goes on with the same bits. A mean of the last k checkpoints would keep k of them on the disk, and depend on when
they were written.
"""

import torch
from torch import Tensor

UPDATES = "average.updates"


class Average:
    """Decays by `decay` an update, at first faster, so that the weights before training are soon forgotten.

    The rate of the first updates, (1 + n) / (10 + n), is that of TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, weights: dict[str, Tensor], decay: float) -> None:
        self.decay = decay
        self._weights = weights
        self._average = {name: weight.detach().clone() for name, weight in weights.items()}
        self._updates = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights in."""
        self._updates += 1
        decay = min(self.decay, (1 + self._updates) / (10 + self._updates))
        torch._foreach_lerp_(list(self._average.values()), list(self._weights.values()), 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange weights and average; once more takes it back."""
        for name, weight in self._weights.items():
            kept = weight.clone()
            weight.copy_(self._average[name])
            self._average[name].copy_(kept)

    def state(self) -> dict[str, Tensor]:
        """The average by weight name, and how often it was updated."""
        return {f"{name}.average": value for name, value in self._average.items()} | {
            UPDATES: torch.tensor(self._updates)
        }

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put a saved state back."""
        self._updates = int(tensors[UPDATES])
        for name, value in self._average.items():
            value.copy_(tensors[f"{name}.average"])
