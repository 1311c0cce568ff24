"""Shapes for models from scratch."""

import math
from dataclasses import dataclass
from typing import Any

from daneel.errors import UsageError
from daneel.formats.families import llama, marian, t5
from daneel.tokenizer.load import Tokenizer

PAIR_SHAPES = ("marian", "t5")
"""Encoder-decoders."""


@dataclass(frozen=True)
class Size:
    """What a name stands for."""

    vocabulary: int
    width: int
    layers: int
    """Of an encoder-decoder, on each side."""
    heads: int
    hidden: int


# Heads of 64, feed-forward 8/3 of the width as in Llama (arXiv:2302.13971); the name counts all parameters, embeddings
# included.
SIZES = {
    "3m": Size(4096, 192, 5, 3, 512),
    "10m": Size(8192, 320, 6, 5, 864),
}
# Feed-forward 4 x the width as in the original Transformer (arXiv:1706.03762), heads of 32 in the small ones.
PAIR_SIZES = {
    "2m": Size(512, 144, 4, 4, 576),
    "3m": Size(4096, 144, 4, 4, 576),
    "10m": Size(8192, 256, 4, 4, 1024),
    "30m": Size(16384, 416, 5, 8, 1664),
}


def sizes(size: str) -> Size:
    """The decoder of this size. Raises UsageError."""
    return _known(size, SIZES)


def pair_sizes(size: str) -> Size:
    """The encoder-decoder of this size. Raises UsageError."""
    return _known(size, PAIR_SIZES)


def _known(size: str, table: dict[str, Size]) -> Size:
    if size not in table:
        raise UsageError(f"--size {size} is not known; sizes: {', '.join(table)}")
    return table[size]


def fitted_vocabulary(parameters: float) -> int:
    """Tokens for a model of so many parameters in all, a power of two.

    From the 3m size on it grows with the square root: Tao et al. (arXiv:2407.13623) find that the vocabulary should
    grow more slowly than the model. bench/vocabulary.py compares vocabularies at one number of parameters.
    """
    return int(2 ** round(math.log2(SIZES["3m"].vocabulary * math.sqrt(parameters / 3e6))))


def scratch_config(size: Size, tokenizer: Tokenizer, context: int) -> dict[str, Any]:
    """The `config.json` of a new Llama of this size."""
    return llama.config(
        vocab_size=tokenizer.vocab_size, width=size.width, layers=size.layers, heads=size.heads, kv_heads=size.heads,
        hidden=size.hidden, context=context, bos=tokenizer.bos, eos=tokenizer.eos[0],
    )  # fmt: skip


def pair_config(shape: str, size: Size, tokenizer: Tokenizer, context: int) -> dict[str, Any]:
    """The `config.json` of a new encoder-decoder of this size."""
    assert tokenizer.pad is not None
    make = marian.config if shape == "marian" else t5.config
    return make(
        vocab_size=tokenizer.vocab_size, width=size.width, layers=size.layers, heads=size.heads, hidden=size.hidden,
        context=context, pad=tokenizer.pad, eos=tokenizer.eos[0],
    )  # fmt: skip
