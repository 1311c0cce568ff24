"""Weights from a Hugging Face directory into our blocks, and back."""

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from daneel.errors import ModelError
from daneel.formats.architecture import Architecture
from daneel.formats.families import FAMILIES
from daneel.formats.families.names import Weight
from daneel.formats.hf import read_architecture, weight_files
from daneel.formats.peft import CONFIG, WEIGHTS, read_adapter
from daneel.model.decoder import Decoder
from daneel.model.init import empty_model
from daneel.model.lora import load_adapter, merge_lora
from daneel.run import sha256

# Older checkpoints of the base model alone carry no prefix.
PREFIXES = ("", "transformer.", "model.")


def native_bf16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16") or torch.cpu.get_capabilities().get("amx_bf16"))


def resolve_dtype(name: str) -> torch.dtype:
    """`auto` is bfloat16 where the processor has it, else float32."""
    if name == "auto":
        return torch.bfloat16 if native_bf16() else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]


def _find(name: str, files: dict[str, Path]) -> str | None:
    if name in files:
        return name
    return next((name.removeprefix(p) for p in PREFIXES if p and name.removeprefix(p) in files), None)


def _read(folder: Path, weights: list[Weight], shapes: dict[str, torch.Size]) -> Iterator[tuple[str, Tensor]]:
    files = weight_files(folder)
    handles = {path: safe_open(path, framework="pt") for path in set(files.values())}
    for weight in weights:
        parts = []
        for name in weight.theirs:
            found = _find(name, files)
            if found is None:
                raise ModelError(f"{folder} has no tensor {name}; the file is incomplete or of another architecture")
            tensor = handles[files[found]].get_tensor(found)  # type: ignore[no-untyped-call]
            parts.append(tensor.T if weight.transposed else tensor)
        value = parts[0] if len(parts) == 1 else torch.cat(parts)
        if value.shape != shapes[weight.ours]:
            want, got = list(shapes[weight.ours]), list(value.shape)
            raise ModelError(f"{folder}: {weight.theirs[0]} is {got}, but config.json says {want}")
        if value.dtype not in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
            raise ModelError(f"{folder}: {weight.theirs[0]} holds {value.dtype}; quantised safetensors are not read")
        yield weight.ours, value


def load_base(folder: Path, dtype: torch.dtype) -> Decoder:
    """A model from a full Hugging Face directory, in eval mode. Raises ModelError."""
    arch = read_architecture(folder)
    with torch.device("meta"):
        model = empty_model(arch)
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    try:
        weights = _read(folder, FAMILIES[arch.family].weights(arch), shapes)
        state = {name: value.to(dtype).contiguous() for name, value in weights}
    except SafetensorError as error:
        raise ModelError(f"{folder}: damaged weights ({error}); fetch the model again") from None
    model.load_state_dict(state, assign=True, strict=True)
    return model.eval().requires_grad_(False)


def hf_tensors(arch: Architecture, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our parameters under the family's Hugging Face names, fused matrices taken apart."""
    out = {}
    for weight in FAMILIES[arch.family].weights(arch):
        value = state[weight.ours]
        if len(weight.theirs) == 1:
            out[weight.theirs[0]] = (value.T if weight.transposed else value).contiguous()
            continue
        parts = value.split(list(weight.sizes))  # type: ignore[no-untyped-call]
        out |= {name: part.contiguous() for name, part in zip(weight.theirs, parts, strict=True)}
    return out


def save_weights(path: Path, arch: Architecture, state: dict[str, Tensor]) -> None:
    """`model.safetensors` as Transformers reads it. The caller makes it atomic."""
    save_file(hf_tensors(arch, state), path, metadata={"format": "pt"})


def weights_hash(folder: Path) -> str:
    """The SHA-256 of the weight files of a Hugging Face folder."""
    return "-".join(sha256(path) for path in sorted(set(weight_files(folder).values())))


def _base_sha256(folder: Path) -> str:
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            return str((file.metadata() or {}).get("base_sha256", ""))
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{folder / WEIGHTS} cannot be read ({error})") from None


def load_model(folder: Path, dtype: str = "float32") -> Decoder:
    """A model of the store, or an adapter merged into its base. Raises ModelError."""
    kind = resolve_dtype(dtype)
    if not (folder / CONFIG).exists():
        return load_base(folder, kind)

    # Only here: a full model needs no store.
    from daneel.store import resolve

    adapter = read_adapter(folder)
    base = resolve(adapter.base)
    if (wanted := _base_sha256(folder)) and weights_hash(base) != wanted:
        raise ModelError(
            f"{folder} was trained on {adapter.base}, which has changed since: restore that, or train anew"
        )
    # Added in float32, then rounded once.
    model = load_base(base, torch.float32)
    load_adapter(model, folder, adapter)
    merge_lora(model)
    return model.to(kind).eval().requires_grad_(False)
