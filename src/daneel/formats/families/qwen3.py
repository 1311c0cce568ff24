"""Qwen3: Llama with norms on Q and K, and a head size of its own.

Source: Transformers `Qwen3Config`, arXiv:2505.09388.
"""

from dataclasses import replace
from typing import Any

from daneel.formats.architecture import Architecture
from daneel.formats.families import llama
from daneel.formats.families.names import llama_weights
from daneel.formats.families.qwen2 import windows

weights = llama_weights


def architecture(config: dict[str, Any]) -> Architecture:
    """Raises KeyError for a missing size."""
    config = {"head_dim": 128, **config}
    base = llama.architecture({**config, "mlp_bias": False})
    return replace(base, family="qwen3", qk_norm=True, window=windows(config))
