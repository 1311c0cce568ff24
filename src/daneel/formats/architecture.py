"""What a Transformer is made of: every choice our one set of blocks can take.

A family (families/*.py) turns a Hugging Face `config.json` into this and back; the model reads nothing else.
"""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Architecture:
    """Sizes are numbers of elements; tuples hold one entry a layer."""

    family: str
    """The `model_type` of the Hugging Face config."""
    vocab_size: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    """Width inside the feed-forward part."""
    context: int
    """Longest sequence, in tokens."""
    norm: Literal["rms", "layer"]
    norm_eps: float
    norm_offset: bool
    """Gemma stores w and multiplies by 1 + w."""
    norms: Literal["before", "after", "both"]
    """Where norms stand: before each part, after its residual (the original Transformer), or around it (Gemma)."""
    positions: Literal["rope", "learned", "sinusoidal", "relative"]
    rope_theta: tuple[float, ...]
    rope_scaling: tuple[dict[str, Any] | None, ...]
    window: tuple[int | None, ...]
    """Sliding-window length: a token sees itself and window - 1 before it; None sees all."""
    activation: Literal["silu", "gelu_tanh", "gelu", "relu"]
    gated: bool
    qkv_bias: bool
    output_bias: bool
    mlp_bias: bool
    qk_norm: bool
    attention_scale: float
    embed_scale: float
    tied: bool
    """The output head is the embedding matrix; not a classifier's."""
    init_std: float
    bos: int | None
    eos: tuple[int, ...]
    encoder_layers: int = 0
    """0: a decoder alone. With an encoder, the decoder's blocks also attend to what it made of the source."""
    start: int = 0
    """What an encoder-decoder's target begins with."""
    pad: int | None = None
    """A token that is never written."""
    zero_pad: bool = False
    """Its embedding is zero and stays so; a Marian's target begins with it."""
    final_norm: bool = True
    """A norm after the last block."""
    head_bias: bool = False
    head_scale: float = 1.0
    """The last states are multiplied by it before the output head."""
    buckets: int = 0
    """Distances that relative positions tell apart."""
    bucket_distance: int = 0
    """From this distance on all are one."""
    labels: int = 0
    """Of a classifier: how many labels its head tells apart, at a text's last token. 0: a language model."""
