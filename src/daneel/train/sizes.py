"""Shapes for models from scratch."""

import math
from typing import Any

from daneel.errors import UsageError
from daneel.formats.families import llama
from daneel.tokenizer.load import Tokenizer

# Name: (vocabulary, width, layers, heads, key/value heads, feed-forward). Heads of 64, feed-forward 8/3 of the
# width as in Llama (arXiv:2302.13971); the name counts all parameters, embeddings included.
SIZES = {
    "3m": (4096, 192, 5, 3, 3, 512),
    "10m": (8192, 320, 6, 5, 5, 864),
}


def vocabulary(size: str) -> int:
    """Tokens that a model of this size gets. Raises UsageError."""
    if size not in SIZES:
        raise UsageError(f"--size {size} is not known; sizes: {', '.join(SIZES)}")
    return SIZES[size][0]


def fitted_vocabulary(parameters: float) -> int:
    """Tokens for a model of so many parameters in all, a power of two.

    From the 3m size on it grows with the square root: Tao et al. (arXiv:2407.13623) find that the vocabulary should
    grow more slowly than the model. bench/vocabulary.py compares vocabularies at one number of parameters.
    """
    return int(2 ** round(math.log2(SIZES["3m"][0] * math.sqrt(parameters / 3e6))))


def scratch_config(size: str, tokenizer: Tokenizer, context: int) -> dict[str, Any]:
    """The `config.json` of a new Llama of this size."""
    _, width, layers, heads, kv_heads, hidden = SIZES[size]
    return llama.config(
        vocab_size=tokenizer.vocab_size, width=width, layers=layers, heads=heads, kv_heads=kv_heads, hidden=hidden,
        context=context, bos=tokenizer.bos, eos=tokenizer.eos[0],
    )  # fmt: skip
