"""Gemma 3, text models. Source: Transformers `Gemma3TextConfig`, arXiv:2503.19786."""

from dataclasses import replace
from typing import Any

from daneel.errors import ModelError
from daneel.formats.architecture import Architecture
from daneel.formats.families import llama
from daneel.formats.families.names import activation, llama_weights, rope

weights = llama_weights


def architecture(config: dict[str, Any]) -> Architecture:
    """Raises KeyError for a missing size, ModelError for a soft cap or two-way attention."""
    for key in ("final_logit_softcapping", "attn_logit_softcapping", "use_bidirectional_attention"):
        if config.get(key):
            raise ModelError(f"Gemma 3 with {key} is not supported")
    config = {"head_dim": 256, "max_position_embeddings": 131072, "tie_word_embeddings": True, **config}
    layers = config["num_hidden_layers"]
    # Before `layer_types`, every sixth layer saw the whole text.
    pattern = config.get("sliding_window_pattern") or config.get("_sliding_window_pattern") or 6
    types = config.get("layer_types") or [
        "full_attention" if (i + 1) % pattern == 0 else "sliding_attention" for i in range(layers)
    ]
    full = rope({"rope_theta": 1_000_000.0, **config}, "full_attention")
    local = full
    if "sliding_attention" in (config.get("rope_parameters") or {}):
        local = rope(config, "sliding_attention")
    elif "rope_local_base_freq" in config or not config.get("rope_parameters"):
        local = (float(config.get("rope_local_base_freq", 10000.0)), None)
    per_layer = [local if kind == "sliding_attention" else full for kind in types]
    return replace(
        llama.architecture({**config, "mlp_bias": False}),
        family="gemma3_text",
        norm_offset=True,
        norms="both",
        qk_norm=True,
        activation=activation({"hidden_activation": "gelu_pytorch_tanh", **config}, "hidden_activation"),
        attention_scale=config.get("query_pre_attn_scalar", 256) ** -0.5,
        embed_scale=config["hidden_size"] ** 0.5,
        rope_theta=tuple(theta for theta, _ in per_layer),
        rope_scaling=tuple(scaling for _, scaling in per_layer),
        window=tuple(config.get("sliding_window", 4096) if kind == "sliding_attention" else None for kind in types),
    )
