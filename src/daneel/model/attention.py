"""Attention: positions, masks, and the softmax.

Shapes: B sequences, T tokens now, S tokens to look at, H heads, K key/value heads, D head size, W model width.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from daneel.formats.architecture import Architecture
from daneel.model.layers import Linear, Norm, make_norm

Append = Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]]


def rope_frequencies(theta: float, scaling: dict[str, Any] | None, head_dim: int) -> Tensor:
    """Radians a position, [D/2] in float32. Sources: arXiv:2104.09864; Llama 3.1's scaling as in Transformers."""
    inverse = 1.0 / (theta ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim))
    if scaling is None:
        return inverse
    if scaling["rope_type"] == "linear":
        return inverse / float(scaling["factor"])
    factor, low, high = scaling["factor"], scaling["low_freq_factor"], scaling["high_freq_factor"]
    context = scaling["original_max_position_embeddings"]
    wavelength = 2 * math.pi / inverse
    smooth = (context / wavelength - low) / (high - low)
    blended = (1 - smooth) * inverse / factor + smooth * inverse
    out = torch.where(wavelength > context / low, inverse / factor, blended)
    return torch.where(wavelength < context / high, inverse, out)


def rotate(x_BHTD: Tensor, cos_BTD: Tensor, sin_BTD: Tensor) -> Tensor:
    """Rotary positions, the halves-of-the-head form that Hugging Face checkpoints use.

    The first half of `sin_BTD` is negative, so that swapping the halves is all that remains to be done.
    """
    swapped = x_BHTD.roll(x_BHTD.shape[-1] // 2, -1)
    return torch.addcmul(x_BHTD * cos_BTD[:, None], swapped, sin_BTD[:, None])


def visible(q_pos_BT: Tensor, k_pos_BS: Tensor, window: int | None) -> Tensor:
    """Which keys a query may see, [B, T, S]: itself and before, within the window."""
    distance = q_pos_BT[:, :, None] - k_pos_BS[:, None, :]
    seen = distance >= 0
    return seen if window is None else seen & (distance < window)


def weights_of(q_BHTD: Tensor, k_BKSD: Tensor, mask_BTS: Tensor, scale: float) -> Tensor:
    """Attention probabilities [B, H, T, S] in float32, for looking at."""
    k_BHSD = k_BKSD.repeat_interleave(q_BHTD.shape[1] // k_BKSD.shape[1], dim=1)
    scores = (q_BHTD.float() @ k_BHSD.float().transpose(-1, -2)) * scale
    return scores.masked_fill(~mask_BTS[:, None], -torch.inf).softmax(-1)


def causal_attention(q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, mask_BTT: Tensor, scale: float) -> Tensor:
    """Attention over one pass of T tokens, a quarter of the queries at a time: [B, H, T, D].

    A block of queries multiplies only the keys up to its own end, as plain matrix products, which run at the
    processor's full rate: 23 ms forward and backward where PyTorch's fused kernel takes 74 (docs/LOG.md).
    """
    B, H, T, D = q_BHTD.shape
    K, group = k_BKTD.shape[1], H // k_BKTD.shape[1]
    block = max(64, -(-T // 4))
    q = q_BHTD.reshape(B * K, group, T, D)
    k, v = k_BKTD.reshape(B * K, T, D), v_BKTD.reshape(B * K, T, D)
    out = []
    for start in range(0, T, block):
        end = min(start + block, T)
        rows = end - start
        scores = torch.bmm(q[:, :, start:end].reshape(B * K, group * rows, D), k[:, :end].transpose(1, 2))
        hidden = ~mask_BTT[:, None, start:end, :end]
        scores = (scores.view(B, H, rows, end).float() * scale).masked_fill(hidden, -torch.inf)
        weights = scores.softmax(-1).to(v.dtype).view(B * K, group * rows, end)
        out.append(torch.bmm(weights, v[:, :end]).view(B, H, rows, D))
    return torch.cat(out, dim=2)


def plain_attention(
    q_BHTD: Tensor,
    k_BHSD: Tensor,
    v_BHSD: Tensor,
    mask_BTS: Tensor | None,
    scale: float,
    bias_BHTS: Tensor | None = None,
) -> Tensor:
    """Attention to S tokens of any place, as many heads on both sides: [B, H, T, D].

    A query that may see nothing (padding) sees everything alike, so that no value is undefined.
    """
    scores = (q_BHTD @ k_BHSD.transpose(-1, -2)).float() * scale
    if bias_BHTS is not None:
        scores = scores + bias_BHTS
    if mask_BTS is not None:
        scores = scores.masked_fill(~mask_BTS[:, None], torch.finfo(scores.dtype).min)
    return scores.softmax(-1).to(v_BHSD.dtype) @ v_BHSD


def distance_buckets(distance_TS: Tensor, buckets: int, longest: int, both_ways: bool) -> Tensor:
    """T5's bucket of each distance (key's place less query's): exact for small ones, then logarithmic; int64.

    Source: arXiv:1910.10683, section 2.1, as in Mesh TensorFlow.
    """
    if both_ways:
        buckets //= 2
        ahead = (distance_TS > 0).long() * buckets
        distance_TS = distance_TS.abs()
    else:
        ahead = torch.zeros_like(distance_TS)
        distance_TS = -distance_TS.clamp(max=0)
    exact = buckets // 2
    growth = torch.log(distance_TS.clamp(min=1).float() / exact) / math.log(longest / exact)
    far = exact + (growth * (buckets - exact)).long()
    return ahead + torch.where(distance_TS < exact, distance_TS, far.clamp(max=buckets - 1))


def sinusoids(length: int, width: int) -> Tensor:
    """The original Transformer's positions [length, width], all sines before all cosines as Marian has them."""
    frequencies = 10000 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), frequencies)
    return torch.cat((angles.sin(), angles.cos()), dim=-1).float()


# Beyond this length the weights of one layer outgrow what a laptop holds; the fused kernel keeps none.
LONGEST_PLAIN = 2048


class Attention(nn.Module):
    """Grouped self-attention with fused Q, K and V."""

    def __init__(self, arch: Architecture, layer: int, causal: bool = True) -> None:
        super().__init__()
        self.layer, self.scale, self.causal = layer, arch.attention_scale, causal
        self.heads, self.kv_heads, self.head_dim = arch.heads, arch.kv_heads, arch.head_dim
        outputs = (arch.heads + 2 * arch.kv_heads) * arch.head_dim
        self.qkv = Linear(arch.width, outputs, bias=arch.qkv_bias)
        self.out = Linear(arch.heads * arch.head_dim, arch.width, bias=arch.output_bias)
        self.q_norm: Norm | None = make_norm(arch, arch.head_dim) if arch.qk_norm else None
        self.k_norm: Norm | None = make_norm(arch, arch.head_dim) if arch.qk_norm else None

    def project(self, x_BTW: Tensor, rope: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [B, H, T, D], keys and values [B, K, T, D], with positions in them."""
        B, T, _ = x_BTW.shape
        H, K = self.heads, self.kv_heads
        qkv = self.qkv(x_BTW).view(B, T, H + 2 * K, self.head_dim)
        heads = qkv.transpose(1, 2)
        if self.q_norm is not None and self.k_norm is not None:
            q, k, v = heads.split((H, K, K), dim=1)
            q, k = self.q_norm(q), self.k_norm(k)
            return (q, k, v) if rope is None else (rotate(q, *rope), rotate(k, *rope), v)
        both, v = heads.split((H + K, K), dim=1)
        if rope is not None:
            both = rotate(both, *rope)
        return both[:, :H], both[:, H:], v

    def merge(self, out_BHTD: Tensor) -> Tensor:
        """The heads side by side, through the output projection: [B, T, W]."""
        B, _, T, _ = out_BHTD.shape
        mixed: Tensor = self.out(out_BHTD.transpose(1, 2).reshape(B, T, self.heads * self.head_dim))
        return mixed

    def forward(
        self,
        x_BTW: Tensor,
        rope: tuple[Tensor, Tensor] | None,
        mask_BTS: Tensor | None,
        append: Append | None = None,
        bias_BHTS: Tensor | None = None,
    ) -> Tensor:
        """`mask_BTS` None means all keys, in a causal layer those up to the token itself."""
        B, T, _ = x_BTW.shape
        q, k, v = self.project(x_BTW, rope)
        if append is not None:
            k, v = append(self.layer, k, v)
        if bias_BHTS is not None or not self.causal:
            return self.merge(plain_attention(q, k, v, mask_BTS, self.scale, bias_BHTS))
        if append is None and mask_BTS is not None and T <= LONGEST_PLAIN:
            return self.merge(causal_attention(q, k, v, mask_BTS.expand(B, T, T), self.scale))
        mask = None if mask_BTS is None else mask_BTS[:, None]
        if T == 1:
            # The queries that share a key as rows of one head: four times faster than the kernel's own grouping.
            q = q.reshape(B, self.kv_heads, -1, self.head_dim)
        out = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=mask is None and T > 1, scale=self.scale,
            enable_gqa=q.shape[1] != self.kv_heads,
        )  # fmt: skip
        return self.merge(out.reshape(B, self.heads, T, self.head_dim))


@dataclass(frozen=True)
class Memory:
    """What a decoder's blocks see of a source."""

    layers: list[tuple[Tensor, Tensor]]
    """Keys and values of each block, [B, H, S, D]."""
    mask: Tensor
    """Who sees what, [B, T, S]; T is 1 where all of a target see the same."""

    def rows(self, index: Tensor) -> "Memory":
        """The memory of some rows, in that order."""
        return Memory([(k[index], v[index]) for k, v in self.layers], self.mask[index])

    @staticmethod
    def join(memories: "list[Memory]") -> "Memory":
        """Memories of sources of several lengths as one, under each other."""
        longest = max(memory.mask.shape[-1] for memory in memories)

        def joined(parts: list[Tensor], axis: int) -> Tensor:
            ends = [(0, 0) * (-1 - axis) + (0, longest - part.shape[axis]) for part in parts]
            return torch.cat([F.pad(part, end) for part, end in zip(parts, ends, strict=True)])

        layers = [
            (joined([k for k, _ in pairs], -2), joined([v for _, v in pairs], -2))
            for pairs in zip(*(memory.layers for memory in memories), strict=True)
        ]
        return Memory(layers, joined([memory.mask for memory in memories], -1))


class CrossAttention(nn.Module):
    """A target's attention to its source, whose K and V are fused."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.scale, self.heads, self.head_dim = arch.attention_scale, arch.heads, arch.head_dim
        inner = arch.heads * arch.head_dim
        self.q = Linear(arch.width, inner, bias=arch.qkv_bias)
        self.kv = Linear(arch.width, 2 * inner, bias=arch.qkv_bias)
        self.out = Linear(inner, arch.width, bias=arch.output_bias)

    def remember(self, states_BSW: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a source, [B, H, S, D]."""
        B, S, _ = states_BSW.shape
        kv = self.kv(states_BSW).view(B, S, 2 * self.heads, self.head_dim).transpose(1, 2)
        return kv[:, : self.heads], kv[:, self.heads :]

    def forward(self, x_BTW: Tensor, source: tuple[Tensor, Tensor], mask_BTS: Tensor) -> Tensor:
        """[B, T, W] -> [B, T, W]; `source` is what `remember` gave."""
        B, T, _ = x_BTW.shape
        q = self.q(x_BTW).view(B, T, self.heads, self.head_dim).transpose(1, 2)
        out = plain_attention(q, *source, mask_BTS, self.scale)
        mixed: Tensor = self.out(out.transpose(1, 2).reshape(B, T, self.heads * self.head_dim))
        return mixed
