"""Hugging Face model directories: the configuration and where each tensor lies (no tensor is read here)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from daneel.errors import ModelError
from daneel.formats.architecture import Architecture
from daneel.formats.families import family

INDEX = "model.safetensors.index.json"
CLASSIFIER = "ForSequenceClassification"
"""How Transformers ends the names of classifiers."""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises ModelError naming the file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path.parent} is not a model folder: it has no {path.name}") from None
    except (ValueError, OSError) as error:
        raise ModelError(f"{path} cannot be read as JSON ({error}); fetch the model again") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path} is not a JSON object; fetch the model again")
    return value


def read_config(folder: Path) -> dict[str, Any]:
    """The folder's `config.json`."""
    return read_json(folder / "config.json")


def read_architecture(folder: Path) -> Architecture:
    """What the folder's model is made of. Raises ModelError if no family of ours can build it."""
    config = read_config(folder)
    if "quantization_config" in config:
        raise ModelError(
            f"{folder} holds quantised safetensors, which are not read; give the full model or a GGUF file"
        )
    try:
        arch = family(config).architecture(config)
    except KeyError as error:
        raise ModelError(f"{folder / 'config.json'} lacks {error}; fetch the model again") from None
    if labels := read_labels(config):
        arch = replace(arch, labels=len(labels))
    if arch.family == "t5":  # Transformers goes by the file: a head that is there is used, whatever the config says
        arch = replace(arch, tied="lm_head.weight" not in weight_files(folder))
    return arch


def read_labels(config: dict[str, Any]) -> list[str]:
    """What a classifier tells apart, in the order of its outputs; empty for a language model."""
    if not any(str(name).endswith(CLASSIFIER) for name in config.get("architectures") or ()):
        return []
    names = config.get("id2label") or {}
    return [str(names[key]) for key in sorted(names, key=int)]


def weight_files(folder: Path) -> dict[str, Path]:
    """Tensor name -> the safetensors file that holds it, for one file or a sharded model."""
    if (folder / INDEX).exists():
        index: dict[str, str] = read_json(folder / INDEX).get("weight_map", {})
        for shard in set(index.values()):
            # An index is untrusted: it must not lead out of its folder.
            if Path(shard).name != shard:
                raise ModelError(f"{folder / INDEX} names a file outside the folder: {shard!r}")
            if not (folder / shard).exists():
                raise ModelError(f"{folder} lacks {shard}; fetch the model again")
        return {name: folder / shard for name, shard in index.items()}
    path = folder / "model.safetensors"
    if not path.exists():
        if (folder / "pytorch_model.bin").exists():
            raise ModelError(f"{folder} has pickled weights only; save it as safetensors with Transformers first")
        raise ModelError(f"{folder} has no model.safetensors")
    try:
        with safe_open(path, framework="numpy") as file:
            return dict.fromkeys(file.keys(), path)
    except SafetensorError as error:
        raise ModelError(f"{path} is damaged ({error}); fetch the model again") from None
