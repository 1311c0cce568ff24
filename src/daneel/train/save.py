"""A trained model as a directory that Transformers and PEFT load unchanged."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from daneel.formats.hf import CLASSIFIER, read_config
from daneel.formats.peft import AdapterConfig
from daneel.model.decoder import Decoder
from daneel.model.load import load_model, save_weights
from daneel.model.lora import add_lora, merge_lora, save_adapter
from daneel.run import atomic_dir
from daneel.tokenizer.load import Tokenizer

GENERATION = "generation_config.json"
CLASSIFIERS = {
    family: f"{name}{CLASSIFIER}"
    for family, name in (
        ("gpt2", "GPT2"), ("llama", "Llama"), ("qwen2", "Qwen2"), ("qwen3", "Qwen3"), ("gemma3_text", "Gemma3Text"),
    )
}  # fmt: skip


def save_model(
    run: Path, weights: dict[str, Tensor], base: Path, adapter: AdapterConfig | None, merge: bool, seed: int
) -> None:
    """Write the model at the top of the run directory, in float32: an adapter, or a whole model.

    `weights` are those that learned; the others come from the base again, since training rounds what it holds fast.
    All files are complete before the first appears. With `merge` the adapter is added to the base.
    """
    with atomic_dir(run / "daneel" / "model") as folder:
        Tokenizer.load(base).save(folder)
        if (base / GENERATION).exists():
            # Beside an adapter too: it lists every token that ends a text.
            shutil.copyfile(base / GENERATION, folder / GENERATION)
        model = load_model(base)
        if adapter is not None:
            add_lora(model, adapter, seed)  # halves that were frozen are those that training drew
        model.load_state_dict(weights, strict=False)
        if adapter is not None and not merge:
            save_adapter(folder, model, adapter)
        else:
            merge_lora(model)
            save_weights(folder / "model.safetensors", model.arch, model.state_dict())
            config: dict[str, Any] = {**read_config(base), "dtype": "float32"}
            config.pop("torch_dtype", None)
            (folder / "config.json").write_text(json.dumps(config, indent=2))
    for path in sorted((run / "daneel" / "model").iterdir()):
        path.chmod(0o644)  # safetensors writes for its owner alone
        os.replace(path, run / path.name)
    (run / "daneel" / "model").rmdir()


def save_fresh(folder: Path, model: Decoder, config: dict[str, Any], tokenizer: Path) -> None:
    """A model from scratch before it learned anything, beside its tokenizer."""
    with atomic_dir(folder) as new:
        Tokenizer.load(tokenizer).save(new)
        if config.get("is_encoder_decoder"):
            (new / GENERATION).write_text(json.dumps(_pair_generation(config), indent=2))
        else:
            shutil.copyfile(tokenizer / GENERATION, new / GENERATION)
        save_weights(new / "model.safetensors", model.arch, model.state_dict())
        (new / "config.json").write_text(json.dumps(config, indent=2))


def save_classifier(folder: Path, base: Path, labels: Sequence[str], seed: int) -> None:
    """A decoder with a new head that tells labels apart at a text's last token, as Transformers' classifiers do."""
    model = load_model(base)
    arch = replace(model.arch, labels=len(labels))
    head = torch.empty(len(labels), arch.width).normal_(
        std=arch.init_std, generator=torch.Generator().manual_seed(seed)
    )
    tokenizer = Tokenizer.load(base)
    pad = tokenizer.eos[0] if tokenizer.pad is None else tokenizer.pad
    config = {
        **read_config(base),
        "architectures": [CLASSIFIERS[arch.family]],
        "id2label": {str(n): label for n, label in enumerate(labels)},
        "label2id": {label: n for n, label in enumerate(labels)},
        # Where a row of several texts ends is known by it.
        "pad_token_id": pad,
        "dtype": "float32",
    }
    with atomic_dir(folder) as new:
        tokenizer.save(new)
        settings = json.loads((new / "tokenizer_config.json").read_text("utf-8"))
        settings.setdefault("pad_token", tokenizer.token(pad))
        (new / "tokenizer_config.json").write_text(json.dumps(settings, ensure_ascii=False, indent=2), "utf-8")
        save_weights(new / "model.safetensors", arch, {**model.state_dict(), "head.weight": head})
        (new / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=2), "utf-8")


def _pair_generation(config: dict[str, Any]) -> dict[str, Any]:
    """How Transformers searches: padding is never written, and every target ends."""
    ids = {key: config[key] for key in ("eos_token_id", "pad_token_id", "decoder_start_token_id")}
    limits = {"max_length": config.get("max_position_embeddings") or config["n_positions"], "num_beams": 4}
    return {**ids, **limits, "bad_words_ids": [[config["pad_token_id"]]], "forced_eos_token_id": config["eos_token_id"]}
