"""Qwen2 and Qwen2.5: Llama with biases on Q, K and V. Source: Transformers `Qwen2Config`, arXiv:2407.10671."""

from dataclasses import replace
from typing import Any

from daneel.formats.architecture import Architecture
from daneel.formats.families import llama
from daneel.formats.families.names import llama_weights

weights = llama_weights


def windows(config: dict[str, Any]) -> tuple[int | None, ...]:
    """Sliding windows a layer, from `layer_types` or the older `max_window_layers`."""
    layers: int = config["num_hidden_layers"]
    if not config.get("use_sliding_window") or not config.get("sliding_window"):
        return (None,) * layers
    types = config.get("layer_types") or [
        "sliding_attention" if i >= config.get("max_window_layers", 28) else "full_attention" for i in range(layers)
    ]
    window: int = config["sliding_window"]
    return tuple(window if kind == "sliding_attention" else None for kind in types)


def architecture(config: dict[str, Any]) -> Architecture:
    """Raises KeyError for a missing size."""
    base = llama.architecture({**config, "attention_bias": False, "mlp_bias": False})
    return replace(base, family="qwen2", qkv_bias=True, window=windows(config))
