"""Byte-level BPE (Sennrich et al., arXiv:1508.07909) by the trainer of `tokenizers`."""

from collections.abc import Iterable, Sequence

import tokenizers
from tokenizers import models, pre_tokenizers, trainers


def train_bpe(
    texts: Iterable[str], words: pre_tokenizers.PreTokenizer, size: int, special: Sequence[str], min_frequency: int,
    longest: int,
) -> tokenizers.Tokenizer:  # fmt: skip
    """Byte-level BPE: of all neighbours the most frequent pair becomes a token, again and again."""
    raw = tokenizers.Tokenizer(models.BPE())
    raw.pre_tokenizer = words
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(special),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=min_frequency,
        max_token_length=longest,
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    return raw
