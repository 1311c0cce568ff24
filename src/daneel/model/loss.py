"""Cross-entropy of the output head, in chunks, so that the full logits never exist.

N tokens, W width, V vocabulary. 2,048 tokens of SmolLM2 would need 400 MB of float32 logits, and as much again
for their gradient; a chunk needs an eighth. The gradient is computed in the forward pass, while the chunk's
logits are at hand (the idea of Liger Kernel, arXiv:2410.10989).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# Gemma 3's 262,144 logits of so many tokens in float32 are 268 MB, the most that a small laptop should give.
CHUNK = 256


def _chunk(
    x_NW: Tensor, head_VW: Tensor, bias_V: Tensor | None, targets_N: Tensor, weights_N: Tensor, smoothing: float
) -> tuple[Tensor, Tensor]:
    """Losses in float32 [N], and the gradient of their weighted sum by the logits [N, V]."""
    logits = F.linear(x_NW, head_VW, bias_V).float()
    losses = F.cross_entropy(logits, targets_N, reduction="none", label_smoothing=smoothing)
    # The gradient is p less what is wanted: 1 at the target, with smoothing a share of it everywhere.
    wanted = -weights_N[:, None] * (1 - smoothing)
    gradient = logits.softmax(-1)
    if smoothing:
        gradient = gradient - smoothing / logits.shape[-1]
    gradient = (gradient * weights_N[:, None]).to(x_NW.dtype).scatter_add(1, targets_N[:, None], wanted.to(x_NW.dtype))
    return losses, gradient


Chunk = Callable[[Tensor, slice], tuple[Tensor, Tensor]]
"""Of some states [n, W], which are those of a slice: their losses [n], and the gradient of their weighted sum by the
logits [n, V]."""


class _HeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x_NW: Tensor, head_VW: Tensor, bias_V: Tensor | None, weights_N: Tensor, chunk: Chunk
    ) -> Tensor:
        losses, dx = [], []
        dhead = torch.zeros_like(head_VW, dtype=torch.float32) if ctx.needs_input_grad[1] else None
        dbias = None
        if bias_V is not None and ctx.needs_input_grad[2]:
            dbias = torch.zeros_like(bias_V, dtype=torch.float32)
        for i in range(0, len(x_NW), CHUNK):
            part = x_NW[i : i + CHUNK]
            loss, gradient = chunk(part, slice(i, i + CHUNK))
            losses.append(loss)
            dx.append(gradient @ head_VW)
            if dhead is not None:
                dhead += gradient.T @ part
            if dbias is not None:
                dbias += gradient.sum(0, dtype=torch.float32)
        ctx.save_for_backward(torch.cat(dx), *(None if d is None else d.to(head_VW.dtype) for d in (dhead, dbias)))
        return torch.cat(losses) @ weights_N

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        found = [None if saved is None else saved * grads[0] for saved in ctx.saved_tensors]
        return (*found, None, None)


@torch.no_grad()
def token_losses(x_NW: Tensor, head_VW: Tensor, targets_N: Tensor, bias_V: Tensor | None = None) -> Tensor:
    """-log p(target) of each token in float32, [N], for measuring: without the work for gradients."""
    parts = zip(x_NW.split(CHUNK), targets_N.split(CHUNK), strict=True)  # type: ignore[no-untyped-call]
    return torch.cat(
        [F.cross_entropy(F.linear(x, head_VW, bias_V).float(), targets, reduction="none") for x, targets in parts]
    )


def head_loss(
    x_NW: Tensor, head_VW: Tensor, targets_N: Tensor, weights_N: Tensor, compiled: bool = False,
    bias_V: Tensor | None = None, smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """Sum of weight times -log p(target), a float32 scalar with gradients for the states and the head.

    With `smoothing` e the target is wanted with probability 1 - e, and e is spread over all tokens (arXiv:1512.00567).
    """
    made = _fused() if compiled else _chunk

    def chunk(part: Tensor, at: slice) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = made(part, head_VW, bias_V, targets_N[at], weights_N[at], smoothing)
        return found

    loss: Tensor = _HeadLoss.apply(x_NW, head_VW, bias_V, weights_N, chunk)  # type: ignore[no-untyped-call]
    return loss


@dataclass(frozen=True)
class Head:
    """What a model's logits come from."""

    states: Tensor
    """[N, W]"""
    weight: Tensor
    """[V, W]"""
    bias: Tensor | None = None
    """[V]"""

    def logits(self, states: Tensor) -> Tensor:
        """In float32."""
        return F.linear(states, self.weight, self.bias).float()


def teacher_loss(learner: Head, teacher: Head, weights_N: Tensor, temperature: float) -> Tensor:
    """Sum of weight times temperature squared times KL(teacher || learner), both at the temperature (arXiv:1503.02531).

    A float32 scalar with gradients for the learner. The two may differ in width, not in vocabulary.
    """

    def chunk(part: Tensor, at: slice) -> tuple[Tensor, Tensor]:
        ours = (learner.logits(part) / temperature).log_softmax(-1)
        theirs = (teacher.logits(teacher.states[at]) / temperature).log_softmax(-1)
        wanted = theirs.exp()
        losses = temperature**2 * (wanted * (theirs - ours)).sum(-1)
        return losses, ((ours.exp() - wanted) * (temperature * weights_N[at, None])).to(part.dtype)

    loss: Tensor = _HeadLoss.apply(learner.states, learner.weight, learner.bias, weights_N, chunk)  # type: ignore[no-untyped-call]
    return loss


@cache
def _fused() -> Any:
    # Not at import: torch.compile loads seconds of modules.
    return torch.compile(_chunk, dynamic=False)
