"""A GGUF file's metadata as the `config.json` that Transformers 4 and 5 read."""

from typing import Any

import numpy as np

from daneel.errors import ModelError
from daneel.formats.gguf_file import GGUF

# general.architecture -> (class in Transformers, model_type)
ARCHITECTURES = {
    "llama": ("LlamaForCausalLM", "llama"),
    "gpt2": ("GPT2LMHeadModel", "gpt2"),
    "qwen2": ("Qwen2ForCausalLM", "qwen2"),
    "qwen3": ("Qwen3ForCausalLM", "qwen3"),
    "gemma3": ("Gemma3ForCausalLM", "gemma3_text"),
}
ROPE_FACTORS = "rope_freqs.weight"
GEMMA_27B_LAYERS = 62


def config(gguf: GGUF) -> dict[str, Any]:
    """`config.json`. Raises ModelError for what is not supported, KeyError for metadata that are missing."""
    meta = gguf.metadata
    arch = meta.get("general.architecture")
    if arch not in ARCHITECTURES:
        raise ModelError(
            f"{gguf.path}: architecture {arch!r} is not supported; daneel reads {', '.join(ARCHITECTURES)}"
        )
    if meta.get("split.count", 1) > 1:
        raise ModelError(f"{gguf.path} is one part of {meta['split.count']}: join them with llama-gguf-split --merge")
    if meta.get(f"{arch}.expert_count", 0):
        raise ModelError(f"{gguf.path} is a mixture of experts, which is not supported; name a dense model")
    if isinstance(meta[f"{arch}.attention.head_count"], list):
        raise ModelError(f"{gguf.path} has another number of heads in each layer, which is not supported")
    # Checked first, since a number that lies would be a list that long.
    layers = len({key.split(".")[1] for key in gguf.tensors if key.startswith("blk.")})
    if meta[f"{arch}.block_count"] != layers:
        raise ModelError(f"{gguf.path} announces {meta[f'{arch}.block_count']} layers but has {layers}; fetch it again")
    name, kind = ARCHITECTURES[arch]
    out = {
        "architectures": [name],
        "model_type": kind,
        "vocab_size": gguf.shape("token_embd.weight")[0],
        "bos_token_id": meta.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": meta.get("tokenizer.ggml.eos_token_id"),
        "pad_token_id": meta.get("tokenizer.ggml.padding_token_id"),
        "tie_word_embeddings": tied(gguf),
        "initializer_range": 0.02,
        "dtype": "float32",
    }
    return out | (_gpt2(meta) if arch == "gpt2" else _rope_family(gguf, arch))


def tied(gguf: GGUF) -> bool:
    """Whether the head is the embedding: absent from the file, or stored twice."""
    return "output.weight" not in gguf.tensors or gguf.same_bytes("output.weight", "token_embd.weight")


def _gpt2(meta: dict[str, Any]) -> dict[str, Any]:
    return {
        "n_embd": meta["gpt2.embedding_length"],
        "n_layer": meta["gpt2.block_count"],
        "n_head": meta["gpt2.attention.head_count"],
        "n_inner": meta["gpt2.feed_forward_length"],
        "n_positions": meta["gpt2.context_length"],
        "layer_norm_epsilon": meta["gpt2.attention.layer_norm_epsilon"],
        "activation_function": "gelu_new",
    }


def _rope_family(gguf: GGUF, arch: str) -> dict[str, Any]:
    meta = gguf.metadata
    width, heads = meta[f"{arch}.embedding_length"], meta[f"{arch}.attention.head_count"]
    head_dim = meta.get(f"{arch}.attention.key_length", width // heads)
    if meta.get(f"{arch}.attention.value_length", head_dim) != head_dim:
        raise ModelError(f"{gguf.path} has values of another size than keys, which is not supported")
    if meta.get(f"{arch}.rope.dimension_count", head_dim) != head_dim:
        raise ModelError(f"{gguf.path} rotates a part of each head only, which is not supported")
    theta = float(meta.get(f"{arch}.rope.freq_base", 10000.0))
    rope = {"rope_type": "default", "rope_theta": theta, **_scaling(gguf, arch, theta, head_dim)}
    out: dict[str, Any] = {
        "hidden_size": width,
        "num_hidden_layers": meta[f"{arch}.block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": meta.get(f"{arch}.attention.head_count_kv", heads),
        "head_dim": head_dim,
        "intermediate_size": meta[f"{arch}.feed_forward_length"],
        "max_position_embeddings": meta[f"{arch}.context_length"],
        "rms_norm_eps": meta[f"{arch}.attention.layer_norm_rms_epsilon"],
        # The first for Transformers 4, the last for 5.
        "rope_theta": theta,
        "rope_parameters": rope,
    }
    if rope["rope_type"] != "default":
        out["rope_scaling"] = {key: value for key, value in rope.items() if key != "rope_theta"}
    if arch == "gemma3":
        return out | _gemma3(meta, out)
    if arch == "llama":
        out["attention_bias"] = "blk.0.attn_q.bias" in gguf.tensors
        out["mlp_bias"] = "blk.0.ffn_up.bias" in gguf.tensors
    if arch == "qwen3":
        out["attention_bias"] = False
    return out | {"hidden_act": "silu"}


def _gemma3(meta: dict[str, Any], out: dict[str, Any]) -> dict[str, Any]:
    """Every sixth layer sees the whole text; the others a window, with a RoPE of their own."""
    layers = out["num_hidden_layers"]
    pattern = meta.get("gemma3.attention.sliding_window_pattern", 6)
    sliding = pattern if isinstance(pattern, list) else [(i + 1) % pattern != 0 for i in range(layers)]
    local = float(meta.get("gemma3.rope.freq_base_swa", 10000.0))
    # As llama.cpp: the 27B model alone scales by the width of the model, not of the head.
    scalar = out["hidden_size"] // out["num_attention_heads"] if layers == GEMMA_27B_LAYERS else out["head_dim"]
    return {
        "hidden_activation": "gelu_pytorch_tanh",
        "query_pre_attn_scalar": scalar,
        "sliding_window": meta["gemma3.attention.sliding_window"],
        "layer_types": ["sliding_attention" if its else "full_attention" for its in sliding],
        "rope_local_base_freq": local,
        "rope_parameters": {
            "full_attention": out["rope_parameters"],
            "sliding_attention": {"rope_type": "default", "rope_theta": local},
        },
        "final_logit_softcapping": meta.get("gemma3.final_logit_softcapping"),
        "attn_logit_softcapping": meta.get("gemma3.attn_logit_softcapping"),
    }


def _scaling(gguf: GGUF, arch: str, theta: float, head_dim: int) -> dict[str, Any]:
    meta = gguf.metadata
    kind = meta.get(f"{arch}.rope.scaling.type", "none")
    if kind not in ("none", "linear"):
        raise ModelError(f"{gguf.path}: RoPE scaling {kind!r} is not supported; daneel has linear and llama3")
    if kind == "linear":
        return {"rope_type": "linear", "factor": float(meta[f"{arch}.rope.scaling.factor"])}
    if ROPE_FACTORS not in gguf.tensors:
        return {}
    factors = gguf.read(ROPE_FACTORS)
    if np.all(factors == 1):
        return {}
    # The file has what Llama 3's rule gives for each frequency, not the rule: Meta's numbers must give it.
    original = meta.get(f"{arch}.rope.scaling.original_context_length", 8192)
    rule = {
        "rope_type": "llama3",
        "factor": float(factors.max()),
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": original,
    }
    if factors.size != head_dim // 2 or not np.allclose(factors, llama3_factors(rule, theta, head_dim), rtol=1e-4):
        raise ModelError(f"{gguf.path}: its {ROPE_FACTORS} is not Llama 3's scaling; no other is supported")
    return rule


def llama3_factors(rule: dict[str, Any], theta: float, head_dim: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What each RoPE frequency is divided by, as Llama 3 does it."""
    wavelength = 2 * np.pi * theta ** (np.arange(0, head_dim, 2) / head_dim)
    turns = rule["original_max_position_embeddings"] / wavelength
    low, high, factor = rule["low_freq_factor"], rule["high_freq_factor"], rule["factor"]
    smooth = np.clip((turns - low) / (high - low), 0, 1)
    return np.asarray(1 / ((1 - smooth) / factor + smooth))
