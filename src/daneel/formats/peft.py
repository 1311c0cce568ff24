"""PEFT adapter directories: `adapter_config.json` and which tensors it implies. Source: PEFT's `LoraConfig`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daneel.errors import ModelError
from daneel.formats.architecture import Architecture
from daneel.formats.families import FAMILIES
from daneel.formats.hf import read_json

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

# Settings that change what the adapter computes and that we do not have: (key, the value that is harmless).
UNSUPPORTED: list[tuple[str, Any]] = [
    ("use_dora", False), ("modules_to_save", None), ("layers_to_transform", None), ("rank_pattern", {}),
    ("alpha_pattern", {}), ("trainable_token_indices", None),
    ("target_parameters", None), ("lora_bias", False), ("layer_replication", None), ("use_qalora", False),
]  # fmt: skip


@dataclass(frozen=True)
class AdapterConfig:
    """What a LoRA adapter is (arXiv:2106.09685)."""

    rank: int
    alpha: float
    targets: str | tuple[str, ...]
    """Module names, a regular expression over full names, or `all-linear`."""
    base: str
    rslora: bool = False
    base_sha256: str = ""
    """Of the base's weight files, where the adapter's file tells; its place in `adapter_config.json` is not PEFT's."""

    @property
    def scale(self) -> float:
        """What the product B A is multiplied by."""
        return self.alpha / (self.rank**0.5 if self.rslora else self.rank)

    def includes(self, module: str) -> bool:
        """Whether PEFT would adapt the module of this full name."""
        if self.targets == "all-linear":
            return True
        if isinstance(self.targets, str):
            return re.fullmatch(self.targets, module) is not None
        return any(module == target or module.endswith(f".{target}") for target in self.targets)


def read_adapter(folder: Path) -> AdapterConfig:
    """Raises ModelError for another method than LoRA, or a setting that we do not have."""
    config = read_json(folder / CONFIG)
    if config.get("peft_type") != "LORA":
        raise ModelError(f"{folder}: adapters of type {config.get('peft_type')} are not supported, only LORA")
    for key, harmless in UNSUPPORTED:
        if config.get(key, harmless) not in (harmless, None, [], {}):
            raise ModelError(f"{folder}: LoRA with {key} is not supported; merge it with PEFT first")
    if config.get("bias", "none") != "none":
        raise ModelError(f"{folder}: LoRA with trained biases is not supported; merge it with PEFT first")
    targets = config.get("target_modules")
    return AdapterConfig(
        rank=int(config["r"]),
        alpha=float(config.get("lora_alpha", config["r"])),
        targets=targets if isinstance(targets, str) else tuple(targets or ()),
        base=str(config.get("base_model_name_or_path")),
        rslora=bool(config.get("use_rslora")),
    )


def adapter_config(adapter: AdapterConfig, arch: Architecture, targets: list[str]) -> dict[str, Any]:
    """`adapter_config.json` as PEFT reads it."""
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": adapter.base,
        "r": adapter.rank,
        "lora_alpha": adapter.alpha,
        "lora_dropout": 0.0,
        "use_rslora": adapter.rslora,
        "bias": "none",
        "fan_in_fan_out": arch.family == "gpt2",
        "target_modules": targets,
        "inference_mode": True,
    }


@dataclass(frozen=True)
class Part:
    """One module of the file inside a fused linear of ours."""

    module: str
    """Full name in Transformers, as `model.layers.0.self_attn.q_proj`."""
    start: int
    size: int


def linear_parts(arch: Architecture) -> dict[str, list[Part]]:
    """Our linear inside the blocks -> the modules it is made of, with their rows."""
    out: dict[str, list[Part]] = {}
    for weight in FAMILIES[arch.family].weights(arch):
        ours = weight.ours.removesuffix(".weight")
        if not weight.sizes or not weight.ours.endswith(".weight"):
            continue
        parts, start = [], 0
        for name, size in zip(weight.theirs, weight.sizes, strict=True):
            parts.append(Part(name.removesuffix(".weight"), start, size))
            start += size
        out[ours] = parts
    return out
