"""A vocabulary of one's own over bytes, BPE or Unigram, in the form that Transformers knows, and BPE llama.cpp."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from tokenizers import decoders, pre_tokenizers, processors

from daneel.errors import UsageError
from daneel.run import atomic_write
from daneel.tokenizer.bpe import train_bpe
from daneel.tokenizer.chat import ChatTemplate
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.patterns import PATTERNS, cutter
from daneel.tokenizer.unigram import train_unigram

Kind = Literal["bpe", "unigram"]
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
# CTranslate2 takes a Marian's padding for the last token, and knows it by this name.
PAD = "<pad>"
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
SMALLEST = len(SPECIAL) + 256
LARGEST = 1 << 24
"""Tokens: sixty times as many as any known model has."""
# A pair seen once would teach whole sentences by heart where there is little text: Chinese has no spaces, so a
# clause is one word to the pattern.
MIN_FREQUENCY = 2
# Bytes of the longest token: eight Chinese characters, or any but the rarest English word.
LONGEST = 24


def train_tokenizer(
    texts: Iterable[str],
    out: Path,
    vocab_size: int,
    *,
    model: Kind = "bpe",
    pattern: str = "qwen2",
    special: Sequence[str] = (),
    chat_template: str = CHATML,
    min_frequency: int = MIN_FREQUENCY,
    longest: int = LONGEST,
    encoder: bool = False,
) -> Tokenizer:
    """Learn at most `vocab_size` tokens from the texts and save them in `out`.

    Little text gives fewer tokens: `vocab_size` of what is returned is the real number. Nothing is normalised, and
    all 256 bytes are in the vocabulary, so every text comes back exactly. `special` tokens come after those that end
    texts and mark turns. llama.cpp reads BPE with each of `PATTERNS`; Unigram over bytes it does not know.
    `encoder` makes it one for encoder-decoders: padding has a token of its own, and where they are asked for a text
    ends with the first special token. Raises UsageError.
    """
    marks = list(dict.fromkeys([*SPECIAL, *special]))
    if pattern not in PATTERNS:
        raise UsageError(f"no pattern {pattern!r}; there are {', '.join(PATTERNS)}")
    words = cutter(pattern)
    _check_special(marks, words)
    least = len(marks) + 256 + encoder
    learned = vocab_size - encoder
    if vocab_size < least:
        raise UsageError(f"a vocabulary of {vocab_size} is too small: {least} hold every byte and the special tokens")
    if vocab_size > LARGEST:
        raise UsageError(f"a vocabulary of {vocab_size} is too large: it may have at most {LARGEST:,} tokens")
    ChatTemplate(chat_template, {"eos_token": SPECIAL[0]}).render([{"role": "user", "content": "?"}])
    if model == "bpe":
        raw = train_bpe(texts, words, learned, marks, min_frequency, longest)
        # As Llama 3's own file has it, and llama.cpp takes for granted: a whole word that is a token stays one.
        raw.model.ignore_merges = pattern == "llama3"
    else:
        raw = train_unigram(texts, words, learned, marks, min_frequency, longest)
    raw.decoder = decoders.ByteLevel()
    if encoder:
        raw.add_special_tokens([PAD])
        end = SPECIAL[0], raw.token_to_id(SPECIAL[0])
        raw.post_processor = processors.TemplateProcessing(f"$A {end[0]}", f"$A {end[0]} $B {end[0]}", [end])
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": False,
        "bos_token": None,
        "eos_token": SPECIAL[0],
        "pad_token": PAD if encoder else SPECIAL[0],
        "clean_up_tokenization_spaces": False,
        "chat_template": chat_template,
    }
    # A text ends with the first, a turn of a conversation with the last.
    ends = [raw.token_to_id(SPECIAL[0]), raw.token_to_id(SPECIAL[2])]
    atomic_write(out / "tokenizer.json", raw.to_str())
    atomic_write(out / "tokenizer_config.json", json.dumps(settings, ensure_ascii=False, indent=2))
    atomic_write(out / "generation_config.json", json.dumps({"eos_token_id": ends}))
    return Tokenizer.load(out)


def _check_special(marks: Sequence[str], words: pre_tokenizers.PreTokenizer) -> None:
    for mark in marks:
        # A name that is one word to the pattern would also be found in ordinary text.
        if len(words.pre_tokenize_str(mark)) < 2:
            raise UsageError(f"special token {mark!r} is an ordinary word: set it apart, such as <|{mark.strip()}|>")
