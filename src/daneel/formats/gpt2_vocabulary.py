"""GPT-2's own two files, `encoder.json` and `vocab.bpe`, as a tokenizer folder that Transformers loads."""

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from daneel.errors import ModelError
from daneel.run import atomic_write

END = "<|endoftext|>"
CONTEXT = 1024


def write_tokenizer(ids: bytes, merges: bytes, folder: Path) -> None:
    """`tokenizer.json` and `tokenizer_config.json` into a folder that exists. Raises ModelError."""
    try:
        vocabulary = json.loads(ids)
        # The first line names the version; the last is empty.
        lines = (line.partition(" ") for line in merges.decode().split("\n")[1:] if line)
        pairs = [(left, right) for left, _, right in lines]
        raw = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"GPT-2's vocabulary is damaged ({error}); pull it again") from None
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens([AddedToken(END, normalized=False)])
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
        "add_bos_token": False,
        "bos_token": END,
        "eos_token": END,
        "unk_token": END,
    }
    atomic_write(folder / "tokenizer.json", raw.to_str())
    atomic_write(folder / "tokenizer_config.json", json.dumps(settings, indent=2) + "\n")
