"""A decoder as a GGUF file: what llama.cpp's own converter would write.

Source: llama.cpp's `convert_hf_to_gguf.py`: Llama's rows of Q and K are paired as its RoPE wants them, Gemma's norms
have their 1 added, GPT-2's matrices are turned. The tables of names are those of the reader, the other way round.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter, LlamaFileType, dequantize, quantize

from daneel.errors import ModelError
from daneel.formats.architecture import Architecture
from daneel.formats.families import family
from daneel.formats.gguf_config import ARCHITECTURES, ROPE_FACTORS, config, llama3_factors
from daneel.formats.gguf_file import GGUF, ROWS_AT_ONCE, Array
from daneel.formats.gguf_weights import GEMMA_INSIDE, GPT2_INSIDE, GPT2_OUTSIDE, INSIDE, OUTSIDE

Kind = GGMLQuantizationType
# `--quant` -> the matrices' type, that of the embedding and the head, and the file's own name for the mixture.
QUANTS = {
    "f32": (Kind.F32, Kind.F32, LlamaFileType.ALL_F32),
    "bf16": (Kind.BF16, Kind.BF16, LlamaFileType.MOSTLY_BF16),
    "q8_0": (Kind.Q8_0, Kind.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    # Every token passes the head, and errors there reach the result directly: it keeps 8 bits.
    "q4_0": (Kind.Q4_0, Kind.Q8_0, LlamaFileType.MOSTLY_Q4_0),
    "q4_1": (Kind.Q4_1, Kind.Q8_0, LlamaFileType.MOSTLY_Q4_1),
}
NAMES = {kind: arch for arch, (_, kind) in ARCHITECTURES.items()}
"""Our family -> `general.architecture`."""


@dataclass(frozen=True)
class Place:
    """Where a tensor goes in the file, and what is done to it on the way."""

    source: str
    """Its Hugging Face name."""
    target: str
    kind: Kind
    permute: int = 0
    """Heads whose rows change their order; 0 for none."""
    plus_one: bool = False
    transpose: bool = False

    def stored(self, value: Array) -> Array:
        """The tensor as the file has it, before it is packed: rows are what one output reads."""
        if self.transpose:
            value = value.T
        if self.permute:
            halves = value.reshape(self.permute, 2, -1, *value.shape[1:])
            value = halves.swapaxes(1, 2).reshape(value.shape)
        return np.ascontiguousarray(value + np.float32(1) if self.plus_one else value)


def places(arch: Architecture, tensors: Mapping[str, Array], quant: str) -> list[Place]:
    """A place for every tensor. Raises ModelError for a family that GGUF files are not written of."""
    if arch.family not in NAMES:
        raise ModelError(f"GGUF files are written of {', '.join(NAMES)}, not of {arch.family}; take --to hf or ct2")
    gpt2 = arch.family == "gpt2"
    outside, inside = (GPT2_OUTSIDE, GPT2_INSIDE) if gpt2 else (OUTSIDE, INSIDE)
    inside = GEMMA_INSIDE if arch.family == "gemma3_text" else inside
    around, within = ({theirs: ours for ours, theirs in table.items()} for table in (outside, inside))
    heads = {"q_proj": arch.heads, "k_proj": arch.kv_heads} if arch.family == "llama" else {}
    out = []
    for name, value in tensors.items():
        stem, _, leaf = name.rpartition(".")
        target = around.get(stem)
        if target is None:
            layer, _, part = stem.removeprefix("transformer.h." if gpt2 else "model.layers.").partition(".")
            target = f"blk.{layer}.{within[part]}"
        transpose = gpt2 and value.ndim == 2 and stem not in around
        kind = _kind(stem, value.shape[0] if transpose else value.shape[-1], value.ndim, quant)
        permute = heads.get(stem.rpartition(".")[2], 0)
        out.append(
            Place(name, f"{target}.{leaf}", kind, permute, arch.norm_offset and stem.endswith("norm"), transpose)
        )
    return out


def _kind(stem: str, row: int, dimensions: int, quant: str) -> Kind:
    """As llama.cpp's converter: vectors and GPT-2's positions stay float32."""
    if dimensions == 1 or stem == GPT2_OUTSIDE["position_embd"]:
        return Kind.F32
    matrix, head, _ = QUANTS[quant]
    kind = head if stem.endswith(("embed_tokens", "wte", "lm_head")) else matrix
    return kind if row % GGML_QUANT_SIZES[kind][0] == 0 else Kind.F16


def fallbacks(layout: list[Place], quant: str) -> list[str]:
    """Tensors that keep 16 bits, since their rows do not divide into blocks."""
    return [place.source for place in layout if place.kind == Kind.F16 != QUANTS[quant][0]]


def rounded(value: Array, kind: Kind) -> Array:
    """What is read again of a tensor stored in this type; rows are rounded each for itself."""
    return np.concatenate([dequantize(part, kind) for part in _packed(value, kind)]).reshape(value.shape)


def _packed(value: Array, kind: Kind) -> Iterator[np.ndarray[Any, Any]]:
    rows = value.reshape(-1, value.shape[-1])
    step = max(1, ROWS_AT_ONCE // rows.shape[-1])
    for begin in range(0, len(rows), step):
        yield quantize(rows[begin : begin + step], kind)


def write_gguf(
    path: Path,
    arch: Architecture,
    layout: list[Place],
    tensors: Mapping[str, Array],
    quant: str,
    name: str,
    vocabulary: dict[str, Any],
) -> None:
    """Write the file, tensor by tensor. The caller makes it atomic."""
    extra = _rope_factors(arch)
    writer = GGUFWriter(path, NAMES[arch.family])
    for key, value in {"general.name": name, **_metadata(arch, quant), **vocabulary}.items():
        _add(writer, key, value)
    for key, value in extra.items():
        writer.add_tensor_info(key, value.shape, value.dtype, value.nbytes, Kind.F32)
    for place in layout:
        shape = tensors[place.source].shape
        shape = shape[::-1] if place.transpose else shape
        size = _bytes(place.kind, tensors[place.source].size)
        writer.add_tensor_info(place.target, shape, np.dtype(np.float32), size, place.kind)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for value in extra.values():
            writer.write_tensor_data(value)
        for place in layout:
            writer.write_tensor_data(
                np.concatenate(list(_packed(place.stored(tensors[place.source]), place.kind))).view(np.uint8)
            )
    finally:
        writer.close()


def file_bytes(layout: list[Place], tensors: Mapping[str, Array]) -> int:
    """What the tensors take on disk."""
    return sum(_bytes(place.kind, tensors[place.source].size) for place in layout)


def _bytes(kind: Kind, elements: int) -> int:
    block, width = GGML_QUANT_SIZES[kind]
    return elements // block * width


def read_back(path: Path, arch: Architecture, layout: list[Place], tensors: Mapping[str, Array]) -> None:
    """Read the file as any other GGUF file. Raises ModelError naming what is not as the model has it.

    `tensors` are the weights as the file rounds them.
    """
    file = GGUF(path)
    model = config(file)
    theirs = family(model).architecture(model)
    for field in fields(Architecture):
        if field.name in ("init_std", "bos", "eos"):
            continue
        want, got = (_plain(getattr(each, field.name)) for each in (arch, theirs))
        if want != got:
            name = field.name
            if isinstance(want, list):  # one entry a layer
                layer = next(i for i, (a, b) in enumerate(zip(want, got, strict=True)) if a != b)
                name, want, got = f"{name} of layer {layer}", want[layer], got[layer]
            raise ModelError(f"GGUF cannot describe this model: its {name} is {want}, llama.cpp takes {got}")
    for place in layout:
        if not np.array_equal(file.read(place.target), place.stored(tensors[place.source])):
            raise ModelError(f"tensor {place.target} in the file is not what was written")


def _plain(value: Any) -> Any:
    """Numbers as the file holds them, in float32; the base frequency of RoPE stands elsewhere."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in ("rope_theta", "type")}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return float(np.float32(value)) if isinstance(value, float) else value


def _add(writer: GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)


def _metadata(arch: Architecture, quant: str) -> dict[str, Any]:
    name = NAMES[arch.family]
    out: dict[str, Any] = {
        "general.file_type": int(QUANTS[quant][2]),
        "general.quantization_version": 2,
        f"{name}.vocab_size": arch.vocab_size,
        f"{name}.context_length": arch.context,
        f"{name}.embedding_length": arch.width,
        f"{name}.block_count": arch.layers,
        f"{name}.feed_forward_length": arch.hidden,
        f"{name}.attention.head_count": arch.heads,
    }
    if arch.family == "gpt2":
        return out | {f"{name}.attention.layer_norm_epsilon": arch.norm_eps}
    # Gemma's layers that see the whole text have the RoPE that the file calls the model's.
    whole = next((i for i, window in enumerate(arch.window) if window is None), 0)
    out |= {
        f"{name}.attention.head_count_kv": arch.kv_heads,
        f"{name}.attention.key_length": arch.head_dim,
        f"{name}.attention.value_length": arch.head_dim,
        f"{name}.attention.layer_norm_rms_epsilon": arch.norm_eps,
        f"{name}.rope.dimension_count": arch.head_dim,
        f"{name}.rope.freq_base": arch.rope_theta[whole],
    }
    scaling = arch.rope_scaling[whole] or {}
    if scaling.get("rope_type") == "linear":
        out |= {f"{name}.rope.scaling.type": "linear", f"{name}.rope.scaling.factor": float(scaling["factor"])}
    elif scaling:
        original = int(scaling["original_max_position_embeddings"])
        out[f"{name}.rope.scaling.original_context_length"] = original
    if arch.family == "gemma3_text":
        local = next((i for i, window in enumerate(arch.window) if window is not None), 0)
        out |= {
            f"{name}.attention.sliding_window": arch.window[local] or arch.context,
            f"{name}.attention.sliding_window_pattern": whole + 1 if arch.window[whole] is None else arch.layers + 1,
            f"{name}.rope.freq_base_swa": arch.rope_theta[local],
        }
    return out


def _rope_factors(arch: Architecture) -> dict[str, Array]:
    """Llama 3's scaling as llama.cpp takes it: a divisor for each frequency."""
    rule = arch.rope_scaling[0]
    if not rule or rule["rope_type"] != "llama3":
        return {}
    return {ROPE_FACTORS: llama3_factors(rule, arch.rope_theta[0], arch.head_dim).astype(np.float32)}
