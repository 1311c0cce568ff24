"""What a model is asked to learn: which tokens of a record it reads, which of them carry loss, and what they cost.

N learned tokens, W width, L classes.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from daneel.config import TrainConfig
from daneel.corpus.records import Record
from daneel.data.loader import Batch, unpack
from daneel.data.packing import Array, Document, Shards
from daneel.model.decoder import Decoder
from daneel.model.encoder_decoder import EncoderDecoder, Source
from daneel.model.loss import head_loss, token_losses
from daneel.tokenizer.chat import encode_chat
from daneel.tokenizer.load import Tokenizer


def causal(tokenizer: Tokenizer, encoded: Iterable[Array]) -> Iterator[Document]:
    """Raw text, given as its ids: every token is learned, and that the text ends."""
    begin, end = (np.array(ids, np.uint32) for ids in (tokenizer.prefix, tokenizer.eos[:1]))
    for ids in encoded:
        yield Document(np.concatenate([begin, ids, end]))


def chat(tokenizer: Tokenizer, records: Iterable[Record]) -> Iterator[Document]:
    """Conversations: only the assistant's turns are learned."""
    for record in records:
        if record.messages is not None:
            ids, loss = encode_chat(tokenizer, record.messages)
            yield Document(ids, loss)
        else:
            yield from causal(tokenizer, [np.array(tokenizer.encode(record.text or ""), np.uint32)])


def pairs(tokenizer: Tokenizer, records: Iterable[Record], start: int) -> Iterator[Document]:
    """Sequence to sequence: an encoder reads the source, a decoder goes from `start` to the target and its end."""
    end = np.array(tokenizer.eos[:1], np.uint32)
    begin = np.array([start], np.uint32)
    for record in records:
        source, target = (
            np.concatenate([np.array(tokenizer.encode(text), np.uint32), end])
            for text in (record.source or "", record.target or "")
        )
        yield Document(np.concatenate([begin, target]), source=source)


class Objective:
    """What a step minimises, and what is measured on held-out rows: sums, so that those of batches add up."""

    def __init__(self, model: Decoder, config: TrainConfig, compiled: bool = False) -> None:
        self.model, self.config, self.compiled = model, config, compiled

    def count(self, batch: Batch) -> float:
        """What the loss is a mean over."""
        return float(batch.weights.sum())

    def loss(self, batch: Batch, scale: float) -> Tensor:
        """The loss of a batch, summed and times `scale`, with gradients."""
        raise NotImplementedError

    def observe(self, batch: Batch) -> Array:
        """What is measured on a batch, as float64 sums, of which the first are loss and count."""
        raise NotImplementedError

    def figures(self, totals: Array) -> dict[str, float]:
        """What the sums of all batches come to; `heldout`, the mean loss, is among them."""
        return {"heldout": float(totals[0] / totals[1])}

    def states(self, batch: Batch, model: Decoder | None = None) -> Tensor:
        """What the output head reads, [B * T, W]."""
        model = model or self.model
        ids, positions, segments = (torch.from_numpy(x) for x in (batch.ids, batch.positions, batch.segments))
        if isinstance(model, EncoderDecoder):
            assert batch.source is not None
            source = Source(*map(torch.from_numpy, batch.source))
            return model.hidden(ids, positions, segments, source=source).flatten(0, 1)
        return model.hidden(ids, positions, segments).flatten(0, 1)

    @property
    def head_bias(self) -> Tensor | None:
        """Of the output head."""
        return None if self.model.head_bias is None else self.model.head_bias[0]


class Likelihood(Objective):
    """Cross-entropy of the learned tokens."""

    def loss(self, batch: Batch, scale: float) -> Tensor:
        """See Objective; with the label smoothing of the settings."""
        return head_loss(
            self.states(batch), self.model.head_weight, torch.from_numpy(batch.targets).flatten(),
            torch.from_numpy(batch.weights).flatten() * scale, self.compiled, self.head_bias,
            self.config.label_smoothing,
        )  # fmt: skip

    def observe(self, batch: Batch) -> Array:
        """Loss, without smoothing, and learned tokens."""
        losses = token_losses(
            self.states(batch), self.model.head_weight, torch.from_numpy(batch.targets).flatten(), self.head_bias
        )
        return np.array([float(losses @ torch.from_numpy(batch.weights).flatten()), self.count(batch)])


def measure(objective: Objective, shards: Shards, size: int, rows: int) -> dict[str, float]:
    """The figures of the first rows, `size` at a time."""
    rows = min(len(shards), rows)
    objective.model.eval()
    totals = np.zeros(1)
    for start in range(0, rows, size):
        # Every batch has the same shape, so that nothing compiles again; filler rows weigh nothing.
        batch = unpack(**shards.rows(np.minimum(np.arange(start, start + size), rows - 1)))
        batch.weights[rows - start :] = 0
        # With gradients on, though unused, as far as the head: the compiled blocks of training serve here too. They go
        # when `observe` ends, before the next batch makes its own.
        totals = totals + objective.observe(batch)
    return objective.figures(totals)
