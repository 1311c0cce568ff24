"""Float32 master weights, AdamW over them, and the learning rate of each step."""

import math

import torch
from torch import Tensor, nn


def rate(step: int, steps: int, peak: float, warmup: float, schedule: str) -> float:
    """The learning rate of step 0 ... steps - 1."""
    rise = max(1, round(steps * warmup))
    if step < rise:
        return peak * (step + 1) / rise
    if schedule == "wsd":
        # Warm-up, stable, decay (arXiv:2404.06395): linear to zero over the last fifth.
        fall = max(1, steps // 5)
        return peak * min(1.0, (steps - step) / fall)
    share = (step - rise) / max(1, steps - rise)
    return peak * (0.1 + 0.45 * (1 + math.cos(math.pi * share)))


class Masters:
    """The trainable weights in float32; the model computes with copies in its own type.

    A bfloat16 weight cannot take a small update (its step near 1 is 1/128), so gradients are added up and applied
    in float32, and the copies are refreshed once a step.
    """

    def __init__(self, model: nn.Module, dtype: torch.dtype) -> None:
        self.copies = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.weights: dict[str, Tensor] = {}
        self._collected: set[str] = set()
        for name, copy in self.copies.items():
            master = copy.detach().float().clone()
            master.grad = torch.zeros_like(master)
            copy.register_post_accumulate_grad_hook(self._collector(name, master))  # type: ignore[no-untyped-call]
            self.weights[name] = master
        model.to(dtype)

    def _collector(self, name: str, master: Tensor):  # type: ignore[no-untyped-def]
        def collect(copy: Tensor) -> None:
            assert master.grad is not None
            assert copy.grad is not None
            if name in self._collected:
                master.grad += copy.grad
            else:
                # Over what was there: to clear it first and then add takes three passes more over the memory.
                master.grad.copy_(copy.grad)
                self._collected.add(name)
            copy.grad = None

        return collect

    @torch.no_grad()
    def refresh(self) -> None:
        """Copy the masters into the model."""
        torch._foreach_copy_(list(self.copies.values()), list(self.weights.values()))

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self._collected.clear()

    def gradients(self) -> list[Tensor]:
        """The weights with the gradients of this step; those that none reached have zeros."""
        for name in self.weights.keys() - self._collected:
            self.weights[name].grad.zero_()  # type: ignore[union-attr]
        return list(self.weights.values())


class Optimiser:
    """AdamW (arXiv:1711.05101), fused; decay for matrices only."""

    def __init__(self, masters: Masters, weight_decay: float) -> None:
        self.masters = masters
        matrices = [w for w in masters.weights.values() if w.ndim > 1]
        vectors = [w for w in masters.weights.values() if w.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        self.adam = torch.optim.AdamW([g for g in groups if g["params"]], lr=0.0, betas=(0.9, 0.95), fused=True)

    def step(self, lr: float, clip: float) -> float:
        """Apply and forget the gradients; gives their norm before clipping. Not finite: nothing is applied."""
        norm = float(torch.nn.utils.clip_grad_norm_(self.masters.gradients(), clip))
        if math.isfinite(norm):
            for group in self.adam.param_groups:
                group["lr"] = lr
            self.adam.step()
            self.masters.refresh()
        self.masters.zero_grad()
        return norm

    def state(self) -> dict[str, Tensor]:
        """The moments, by weight name; empty before the first step."""
        return {
            f"{name}.{key}": value
            for name, weight in self.masters.weights.items()
            for key, value in self.adam.state.get(weight, {}).items()
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put saved moments back."""
        for name, weight in self.masters.weights.items():
            keys = ("step", "exp_avg", "exp_avg_sq")
            if f"{name}.step" in tensors:
                self.adam.state[weight] = {key: tensors[f"{name}.{key}"].clone() for key in keys}
