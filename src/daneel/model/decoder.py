"""The decoder: one set of blocks for every family, chosen by the Architecture.

Shapes: B sequences, T tokens, W width, V vocabulary, H heads, D head size, S tokens seen.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from daneel.formats.architecture import Architecture
from daneel.model.attention import (
    Append,
    Attention,
    CrossAttention,
    Memory,
    distance_buckets,
    rope_frequencies,
    sinusoids,
    visible,
    weights_of,
)
from daneel.model.cache import Append as CacheAppend
from daneel.model.cache import Cache
from daneel.model.layers import FeedForward, Linear, Norm, make_norm
from daneel.model.nibbles import Nibbles, quantise

Rope = tuple[Tensor, Tensor] | None


class Block(nn.Module):
    """Attention, then feed-forward, each with its norms and a residual; between them, attention to a source."""

    def __init__(self, arch: Architecture, layer: int, causal: bool = True) -> None:
        super().__init__()
        self.after, around = arch.norms == "after", arch.norms == "both"
        self.norm1 = make_norm(arch, arch.width)
        self.attention = Attention(arch, layer, causal)
        self.post1: Norm | None = make_norm(arch, arch.width) if around else None
        self.cross: CrossAttention | None = None
        if causal and arch.encoder_layers:
            self.norm_cross = make_norm(arch, arch.width)
            self.cross = CrossAttention(arch)
        self.norm2 = make_norm(arch, arch.width)
        self.mlp = FeedForward(arch)
        self.post2: Norm | None = make_norm(arch, arch.width) if around else None
        self.dropout = 0.0
        """Of what each part adds; the trainer sets it."""

    def forward(
        self, x: Tensor, rope: Rope, mask: Tensor | None, append: Append | None = None, bias: Tensor | None = None,
        source: tuple[Tensor, Tensor] | None = None, source_mask: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """[B, T, W] -> [B, T, W]; `source` holds the keys and values of an encoder's states."""
        x = self._add(x, self.attention(self._before(x, self.norm1), rope, mask, append, bias), self.norm1, self.post1)
        if self.cross is not None and source is not None and source_mask is not None:
            seen = self.cross(self._before(x, self.norm_cross), source, source_mask)
            x = self._add(x, seen, self.norm_cross, None)
        return self._add(x, self.mlp(self._before(x, self.norm2)), self.norm2, self.post2)

    def _before(self, x: Tensor, norm: Norm) -> Tensor:
        normed: Tensor = x if self.after else norm(x)
        return normed

    def _add(self, x: Tensor, part: Tensor, norm: Norm, post: Norm | None) -> Tensor:
        if post is not None:
            part = post(part)
        if self.dropout:
            part = F.dropout(part, self.dropout, self.training)
        added: Tensor = norm(x + part) if self.after else x + part
        return added


@dataclass(frozen=True)
class Layout:
    """What the tokens of one pass know of their places, an entry a layer."""

    ropes: list[Rope]
    masks: list[Tensor | None]
    bias: Tensor | None = None
    """Added to the scores of all layers, [B, H, T, S]."""


class Decoder(nn.Module):
    """A causal language model; with cross-attention, the target side of an encoder-decoder."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.arch = arch
        self.embed = nn.Embedding(arch.vocab_size, arch.width, _weight=torch.empty(arch.vocab_size, arch.width))
        self.positions: nn.Embedding | None = None
        if arch.positions == "learned":
            self.positions = nn.Embedding(arch.context, arch.width, _weight=torch.empty(arch.context, arch.width))
        self.blocks = nn.ModuleList(Block(arch, layer) for layer in range(arch.layers))
        self.relative: nn.Embedding | None = None
        if arch.positions == "relative":
            self.relative = nn.Embedding(arch.buckets, arch.heads, _weight=torch.empty(arch.buckets, arch.heads))
        self.norm: Norm | nn.Identity = make_norm(arch, arch.width) if arch.final_norm else nn.Identity()
        self.head: nn.Linear | None = None
        if arch.labels or not arch.tied:
            self.head = nn.Linear(arch.width, arch.labels or arch.vocab_size, bias=False)
        self.head_bias = nn.Parameter(torch.empty(1, arch.vocab_size)) if arch.head_bias else None
        self.head_nibbles: Nibbles | None = None
        self.has_planes = False
        self._ropes: dict[str, tuple[Tensor, ...]] = {}
        self._sinusoids: Tensor | None = None
        self.dropout = 0.0
        """Of embeddings; the trainer sets it."""

    @property
    def dtype(self) -> torch.dtype:
        """The type of weights and activations."""
        return self.embed.weight.dtype

    @property
    def head_weight(self) -> Tensor:
        """The output matrix, [V, W]; of a classifier [labels, W]."""
        return self.embed.weight if self.head is None else self.head.weight

    def rope(self, layer: int, positions_BT: Tensor) -> Rope:
        """Cosines and sines as `rotate` wants them, [B, T, D] each; the table of a setting is made once."""
        arch = self.arch
        if arch.positions != "rope":
            return None
        key = f"{arch.rope_theta[layer]} {arch.rope_scaling[layer]} {self.dtype}"
        # Lengths of a power of two: the longest position decides, and a 128k table is made only when needed.
        longest = int(positions_BT.max()) + 1
        if key not in self._ropes or self._ropes[key][0].shape[0] < longest:
            frequencies = rope_frequencies(arch.rope_theta[layer], arch.rope_scaling[layer], arch.head_dim)
            length = max(1024, 1 << (longest - 1).bit_length())
            angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies)
            cos, sin = angles.cos(), angles.sin()
            both = torch.cat((cos, cos), dim=-1), torch.cat((-sin, sin), dim=-1)
            self._ropes[key] = tuple(table.to(positions_BT.device, self.dtype) for table in both)
        cos, sin = self._ropes[key]
        return cos[positions_BT], sin[positions_BT]

    def layout(self, positions_BT: Tensor, segments_BT: Tensor | None, append: CacheAppend | None) -> Layout:
        """Rotations and masks; layers with the same settings share them."""
        arch = self.arch
        masks: dict[int | None, Tensor | None] = {}
        ropes: dict[tuple[float, str], Rope] = {}
        T = positions_BT.shape[1]
        for layer in range(arch.layers):
            window = arch.window[layer]
            if window not in masks:
                masks[window] = self._mask(positions_BT, segments_BT, append, window, T)
            setting = (arch.rope_theta[layer], str(arch.rope_scaling[layer]))
            if setting not in ropes:
                ropes[setting] = self.rope(layer, positions_BT)
        return Layout(
            [ropes[(arch.rope_theta[i], str(arch.rope_scaling[i]))] for i in range(arch.layers)],
            [masks[arch.window[i]] for i in range(arch.layers)],
        )

    def relative_layout(self, positions_BT: Tensor, segments_BT: Tensor | None, append: CacheAppend | None) -> Layout:
        """Biases by distance, and a mask that is always written out, since both are added to the scores."""
        assert self.relative is not None
        arch, T = self.arch, positions_BT.shape[1]
        places = torch.arange(T, device=positions_BT.device)[None]
        queries, keys = (places, places) if append is None else (append.positions, torch.arange(append.end)[None])
        seen = visible(queries, keys, None)
        if segments_BT is not None:
            seen = seen & (segments_BT[:, :, None] == segments_BT[:, None, :])
        distance = keys[:, None, :] - queries[:, :, None]
        buckets = distance_buckets(distance, arch.buckets, arch.bucket_distance, both_ways=False)
        bias = self.relative(buckets).permute(0, 3, 1, 2).float()
        return Layout([None] * arch.layers, [seen] * arch.layers, bias)

    @staticmethod
    def _mask(
        positions_BT: Tensor,
        segments_BT: Tensor | None,
        append: CacheAppend | None,
        window: int | None,
        T: int,
    ) -> Tensor | None:
        if append is not None:
            # Without a mask: a first prompt in one slot is causal, one new token sees all that is there.
            plain = append.even and (append.end == T or T == 1)
            if plain and (window is None or append.end <= window):
                return None
            return visible(append.positions, torch.arange(append.end)[None], window)
        if segments_BT is None and (window is None or window >= T):
            return None
        places = torch.arange(T, device=positions_BT.device)[None]
        seen = visible(places, places, window)
        if segments_BT is None:
            return seen
        same = segments_BT[:, :, None] == segments_BT[:, None, :]
        return seen & same

    def start(self, ids_BT: Tensor, positions_BT: Tensor) -> Tensor:
        """Embeddings, [B, T, W]."""
        x = F.embedding(ids_BT, self.embed.weight)
        if self.arch.embed_scale != 1.0:
            x = x * torch.tensor(self.arch.embed_scale, dtype=x.dtype)
        if self.positions is not None:
            x = x + self.positions(positions_BT)
        if self.arch.positions == "sinusoidal":
            if self._sinusoids is None:
                self._sinusoids = sinusoids(self.arch.context, self.arch.width)
            x = x + self._sinusoids.to(x.device, x.dtype)[positions_BT]
        return F.dropout(x, self.dropout, self.training) if self.dropout else x

    def hidden(
        self,
        ids_BT: Tensor,
        positions_BT: Tensor | None = None,
        segments_BT: Tensor | None = None,
        cache: Cache | None = None,
        slots: list[int] | None = None,
        memory: Memory | None = None,
    ) -> Tensor:
        """What the output head reads, [B, T, W]. The arguments are those of `forward`."""
        append = None
        if cache is not None:
            append = CacheAppend(cache, slots or list(range(ids_BT.shape[0])), ids_BT.shape[1])
            positions_BT = append.positions
        elif positions_BT is None:
            positions_BT = torch.arange(ids_BT.shape[1], device=ids_BT.device).expand_as(ids_BT)
        layout = (self.layout if self.relative is None else self.relative_layout)(positions_BT, segments_BT, append)
        x = self.start(ids_BT, positions_BT)
        if torch.is_grad_enabled() and not x.requires_grad:
            # With frozen embeddings the first block would be compiled apart from the others.
            x.requires_grad_()
        sources = [None] * self.arch.layers if memory is None else memory.layers
        source_mask = None if memory is None else memory.mask
        for block, rope, mask, source in zip(self.blocks, layout.ropes, layout.masks, sources, strict=True):
            x = block(x, rope, mask, append, layout.bias, source, source_mask)
        if append is not None:
            append.advance()
        out: Tensor = self.norm(x)
        if self.dropout:
            out = F.dropout(out, self.dropout, self.training)
        return out if self.arch.head_scale == 1.0 else out * self.arch.head_scale

    def forward(
        self,
        ids_BT: Tensor,
        positions_BT: Tensor | None = None,
        segments_BT: Tensor | None = None,
        cache: Cache | None = None,
        slots: list[int] | None = None,
        last_only: bool = False,
        memory: Memory | None = None,
    ) -> Tensor:
        """Logits in float32: [B, T, V], or [B, 1, V] with `last_only`.

        `segments_BT` numbers the document of each token: tokens see their own document only, and padding is
        a document of its own (-1). With a `cache` the T tokens are appended to each of `slots` (default: the
        first B) and positions follow from the cache.
        """
        x = self.hidden(ids_BT, positions_BT, segments_BT, cache, slots, memory)
        if last_only:
            x = x[:, -1:]
        if self.head_nibbles is not None and self.head_nibbles.fits(x):
            return self.head_nibbles(x).float()
        bias = None if self.head_bias is None else self.head_bias[0]
        return F.linear(x, self.head_weight, bias).float()

    def add_nibbles(self) -> None:
        """Decode with copies of the matrices in 4-bit planes from now on; only in bfloat16 is there a fast kernel."""
        if self.dtype is not torch.bfloat16:
            return
        for module in self.modules():
            if isinstance(module, Linear):
                module.nibbles = quantise(module.weight)
        self.head_nibbles = quantise(self.head_weight)
        self.has_planes = True

    @torch.no_grad()
    def attention_maps(self, ids_T: Tensor, layers: list[int]) -> Tensor:
        """What each token looks at: probabilities [layers, H, T, T] of one sequence."""
        ids_BT = ids_T[None]
        positions = torch.arange(ids_BT.shape[1])[None]
        layout = self.layout(positions, None, None)
        x = self.start(ids_BT, positions)
        maps = {}
        for i, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            if i in layers:
                q, k, _ = block.attention.project(block.norm1(x), layout.ropes[i])
                seen = visible(positions, positions, self.arch.window[i])
                maps[i] = weights_of(q, k, seen, self.arch.attention_scale)[0]
            x = block(x, layout.ropes[i], layout.masks[i])
        return torch.stack([maps[i] for i in layers])
