"""Llama: SmolLM2, TinyLlama, Llama 3. Source: Transformers `LlamaConfig`, and arXiv:2302.13971."""

from typing import Any

from daneel.formats.architecture import Architecture
from daneel.formats.families.names import activation, eos_ids, llama_weights, rope

weights = llama_weights


def architecture(config: dict[str, Any]) -> Architecture:
    """Raises KeyError for a missing size."""
    layers, heads = config["num_hidden_layers"], config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    theta, scaling = rope(config)
    return Architecture(
        family="llama",
        vocab_size=config["vocab_size"],
        width=config["hidden_size"],
        layers=layers,
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head_dim=head_dim,
        hidden=config["intermediate_size"],
        context=config.get("max_position_embeddings", 2048),
        norm="rms",
        norm_eps=config.get("rms_norm_eps", 1e-6),
        norm_offset=False,
        norms="before",
        positions="rope",
        rope_theta=(theta,) * layers,
        rope_scaling=(scaling,) * layers,
        window=(None,) * layers,
        activation=activation(config, "hidden_act"),
        gated=True,
        qkv_bias=config.get("attention_bias", False),
        output_bias=config.get("attention_bias", False),
        mlp_bias=config.get("mlp_bias", False),
        qk_norm=False,
        attention_scale=head_dim**-0.5,
        embed_scale=1.0,
        tied=config.get("tie_word_embeddings", False),
        init_std=config.get("initializer_range", 0.02),
        bos=config.get("bos_token_id"),
        eos=eos_ids(config),
    )


def config(*, vocab_size: int, width: int, layers: int, heads: int, kv_heads: int, hidden: int, context: int,
           bos: int | None, eos: int) -> dict[str, Any]:  # fmt: skip
    """The `config.json` of a new model, tied embeddings, as Transformers, vLLM and llama.cpp read it."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": vocab_size,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": width // heads,
        "intermediate_size": hidden,
        "max_position_embeddings": context,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "initializer_range": 0.02,
        "bos_token_id": bos,
        "eos_token_id": eos,
        "dtype": "float32",
    }
