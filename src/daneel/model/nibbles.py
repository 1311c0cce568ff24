"""Copies of the matrices for decoding, in planes of 4 bits (weight-only: activations stay bfloat16).

A single token multiplies each matrix by one vector, and PyTorch's 4-bit kernel does that four times as fast as its
bfloat16 product (docs/LOG.md). It computes w = (q - 8) * scale + zero with one bfloat16 scale and zero for 32 weights.
A matrix from a 4-bit file (Q4_1, Q4_K) lies on such a grid and is copied as it stands. Any other becomes 8 bits in
two planes, the high and the low half of each byte, whose products are added. Prompts, with many tokens, keep the
bfloat16 weights. What the copies cost in perplexity is in bench/RESULTS.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

GROUP = 32
# The kernel takes outputs by 16 and packs them by 64.
BLOCK, BLOCKS = 16, 64
# Rows of input from which the bfloat16 product is the faster one, by planes.
FEW = {1: 16, 2: 4}
# Root mean square of the rounding, as a share of the matrix's own, up to which it lies on a 4-bit grid: bfloat16
# alone rounds by 0.17 %, and 4 bits by 8 % where the weights do not come from such a grid.
ON_GRID = 0.005
# Weights looked at in one piece, to stay in the processor's cache; the first alone tells most matrices apart.
PIECE = 1 << 19
# Of a group whose weights are all alike.
TINY = 1e-30
# Steps between a group's least and greatest weight. Q4_1 always has 15; Q4_K mostly.
STEPS = (15, 14, 13, 12)
# Values of 0 to 15 in groups, [n, GROUP], and scale and zero of each, [n, 2].
Plane = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Nibbles:
    """weight ≈ (q - 8) * scale + zero, summed over the planes, which lie side by side as more inputs."""

    packed: Tensor
    grid: Tensor
    """[groups, outputs, 2]: scale and zero."""
    planes: int

    def fits(self, x: Tensor) -> bool:
        """Whether x [sequences, tokens, inputs] is one token of each of so few that this copy is the faster one."""
        return x.shape[-2] == 1 and x.shape[0] <= FEW[self.planes]

    def __call__(self, x: Tensor) -> Tensor:
        """[..., inputs] in bfloat16 -> [..., outputs]."""
        rows = x.reshape(-1, x.shape[-1])
        if self.planes == 2:
            rows = torch.cat((rows, rows), dim=1)
        return torch._weight_int4pack_mm_for_cpu(rows, self.packed, GROUP, self.grid).view(*x.shape[:-1], -1)


@torch.no_grad()
def quantise(weight: Tensor) -> Nibbles | None:
    """The copy of a bfloat16 matrix [outputs, inputs]; None for a shape that the kernel does not take."""
    outputs, inputs = weight.shape
    if outputs % BLOCK or inputs % GROUP:
        return None
    pieces = torch.split(weight, max(1, PIECE // (inputs * BLOCKS)) * BLOCKS)
    return _copy(pieces, _four_bits) or _copy(pieces, _eight_bits)


def _copy(pieces: Sequence[Tensor], method: Callable[[Tensor], list[Plane]]) -> Nibbles | None:
    """Some rows at a time; None as soon as the method cannot say a piece."""
    packed, grids, count = [], [], 0
    for piece in pieces:
        planes = method(piece.float().view(-1, GROUP))
        if not planes:
            return None
        q = torch.cat([q.view(piece.shape) for q, _ in planes], dim=1)
        packed.append(torch._convert_weight_to_int4pack_for_cpu(q.int(), 1))
        grids.append(torch.cat([grid.view(len(piece), -1, 2) for _, grid in planes], dim=1))
        count = len(planes)
    return Nibbles(torch.cat(packed), torch.cat(grids).transpose(0, 1).contiguous(), count)


def _four_bits(groups: Tensor) -> list[Plane]:
    """One plane, if the groups [n, GROUP] lie on grids of 16 levels; else none."""
    least, most = groups.amin(dim=1, keepdim=True), groups.amax(dim=1, keepdim=True)
    limit = ON_GRID**2 * groups.square().sum(dim=1, keepdim=True)
    q, scale, wrong = _on_grid(groups, least, most, STEPS[0])
    for steps in STEPS[1:]:
        left = (wrong > limit).nonzero()[:, 0]
        if not len(left):
            break
        trial = _on_grid(groups[left], least[left], most[left], steps)
        better = trial[2][:, 0] < wrong[left, 0]
        for old, new in zip((q, scale, wrong), trial, strict=True):
            old[left[better]] = new[better]
    if wrong.sum() > limit.sum():
        return []
    return [(q, torch.cat((scale, least + 8 * scale), dim=1).bfloat16())]


def _on_grid(groups: Tensor, least: Tensor, most: Tensor, steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """Levels from the least weight to the greatest, the size of a step, and the squared error of each group."""
    scale = ((most - least) / steps).clamp_(min=TINY)
    q = ((groups - least) / scale).round_()
    wrong = (q * scale).add_(least).sub_(groups).square_().sum(dim=1, keepdim=True)
    return q, scale, wrong


def _eight_bits(groups: Tensor) -> list[Plane]:
    """Two planes, whose sum is 127 steps to each side of zero: 16 * high + low - 128."""
    scale = (groups.abs().amax(dim=1, keepdim=True) / 127).clamp_(min=TINY).bfloat16()
    level = (groups / scale.float()).round_().clamp_(-128, 127).int().add_(128)
    high = (level >> 4, torch.cat((16 * scale, torch.zeros_like(scale)), dim=1))
    low = (level & 15, torch.cat((scale, 8 * scale), dim=1))
    return [high, low]
