"""A GGUF file becomes a Hugging Face folder with the same weights in float32."""

import json
from pathlib import Path

from daneel.errors import ModelError
from daneel.formats.families import family
from daneel.formats.gguf_config import config
from daneel.formats.gguf_file import GGUF
from daneel.formats.gguf_tokenizer import end_ids, settings, tokenizer
from daneel.formats.gguf_weights import Move, plan, write_weights
from daneel.run import atomic_dir, atomic_write

TOKENIZER_JSON_BYTES = 40_000_000
"""More than the largest vocabulary takes: Gemma's 262,144 tokens."""


def convert(gguf: GGUF, out: Path) -> None:
    """Write the folder `out`, whole or not at all. Raises ModelError."""
    with atomic_dir(out) as folder:
        write_folder(gguf, folder)


def folder_bytes(gguf: GGUF) -> int:
    """Disk that `write_folder` will take."""
    return 4 * gguf.elements + TOKENIZER_JSON_BYTES


def write_folder(gguf: GGUF, folder: Path) -> None:
    """Weights, configuration and tokenizer into a folder that exists. Raises ModelError."""
    meta = gguf.metadata
    try:
        model = config(gguf)
        moves = plan(gguf, model)
        _check(gguf, model, moves)
        words, ends = tokenizer(meta), end_ids(meta)
        words_settings = settings(meta, meta[f"{meta['general.architecture']}.context_length"])
    except KeyError as error:
        raise ModelError(f"{gguf.path} lacks {error} in its metadata; fetch the file again or name another") from None
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ModelError(f"{gguf.path} has metadata that make no sense ({error}); fetch the file again") from None
    write_weights(gguf, moves, folder / "model.safetensors")
    generation = {"bos_token_id": model["bos_token_id"], "eos_token_id": ends or None}
    words.save(str(folder / "tokenizer.json"))
    for name, value in (
        ("config.json", model),
        ("generation_config.json", generation),
        ("tokenizer_config.json", words_settings),
    ):
        given = {key: item for key, item in value.items() if item is not None}
        atomic_write(folder / name, json.dumps(given, ensure_ascii=False, indent=2) + "\n")


def _check(gguf: GGUF, model: dict[str, object], moves: list[Move]) -> None:
    """Every tensor of the model must be there, before a gigabyte is written."""
    kind = family(model)
    needed = {name for weight in kind.weights(kind.architecture(model)) for name in weight.theirs}
    missing = sorted(needed - {move.target for move in moves})
    if missing:
        raise ModelError(f"{gguf.path} lacks {len(missing)} tensors, {missing[0]} among them; fetch the file again")
