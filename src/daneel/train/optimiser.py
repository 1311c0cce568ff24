"""Float32 master weights, AdamW over them, and the learning rate of each step."""

import math

import torch
from torch import Tensor, nn

from daneel.train.average import Average


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
    """AdamW (arXiv:1711.05101), fused; decay for matrices only. With Muon for the matrices of the blocks.

    Muon (arXiv:2502.16982) makes the momentum of a matrix orthogonal and scales it to the size of AdamW's steps, so one
    learning rate serves both. The parts of a fused matrix are matrices of their own.
    """

    def __init__(
        self, masters: Masters, weight_decay: float, parts: dict[str, tuple[int, ...]] | None = None,
        average: float | None = None,
    ) -> None:  # fmt: skip
        """`parts` gives the outputs of each part of the matrices that Muon moves; None leaves all to AdamW.

        `average` is the decay of a moving average of the weights; None keeps none.
        """
        self.masters = masters
        self.average = None if average is None else Average(masters.weights, average)
        self.moved = {name: sizes for name, sizes in (parts or {}).items() if name in masters.weights}
        rest = [w for name, w in masters.weights.items() if name not in self.moved]
        groups = [
            {"params": [w for w in rest if w.ndim > 1], "weight_decay": weight_decay},
            {"params": [w for w in rest if w.ndim <= 1], "weight_decay": 0.0},
        ]
        self.adam = torch.optim.AdamW([g for g in groups if g["params"]], lr=0.0, betas=(0.9, 0.95), fused=True)
        self.muon: torch.optim.Muon | None = None
        if self.moved:
            views = [view for name in self.moved for view in self._views(name)]
            self.muon = torch.optim.Muon(views, lr=0.0, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")

    def _views(self, name: str) -> list[Tensor]:
        """The parts of a weight, with the parts of its gradient, where they lie."""
        weight, sizes = self.masters.weights[name], list(self.moved[name])
        assert weight.grad is not None
        views = list(weight.split(sizes))  # type: ignore[no-untyped-call]
        for view, gradient in zip(views, weight.grad.split(sizes), strict=True):  # type: ignore[no-untyped-call]
            view.grad = gradient
        return views

    def step(self, lr: float, clip: float) -> float:
        """Apply and forget the gradients; gives their norm before clipping. Not finite: nothing is applied."""
        norm = float(torch.nn.utils.clip_grad_norm_(self.masters.gradients(), clip))
        if math.isfinite(norm):
            for optimiser in self._optimisers():
                for group in optimiser.param_groups:
                    group["lr"] = lr
                optimiser.step()
            self.masters.refresh()
            if self.average is not None:
                self.average.update()
        self.masters.zero_grad()
        return norm

    def _optimisers(self) -> list[torch.optim.Optimizer]:
        return [self.adam] if self.muon is None else [self.adam, self.muon]

    def state(self) -> dict[str, Tensor]:
        """The moments, by weight name, and the average; no moments before the first step."""
        found = {
            f"{name}.{key}": value
            for name, weight in self.masters.weights.items()
            for key, value in self.adam.state.get(weight, {}).items()
        }
        found |= {f"{name}.momentum": torch.cat(momenta) for name, momenta in self._momenta().items()}
        return found if self.average is None else found | self.average.state()

    def _momenta(self) -> dict[str, list[Tensor]]:
        if self.muon is None:
            return {}
        views = iter(self.muon.param_groups[0]["params"])
        states = {name: [self.muon.state.get(next(views), {}) for _ in sizes] for name, sizes in self.moved.items()}
        return {name: [s["momentum_buffer"] for s in parts] for name, parts in states.items() if all(parts)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put a saved state back."""
        if self.average is not None:
            self.average.restore(tensors)
        for name, weight in self.masters.weights.items():
            keys = ("step", "exp_avg", "exp_avg_sq")
            if f"{name}.step" in tensors:
                self.adam.state[weight] = {key: tensors[f"{name}.{key}"].clone() for key in keys}
        if self.muon is None:
            return
        views = iter(self.muon.param_groups[0]["params"])
        for name, sizes in self.moved.items():
            saved = tensors.get(f"{name}.momentum")
            parts = [None] * len(sizes) if saved is None else saved.split(list(sizes))  # type: ignore[no-untyped-call]
            for part in parts:
                view = next(views)
                if part is not None:
                    self.muon.state[view] = {"momentum_buffer": part.clone()}
