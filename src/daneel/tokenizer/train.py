"""A vocabulary of one's own: byte-level BPE, in the form that Transformers and llama.cpp know."""

import json
from collections.abc import Iterable
from pathlib import Path

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from daneel.errors import UsageError
from daneel.run import atomic_write
from daneel.tokenizer.load import Tokenizer

# Qwen2's pattern, `tokenizer.ggml.pre = qwen2` to llama.cpp: words, single digits, runs of marks, line ends.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
SMALLEST = len(SPECIAL) + 256


def train_tokenizer(texts: Iterable[str], out: Path, vocab_size: int) -> Tokenizer:
    """Learn at most `vocab_size` tokens from the texts and save them in `out`.

    Little text gives fewer tokens: `vocab_size` of what is returned is the real number. Nothing is
    normalised, and all 256 bytes are in the vocabulary, so every text comes back exactly.
    """
    if vocab_size < SMALLEST:
        raise UsageError(
            f"a vocabulary of {vocab_size} is too small: {SMALLEST} hold every byte and the special tokens"
        )
    raw = tokenizers.Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": False,
        "bos_token": None,
        "eos_token": SPECIAL[0],
        "pad_token": SPECIAL[0],
        "clean_up_tokenization_spaces": False,
        "chat_template": CHATML,
    }
    # A text ends with the first, a turn of a conversation with the last.
    ends = [raw.token_to_id(SPECIAL[0]), raw.token_to_id(SPECIAL[2])]
    atomic_write(out / "tokenizer.json", raw.to_str())
    atomic_write(out / "tokenizer_config.json", json.dumps(settings, indent=2))
    atomic_write(out / "generation_config.json", json.dumps({"eos_token_id": ends}))
    return Tokenizer.load(out)
