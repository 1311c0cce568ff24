"""Names and RoPE settings that families share."""

from dataclasses import dataclass
from typing import Any

from daneel.errors import ModelError
from daneel.formats.architecture import Architecture

ACTIVATIONS = {
    "silu": "silu",
    "swish": "silu",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_new": "gelu_tanh",
    "gelu": "gelu",
    "relu": "relu",
}


@dataclass(frozen=True)
class Weight:
    """One parameter of ours: the file's tensors, laid one after the other along the output axis."""

    ours: str
    theirs: tuple[str, ...]
    transposed: bool = False
    """GPT-2's Conv1D stores [in, out]."""
    sizes: tuple[int, ...] = ()
    """Outputs of each part of a linear inside the blocks."""


def activation(config: dict[str, Any], key: str) -> Any:
    """Our name for the config's activation function."""
    name = config.get(key, "silu")
    if name not in ACTIVATIONS:
        raise ModelError(f"activation {name!r} ({key}) is not supported; known: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def rope(config: dict[str, Any], kind: str | None = None) -> tuple[float, dict[str, Any] | None]:
    """Base frequency and scaling, from Transformers 5 (`rope_parameters`) or 4 (`rope_theta`, `rope_scaling`)."""
    settings = config.get("rope_parameters")
    if settings and kind in settings:
        settings = settings[kind]
    if not settings:
        settings = dict(config.get("rope_scaling") or {})
        settings.setdefault("rope_theta", config.get("rope_theta", 10000.0))
    theta = float(settings.get("rope_theta", config.get("rope_theta", 10000.0)))
    scaling = settings.get("rope_type", settings.get("type", "default"))
    if scaling == "default":
        return theta, None
    if scaling not in ("linear", "llama3"):
        raise ModelError(f"RoPE scaling {scaling!r} is not supported; daneel has linear and llama3")
    return theta, {**settings, "rope_type": scaling}


def eos_ids(config: dict[str, Any]) -> tuple[int, ...]:
    """The config's end tokens as a tuple."""
    eos = config.get("eos_token_id")
    return () if eos is None else (eos,) if isinstance(eos, int) else tuple(eos)


def linear(ours: str, theirs: str, parts: dict[str, int], bias: bool) -> list[Weight]:
    """A linear of ours, whose outputs are those of some modules of theirs one after another."""
    sizes = tuple(parts.values())
    kinds = ("weight", "bias") if bias else ("weight",)
    return [Weight(f"{ours}.{k}", tuple(f"{theirs}.{part}.{k}" for part in parts), sizes=sizes) for k in kinds]


def head(arch: Architecture) -> list[Weight]:
    """The output matrix: a classifier's own, a language model's, or none where it is the embedding."""
    if arch.labels:
        return [Weight("head.weight", ("score.weight",))]
    return [] if arch.tied else [Weight("head.weight", ("lm_head.weight",))]


def llama_weights(arch: Architecture) -> list[Weight]:
    """The names that Llama, Qwen and Gemma share."""
    out = [Weight("embed.weight", ("model.embed_tokens.weight",))]
    for i in range(arch.layers):
        ours, theirs = f"blocks.{i}", f"model.layers.{i}"

        queries, keys = arch.heads * arch.head_dim, arch.kv_heads * arch.head_dim
        projections = {"self_attn.q_proj": queries, "self_attn.k_proj": keys, "self_attn.v_proj": keys}
        out += linear(f"{ours}.attention.qkv", theirs, projections, arch.qkv_bias)
        out += linear(f"{ours}.attention.out", theirs, {"self_attn.o_proj": arch.width}, arch.output_bias)
        out += linear(
            f"{ours}.mlp.up", theirs, dict.fromkeys(("mlp.gate_proj", "mlp.up_proj"), arch.hidden), arch.mlp_bias
        )
        out += linear(f"{ours}.mlp.down", theirs, {"mlp.down_proj": arch.width}, arch.mlp_bias)
        norms = {"norm1": "input_layernorm", "norm2": "post_attention_layernorm"}
        if arch.norms == "both":
            norms = {
                "norm1": "input_layernorm",
                "post1": "post_attention_layernorm",
                "norm2": "pre_feedforward_layernorm",
                "post2": "post_feedforward_layernorm",
            }
        if arch.qk_norm:
            norms |= {"attention.q_norm": "self_attn.q_norm", "attention.k_norm": "self_attn.k_norm"}
        out += [Weight(f"{ours}.{a}.weight", (f"{theirs}.{b}.weight",)) for a, b in norms.items()]
    out.append(Weight("norm.weight", ("model.norm.weight",)))
    return out + head(arch)
