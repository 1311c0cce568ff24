"""GPT-2. Source: Transformers `GPT2Config`, and Radford et al. 2019."""

from typing import Any

from daneel.errors import ModelError
from daneel.formats.architecture import Architecture
from daneel.formats.families.names import Weight, activation, eos_ids, head


def architecture(config: dict[str, Any]) -> Architecture:
    """Raises KeyError for a missing size, ModelError for attention scaled by layer."""
    if config.get("scale_attn_by_inverse_layer_idx"):
        raise ModelError("GPT-2 with scale_attn_by_inverse_layer_idx is not supported")
    width, layers, heads = config["n_embd"], config["n_layer"], config["n_head"]
    return Architecture(
        family="gpt2",
        vocab_size=config["vocab_size"],
        width=width,
        layers=layers,
        heads=heads,
        kv_heads=heads,
        head_dim=width // heads,
        hidden=config.get("n_inner") or 4 * width,
        context=config.get("n_positions", 1024),
        norm="layer",
        norm_eps=config.get("layer_norm_epsilon", 1e-5),
        norm_offset=False,
        norms="before",
        positions="learned",
        rope_theta=(0.0,) * layers,
        rope_scaling=(None,) * layers,
        window=(None,) * layers,
        activation=activation({"activation_function": "gelu_new", **config}, "activation_function"),
        gated=False,
        qkv_bias=True,
        output_bias=True,
        mlp_bias=True,
        qk_norm=False,
        attention_scale=(width // heads) ** -0.5 if config.get("scale_attn_weights", True) else 1.0,
        embed_scale=1.0,
        tied=config.get("tie_word_embeddings", True),
        init_std=config.get("initializer_range", 0.02),
        bos=config.get("bos_token_id"),
        eos=eos_ids(config),
    )


def weights(arch: Architecture) -> list[Weight]:
    """Conv1D stores [in, out], and Q, K, V in one matrix."""
    out = [
        Weight("embed.weight", ("transformer.wte.weight",)),
        Weight("positions.weight", ("transformer.wpe.weight",)),
    ]
    linears = {
        "attention.qkv": ("attn.c_attn", 3 * arch.width),
        "attention.out": ("attn.c_proj", arch.width),
        "mlp.up": ("mlp.c_fc", arch.hidden),
        "mlp.down": ("mlp.c_proj", arch.width),
    }
    for i in range(arch.layers):
        ours, theirs = f"blocks.{i}", f"transformer.h.{i}"
        for a, (b, size) in linears.items():
            out.append(Weight(f"{ours}.{a}.weight", (f"{theirs}.{b}.weight",), transposed=True, sizes=(size,)))
            out.append(Weight(f"{ours}.{a}.bias", (f"{theirs}.{b}.bias",), sizes=(size,)))
        for a, b in {"norm1": "ln_1", "norm2": "ln_2"}.items():
            out += [Weight(f"{ours}.{a}.{k}", (f"{theirs}.{b}.{k}",)) for k in ("weight", "bias")]
    out += [Weight(f"norm.{k}", (f"transformer.ln_f.{k}",)) for k in ("weight", "bias")]
    return out + head(arch)
