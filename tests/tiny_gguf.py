"""Small GGUF files from small Transformers models, with llama.cpp's own names and reorderings.

Tensor names come from the `gguf` package's table, not from ours; what llama.cpp's converter does to the
weights is done here forwards.
"""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import tiny
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

ARCHITECTURES = {
    "gpt2": gguf.MODEL_ARCH.GPT2,
    "llama": gguf.MODEL_ARCH.LLAMA,
    "llama3": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "gemma3": gguf.MODEL_ARCH.GEMMA3,
}
# What GGUF cannot say about these families is left at what llama.cpp assumes.
CHANGES: dict[str, dict[str, Any]] = {
    "qwen2": {"use_sliding_window": False, "layer_types": ["full_attention"] * 2},
    "gemma3": {
        "query_pre_attn_scalar": 16,
        "rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        },
    },
}
Kind = gguf.GGMLQuantizationType


def model(family: str, **changes: Any) -> Any:
    """A random Transformers model that GGUF can describe."""
    return tiny.reference(family, **{**CHANGES.get(family, {}), **changes})


def tensors(family: str, reference: Any) -> dict[str, np.ndarray]:
    """The model's weights as llama.cpp's `convert_hf_to_gguf.py` would write them."""
    config = reference.config
    names = gguf.get_tensor_name_map(ARCHITECTURES[family], config.num_hidden_layers)
    out = {}
    for name, tensor in reference.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        value = tensor.numpy()
        stem, _, leaf = name.rpartition(".")
        if family.startswith("llama") and stem.endswith(("q_proj", "k_proj")):
            heads = config.num_attention_heads if stem.endswith("q_proj") else config.num_key_value_heads
            value = value.reshape(heads, 2, value.shape[0] // heads // 2, *value.shape[1:])
            value = value.swapaxes(1, 2).reshape(tensor.shape)
        if family == "gemma3" and stem.endswith("norm"):
            value = value + 1
        if family == "gpt2" and value.ndim == 2 and ".h." in name:
            value = value.T
        theirs = names.get_name(stem)
        assert theirs is not None, name
        out[f"{theirs}.{leaf}"] = np.ascontiguousarray(value)
    if family == "llama3":
        out["rope_freqs.weight"] = llama3_factors(config)
    return out


def llama3_factors(config: Any) -> np.ndarray:
    """Frequency by frequency, as the converter's `generate_extra_tensors` has it."""
    rope = config.rope_parameters
    low = rope["original_max_position_embeddings"] / rope["low_freq_factor"]
    high = rope["original_max_position_embeddings"] / rope["high_freq_factor"]
    factors = []
    for i in range(0, config.head_dim, 2):
        wavelength = 2 * np.pi * rope["rope_theta"] ** (i / config.head_dim)
        if wavelength < high:
            factors.append(1.0)
        elif wavelength > low:
            factors.append(rope["factor"])
        else:
            smooth = rope["original_max_position_embeddings"] / wavelength - rope["low_freq_factor"]
            smooth /= rope["high_freq_factor"] - rope["low_freq_factor"]
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(factors, dtype=np.float32)


def metadata(family: str, config: Any) -> dict[str, Any]:
    """What llama.cpp's converter writes about a model."""
    arch = gguf.MODEL_ARCH_NAMES[ARCHITECTURES[family]]
    out: dict[str, Any] = {
        f"{arch}.block_count": config.num_hidden_layers,
        f"{arch}.context_length": config.max_position_embeddings,
        f"{arch}.embedding_length": config.hidden_size,
        f"{arch}.attention.head_count": config.num_attention_heads,
    }
    if family == "gpt2":
        out[f"{arch}.feed_forward_length"] = 4 * config.n_embd
        out[f"{arch}.attention.layer_norm_epsilon"] = config.layer_norm_epsilon
        return out
    rope = config.rope_parameters
    out |= {
        f"{arch}.feed_forward_length": config.intermediate_size,
        f"{arch}.attention.head_count_kv": config.num_key_value_heads,
        f"{arch}.attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        f"{arch}.rope.freq_base": float(rope.get("full_attention", rope)["rope_theta"]),
    }
    if family.startswith("llama"):
        out[f"{arch}.rope.dimension_count"] = config.head_dim
        out[f"{arch}.vocab_size"] = config.vocab_size
    else:
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        out |= {f"{arch}.attention.key_length": head_dim, f"{arch}.attention.value_length": head_dim}
    if family == "llama3":
        out[f"{arch}.rope.scaling.original_context_length"] = rope["original_max_position_embeddings"]
    if family == "gemma3":
        out |= {
            "gemma3.attention.sliding_window": config.sliding_window,
            "gemma3.attention.sliding_window_pattern": 3,
            "gemma3.rope.scaling.type": "linear",
            "gemma3.rope.scaling.factor": rope["full_attention"]["factor"],
        }
    return out


def byte_vocabulary(pre: str = "gpt-2") -> dict[str, Any]:
    """The metadata of the tests' byte-level tokenizer."""
    raw = json.loads(tiny.tokenizer_json())
    vocabulary = sorted(raw["model"]["vocab"].items(), key=lambda item: item[1])
    special = {token["content"] for token in raw["added_tokens"]}
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": [token for token, _ in vocabulary],
        "tokenizer.ggml.token_type": [3 if token in special else 1 for token, _ in vocabulary],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in raw["model"]["merges"]],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": tiny.TEMPLATE,
    }


def piece_vocabulary() -> dict[str, Any]:
    """SentencePiece's kind with 400 tokens: bytes, some characters and the pieces of the tests' texts, with scores."""
    tokens = ["<pad>", "</s>", "<s>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "  ", "\n\n"]
    kinds = [3, 3, 3, 2] + [6] * 256 + [4, 4]
    trainer = trainers.BpeTrainer(vocab_size=400 - len(tokens), show_progress=False, limit_alphabet=70)
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    raw.train_from_iterator(tiny.TEXT, trainer)
    pieces = sorted(raw.get_vocab(), key=raw.get_vocab().__getitem__)
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens + pieces,
        "tokenizer.ggml.token_type": kinds + [1] * len(pieces),
        "tokenizer.ggml.scores": [0.0] * len(tokens) + [-float(rank) for rank in range(len(pieces))],
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.eos_token_id": 1,
        "tokenizer.ggml.unknown_token_id": 3,
        "tokenizer.ggml.add_space_prefix": False,
    }


def write(
    path: Path,
    arch: str,
    fields: dict[str, Any],
    weights: dict[str, np.ndarray],
    kinds: dict[str, Kind] | None = None,
) -> Path:
    """A GGUF file. A weight whose kind is given is stored so; bytes (uint8) are taken as packed already."""
    writer = gguf.GGUFWriter(path, arch)
    for key, value in fields.items():
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
    for name, value in weights.items():
        kind = (kinds or {}).get(name, Kind.F32)
        packed = value if value.dtype == np.uint8 else gguf.quantize(value, kind)
        writer.add_tensor(name, packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tiny_gguf(path: Path, family: str = "llama", reference: Any = None, **fields: Any) -> Path:
    """A whole small model in float32."""
    reference = reference if reference is not None else model(family)
    arch = gguf.MODEL_ARCH_NAMES[ARCHITECTURES[family]]
    known = {**metadata(family, reference.config), **byte_vocabulary(), **fields}
    return write(path, arch, known, tensors(family, reference))
