"""What a model is asked to learn: which tokens of a record it reads, which of them carry loss, and what they cost.

N learned tokens, W width, L classes.
"""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from daneel.config import TrainConfig
from daneel.corpus.records import Record
from daneel.data.loader import Batch, unpack
from daneel.data.packing import Array, Document, Meta, Shards
from daneel.errors import ModelError
from daneel.model.decoder import Decoder
from daneel.model.encoder_decoder import EncoderDecoder, Source
from daneel.model.loss import Head, head_loss, teacher_loss, token_losses
from daneel.tokenizer.chat import encode_chat
from daneel.tokenizer.load import Tokenizer

# Of T5: the share of tokens that hide, and the mean length of a gap.
HIDDEN, GAP = 0.15, 3
SENTINELS = tuple(f"<extra_id_{n}>" for n in range(100))


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


def preferences(tokenizer: Tokenizer, records: Iterable[Record]) -> Iterator[Document]:
    """Pairs of answers, each after what was asked: only the answers are learned."""
    for record in records:
        chosen, rejected = (
            Document(*encode_chat(tokenizer, messages or [], record.asked))
            for messages in (record.messages, record.rejected)
        )
        chosen.rejected = rejected
        yield chosen


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


def labelled(tokenizer: Tokenizer, records: Iterable[Record], labels: Sequence[str]) -> Iterator[Document]:
    """Texts, whose last token tells the label."""
    numbers = {label: n for n, label in enumerate(labels)}
    for record in records:
        ids = [*tokenizer.prefix, *tokenizer.encode(record.text or "")]
        yield Document(ids, label=numbers[record.label or ""])


def spans(tokenizer: Tokenizer, encoded: Iterable[Array], start: int, length: int, seed: int) -> Iterator[Document]:
    """Span corruption (arXiv:1910.10683, section 3.1.4): an encoder reads a text with gaps, a decoder fills them.

    A text is cut into pieces whose gapped form has at most `length` tokens. What hides follows from the seed and the
    text alone.
    """
    marks, end = np.array(sentinels(tokenizer), np.uint32), np.array(tokenizer.eos[:1], np.uint32)
    longest = span_sizes(length, len(marks))[0]
    for ids in encoded:
        draw = np.random.default_rng((seed, zlib.crc32(ids.tobytes())))
        for piece in np.split(ids, range(longest, len(ids), longest)):
            if not len(piece):
                continue
            hidden, gaps = _hidden(len(piece))
            kept = _parts(len(piece) - hidden, gaps, draw)
            # Kept and hidden take turns, and what is kept comes first, as in the paper's code.
            turns = np.stack([kept, _parts(hidden, gaps, draw)], axis=1).ravel()
            runs = np.split(piece, np.cumsum(turns)[:-1])
            marked = marks[:gaps, None]
            source = np.concatenate([part for run, mark in zip(runs[::2], marked, strict=True) for part in (run, mark)])
            target = np.concatenate(
                [part for run, mark in zip(runs[1::2], marked, strict=True) for part in (mark, run)]
            )
            yield Document(
                np.concatenate([[start], target, end]).astype(np.uint32), source=np.concatenate([source, end])
            )


def sentinels(tokenizer: Tokenizer) -> list[int]:
    """Ids of `<extra_id_0>`, `<extra_id_1>`, ..., as far as the vocabulary has them. Raises ModelError."""
    found = (tokenizer.encode(name, special=True) for name in SENTINELS)
    ids = [ids[0] for ids in takewhile(lambda ids: len(ids) == 1, found)]
    if not ids:
        raise ModelError(
            f"an encoder-decoder learns texts by filling gaps, and this vocabulary has no {SENTINELS[0]} to mark one: "
            "give pairs, or a T5"
        )
    return ids


def span_sizes(length: int, marks: int) -> tuple[int, int]:
    """Tokens of the longest text that has at most `length` with its gaps and its end, and those of its target."""
    longest = 1
    while _gapped(longest + 1) <= length and _hidden(longest + 1)[1] <= marks:
        longest += 1
    return longest, sum(_hidden(longest)) + 2


def _gapped(length: int) -> int:
    """Tokens of a text with its gaps and its end."""
    hidden, gaps = _hidden(length)
    return length - hidden + gaps + 1


def _hidden(length: int) -> tuple[int, int]:
    """How many tokens of a text hide, and in how many gaps."""
    hidden = max(1, round(length * HIDDEN))
    gaps = min(max(1, round(hidden / GAP)), max(1, length - hidden))
    return hidden, gaps


def _parts(total: int, count: int, draw: np.random.Generator) -> Array:
    """A number as a sum of so many, none of them 0 (but of 0 itself), all ways alike."""
    cuts = np.sort(draw.choice(max(0, total - 1), count - 1, replace=False)) + 1
    return np.diff([0, *cuts, total])


class Objective(ABC):
    """What a step minimises, and what is measured on held-out rows: sums, so that those of batches add up."""

    def __init__(self, model: Decoder, config: TrainConfig, compiled: bool = False) -> None:
        self.model, self.config, self.compiled = model, config, compiled

    def count(self, batch: Batch) -> float:
        """What the loss is a mean over."""
        return float(batch.weights.sum())

    @abstractmethod
    def loss(self, batch: Batch, scale: float) -> Tensor:
        """The loss of a batch, summed and times `scale`, with gradients."""

    @abstractmethod
    def observe(self, batch: Batch) -> Array:
        """What is measured on a batch, as float64 sums, of which the first are loss and count."""

    def figures(self, totals: Array) -> dict[str, float]:
        """What the sums of all batches come to; `heldout`, the mean loss, is among them."""
        return {"heldout": float(totals[0] / totals[1])}

    def bits_per_byte(self, loss: float, meta: Meta, smoothed: bool = True) -> float | None:
        """What a mean loss over these rows is in bits a byte of text; None where it is no likelihood of text.

        `smoothed`: the loss is one that a step minimises, with the label smoothing of the settings.
        """
        return None

    def states(self, batch: Batch, model: Decoder | None = None) -> Tensor:
        """What the output head reads, [B * T, W]."""
        model = model or self.model
        ids, positions, segments = (torch.from_numpy(x) for x in (batch.ids, batch.positions, batch.segments))
        if isinstance(model, EncoderDecoder):
            assert batch.source is not None
            source = Source(*map(torch.from_numpy, batch.source))
            return model.hidden(ids, positions, segments, source=source).flatten(0, 1)
        return model.hidden(ids, positions, segments).flatten(0, 1)

    def learned(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Which tokens are learned [B * T], their states [N, W] and targets [N]."""
        learned = torch.from_numpy(batch.weights > 0).flatten()
        return learned, self.states(batch)[learned], torch.from_numpy(batch.targets).flatten()[learned]

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

    def bits_per_byte(self, loss: float, meta: Meta, smoothed: bool = True) -> float | None:
        """See Objective."""
        return None if smoothed and self.config.label_smoothing else meta.bits_per_byte(loss)

    def observe(self, batch: Batch) -> Array:
        """Loss, without smoothing, and learned tokens."""
        losses = token_losses(
            self.states(batch), self.model.head_weight, torch.from_numpy(batch.targets).flatten(), self.head_bias
        )
        return np.array([float(losses @ torch.from_numpy(batch.weights).flatten()), self.count(batch)])


class Distillation(Likelihood):
    """What a teacher of the same vocabulary holds likely, at each learned token; measured as Likelihood."""

    def __init__(self, model: Decoder, config: TrainConfig, compiled: bool = False, *, teacher: Decoder) -> None:
        super().__init__(model, config, compiled)
        self.teacher = teacher

    def loss(self, batch: Batch, scale: float) -> Tensor:
        """See Objective."""
        with torch.no_grad():
            taught = self.states(batch, self.teacher)
        # A head may be padded beyond the vocabulary.
        size = min(self.model.arch.vocab_size, self.teacher.arch.vocab_size)
        learner, teacher = (
            Head(states, model.head_weight[:size], None if model.head_bias is None else model.head_bias[0, :size])
            for states, model in ((self.states(batch), self.model), (taught, self.teacher))
        )
        weights = torch.from_numpy(batch.weights).flatten() * scale
        return teacher_loss(learner, teacher, weights, self.config.temperature)

    def bits_per_byte(self, loss: float, meta: Meta, smoothed: bool = True) -> float | None:
        """None of a step's loss, which is a distance from the teacher."""
        return None if smoothed else super().bits_per_byte(loss, meta, smoothed)


class Preference(Objective):
    """Direct preference optimisation (arXiv:2305.18290, equation 7); counts pairs.

    The reward of an answer is beta times what its log-probability gained on the reference, the loss of a pair
    -log sigmoid of the better answer's reward less the worse one's.
    """

    def count(self, batch: Batch) -> float:
        """Pairs, of which an answer is learned."""
        return float(_answers(batch)[0].max(initial=-1) + 1)

    def loss(self, batch: Batch, scale: float) -> Tensor:
        """See Objective."""
        learned, states, targets = self.learned(batch)
        margins, pair, side = self._margins(batch, states, targets, learned)
        # A token's share in the slope of its pair: known before the head's gradient, which the forward pass computes.
        weights = self.config.beta * torch.sigmoid(-margins)[pair] * side
        slope = head_loss(states, self.model.head_weight, targets, weights * scale, bias_V=self.head_bias)
        return slope - slope.detach() - F.logsigmoid(margins).sum() * scale

    def observe(self, batch: Batch) -> Array:
        """Loss, pairs, margins between the rewards, and pairs in which the better answer has the higher one."""
        learned, states, targets = self.learned(batch)
        margins = self._margins(batch, states, targets, learned)[0]
        sums = -F.logsigmoid(margins).sum(), len(margins), margins.sum(), (margins > 0).sum()
        return np.array([float(each) for each in sums])

    def figures(self, totals: Array) -> dict[str, float]:
        """The mean loss and margin, and the share of pairs that are in the right order."""
        loss, margin, accuracy = (totals[[0, 2, 3]] / totals[1]).tolist()
        return {"heldout": loss, "margin": margin, "accuracy": accuracy}

    def _margins(self, batch: Batch, states: Tensor, targets: Tensor, learned: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The better answer's reward less the worse one's of each pair; and of each token its pair, and 1 or -1."""
        assert batch.reference is not None
        pair, side = (torch.from_numpy(x) for x in _answers(batch))
        gained = -token_losses(states, self.model.head_weight, targets, self.head_bias)
        gained -= torch.from_numpy(batch.reference).flatten()[learned]
        margins = torch.zeros(int(pair.max()) + 1 if len(pair) else 0)
        return margins.index_add(0, pair, self.config.beta * side * gained), pair, side


class Classification(Objective):
    """Cross-entropy of the label that a classifier's head gives to the last token of a text; counts texts."""

    def loss(self, batch: Batch, scale: float) -> Tensor:
        """See Objective; with the label smoothing of the settings."""
        _, states, targets = self.learned(batch)
        weights = torch.full(targets.shape, scale)
        return head_loss(states, self.model.head_weight, targets, weights, smoothing=self.config.label_smoothing)

    def observe(self, batch: Batch) -> Array:
        """Loss, without smoothing, texts, and how often each label [L] was taken for each [L]."""
        _, states, targets = self.learned(batch)
        logits = F.linear(states, self.model.head_weight).float().detach()
        loss = F.cross_entropy(logits, targets, reduction="sum")
        labels = logits.shape[-1]
        taken = np.zeros((labels, labels))
        np.add.at(taken, (targets.numpy(), logits.argmax(-1).numpy()), 1)
        return np.array([float(loss), len(targets), *taken.ravel()])

    def figures(self, totals: Array) -> dict[str, float]:
        """The mean loss, the share of labels that are right, and the mean F1 of the labels that occur."""
        labels = self.model.arch.labels
        taken = totals[2:].reshape(labels, labels)
        both = taken.sum(0) + taken.sum(1)
        scores = 2 * taken.diagonal()[both > 0] / both[both > 0]
        return {
            "heldout": float(totals[0] / totals[1]),
            "accuracy": float(taken.trace() / totals[1]),
            "macro_f1": float(scores.mean()),
        }


def _answers(batch: Batch) -> tuple[Array, Array]:
    """Of each learned token [N] the number of its pair, from 0, and 1 in the better answer, -1 in the worse."""
    rows, columns = np.nonzero(batch.weights)
    segments = batch.segments[rows, columns]
    pairs = np.unique(rows * batch.segments.shape[1] + segments // 2, return_inverse=True)[1]
    return pairs, (1 - 2 * (segments % 2)).astype(np.float32)


def reference(model: Decoder, size: int) -> Callable[[dict[str, Array]], dict[str, Array]]:
    """For `write_shards`: the log-probabilities that a model gives to what is learned, `size` rows at a time."""

    @torch.no_grad()
    def read(rows: dict[str, Array]) -> dict[str, Array]:
        out = np.zeros(rows["ids"].shape, np.float32)
        objective = Likelihood(model, TrainConfig())
        for start in range(0, len(out), size):
            part = {kind: rows[kind][start : start + size] for kind in ("ids", "flags")}
            batch = unpack(part["ids"].astype(np.int64), part["flags"])
            learned = batch.weights > 0
            states = objective.states(batch)[torch.from_numpy(learned).flatten()]
            losses = token_losses(
                states, model.head_weight, torch.from_numpy(batch.targets[learned]), objective.head_bias
            )
            out[start : start + size, 1:][learned] = -losses.numpy()
        return {"reference": out}

    return read


def measure(objective: Objective, shards: Shards, size: int, rows: int) -> dict[str, float]:
    """The figures of the first rows, `size` at a time."""
    rows = min(len(shards), rows)
    objective.model.eval()
    totals = np.zeros(1)
    # A mixture is measured as it is learned.
    order = shards.order(0, 0) if shards.meta.weights else np.arange(len(shards))
    for start in range(0, rows, size):
        # Every batch has the same shape, so that nothing compiles again; filler rows weigh nothing.
        batch = unpack(**shards.rows(order[np.minimum(np.arange(start, start + size), rows - 1)]))
        batch.weights[rows - start :] = 0
        # With gradients on, though unused, as far as the head: the compiled blocks of training serve here too. They go
        # when `observe` ends, before the next batch makes its own.
        totals = totals + objective.observe(batch)
    return objective.figures(totals)
