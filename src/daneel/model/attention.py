"""Self-attention: positions, masks, and the softmax.

Shapes: B sequences, T tokens now, S tokens to look at, H heads, K key/value heads, D head size, W model width.
"""

import math
from collections.abc import Callable
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


# Beyond this length the weights of one layer outgrow what a laptop holds; the fused kernel keeps none.
LONGEST_PLAIN = 2048


class Attention(nn.Module):
    """Grouped attention with fused Q, K and V."""

    def __init__(self, arch: Architecture, layer: int) -> None:
        super().__init__()
        self.layer, self.scale = layer, arch.attention_scale
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
    ) -> Tensor:
        """`mask_BTS` None means causal over the same T tokens, or all keys when T is 1."""
        B, T, _ = x_BTW.shape
        q, k, v = self.project(x_BTW, rope)
        if append is not None:
            k, v = append(self.layer, k, v)
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
