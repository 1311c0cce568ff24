"""The encoder-decoder Transformer, from the decoder's blocks (arXiv:1706.03762).

Shapes: B rows, S source tokens, T target tokens, W width, H heads, D head size.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from daneel.formats.architecture import Architecture
from daneel.model.attention import Memory, distance_buckets
from daneel.model.cache import Cache
from daneel.model.decoder import Block, Decoder
from daneel.model.layers import Norm, make_norm


@dataclass(frozen=True)
class Source:
    """Rows of source tokens, int64 [B, S] each."""

    ids: Tensor
    positions: Tensor
    segments: Tensor
    """Numbers the text of each token; -1 is padding."""


def padded(texts: list[list[int]], pad: int) -> Source:
    """A text a row, filled up at the end."""
    longest = max(map(len, texts))
    ids = torch.tensor([text + [pad] * (longest - len(text)) for text in texts])
    places = torch.arange(longest).expand_as(ids)
    inside = places < torch.tensor([len(text) for text in texts])[:, None]
    return Source(ids, places, inside.long() - 1)


class Encoder(nn.Module):
    """Reads a source, every token seeing all of its own text. Embeddings are the decoder's."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.arch = arch
        self.blocks = nn.ModuleList(Block(arch, layer, causal=False) for layer in range(arch.encoder_layers))
        self.relative: nn.Embedding | None = None
        if arch.positions == "relative":
            self.relative = nn.Embedding(arch.buckets, arch.heads, _weight=torch.empty(arch.buckets, arch.heads))
        self.norm: Norm | nn.Identity = make_norm(arch, arch.width) if arch.final_norm else nn.Identity()
        self.dropout = 0.0

    def forward(self, x_BSW: Tensor, segments_BS: Tensor) -> Tensor:
        """Embeddings -> states [B, S, W]."""
        mask = segments_BS[:, :, None] == segments_BS[:, None, :]
        bias = None
        if self.relative is not None:
            places = torch.arange(x_BSW.shape[1], device=x_BSW.device)
            distance = places[None, :] - places[:, None]
            buckets = distance_buckets(distance, self.arch.buckets, self.arch.bucket_distance, both_ways=True)
            bias = self.relative(buckets).permute(2, 0, 1)[None].float()
        for block in self.blocks:
            x_BSW = block(x_BSW, None, mask, None, bias)
        out: Tensor = self.norm(x_BSW)
        return F.dropout(out, self.dropout, self.training) if self.dropout else out


class EncoderDecoder(Decoder):
    """A decoder that also sees a source."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__(arch)
        self.encoder = Encoder(arch)

    def remember(self, source: Source, segments_BT: Tensor | None = None) -> Memory:
        """What the decoder's blocks see of a source; `segments_BT` numbers the texts of a packed target."""
        states = self.encoder(self.start(source.ids, source.positions), source.segments)
        if segments_BT is None:
            mask = source.segments[:, None, :] >= 0
        else:
            mask = segments_BT[:, :, None] == source.segments[:, None, :]
        layers = []
        for block in self.blocks:
            assert isinstance(block, Block)
            assert block.cross is not None
            layers.append(block.cross.remember(states))
        return Memory(layers, mask)

    def hidden(
        self,
        ids_BT: Tensor,
        positions_BT: Tensor | None = None,
        segments_BT: Tensor | None = None,
        cache: Cache | None = None,
        slots: list[int] | None = None,
        memory: Memory | None = None,
        source: Source | None = None,
    ) -> Tensor:
        """See Decoder; `source` is read first, unless `memory` holds what was read of it."""
        if source is not None:
            memory = self.remember(source, segments_BT)
        if memory is None:
            raise ValueError("an encoder-decoder needs a source")
        return super().hidden(ids_BT, positions_BT, segments_BT, cache, slots, memory)
