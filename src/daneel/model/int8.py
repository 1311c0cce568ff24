"""Int8 copies of the matrices for decoding, one scale a row (weight-only: activations stay bfloat16).

A single token multiplies each matrix by one vector, so its speed is that of reading the weights; int8 halves the
bytes, and PyTorch's kernel for it also reads them faster than its bfloat16 one (docs/LOG.md). Prompts, with many
tokens, keep the bfloat16 weights. What it costs in perplexity is in bench/RESULTS.md.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

# Rows of input from which the bfloat16 product is the faster one.
FEW = 8
# Root mean square of the rounding, as a share of the matrix's own, above which a matrix keeps bfloat16: outliers
# stretch its scale. SmolLM2's matrices lie at 0.7 to 1.2 %.
COARSE = 0.015


@dataclass(frozen=True)
class Int8:
    """weight ≈ rows * scales[:, None]."""

    rows: Tensor
    scales: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """[..., inputs] in bfloat16 -> [..., outputs]."""
        flat = x.reshape(-1, x.shape[-1])
        return torch._weight_int8pack_mm(flat, self.rows, self.scales).view(*x.shape[:-1], -1)


@torch.no_grad()
def quantise(weight: Tensor) -> Int8 | None:
    """The int8 copy of a bfloat16 matrix; None where it would be too coarse."""
    scales = (weight.abs().amax(dim=1).float() / 127).to(torch.bfloat16).clamp(min=1e-30)
    rows = torch.empty(weight.shape, dtype=torch.int8)
    wrong = total = 0.0
    # In pieces that stay in the processor's cache.
    for i in range(0, len(weight), 1024):
        part = weight[i : i + 1024].float()
        scale = scales[i : i + 1024].float()[:, None]
        rounded = part.div(scale).round_().clamp_(-127, 127)
        rows[i : i + 1024] = rounded
        wrong += float(rounded.mul_(scale).sub_(part).square_().sum())
        total += float(part.square_().sum())
    return Int8(rows, scales) if wrong <= COARSE**2 * total else None
