"""T5, above all v1.1 (gated, without a tied head). Source: Transformers `T5Config`, arXiv:1910.10683."""

from typing import Any

from daneel.formats.architecture import Architecture
from daneel.formats.families.names import Weight, activation, eos_ids, linear


def architecture(config: dict[str, Any]) -> Architecture:
    """Raises KeyError for a missing size, ModelError for an activation that we lack."""
    width, heads = config["d_model"], config["num_heads"]
    layers = config.get("num_decoder_layers") or config["num_layers"]
    gated, _, name = config.get("feed_forward_proj", "relu").rpartition("-")
    if gated and name == "gelu":
        name = "gelu_new"
    # v1.1 says by `tie_word_embeddings: false` that nothing is scaled; Transformers 5 has a field of its own for it.
    tied = config.get("tie_word_embeddings", True)
    scaled = config.get("scale_decoder_outputs", tied)
    return Architecture(
        family="t5",
        vocab_size=config["vocab_size"],
        width=width,
        layers=layers,
        heads=heads,
        kv_heads=heads,
        head_dim=config["d_kv"],
        hidden=config["d_ff"],
        context=config.get("n_positions", 512),
        norm="rms",
        norm_eps=config.get("layer_norm_epsilon", 1e-6),
        norm_offset=False,
        norms="before",
        positions="relative",
        rope_theta=(0.0,) * layers,
        rope_scaling=(None,) * layers,
        window=(None,) * layers,
        activation=activation({"feed_forward_proj": name}, "feed_forward_proj"),
        gated=bool(gated),
        qkv_bias=False,
        output_bias=False,
        mlp_bias=False,
        qk_norm=False,
        attention_scale=1.0,
        embed_scale=1.0,
        tied=tied,
        init_std=width**-0.5,
        bos=config.get("bos_token_id"),
        eos=eos_ids({"eos_token_id": 1, **config}),
        encoder_layers=config["num_layers"],
        start=config.get("decoder_start_token_id", config.get("pad_token_id", 0)),
        pad=config.get("pad_token_id", 0),
        head_scale=width**-0.5 if scaled else 1.0,
        buckets=config.get("relative_attention_num_buckets", 32),
        bucket_distance=config.get("relative_attention_max_distance", 128),
    )


def weights(arch: Architecture) -> list[Weight]:
    """The first block of each side holds the biases of all."""
    out = [Weight("embed.weight", ("shared.weight",))]
    inner = arch.heads * arch.head_dim
    for side, theirs_side, layers in (("encoder.", "encoder", arch.encoder_layers), ("", "decoder", arch.layers)):
        out.append(
            Weight(
                f"{side}relative.weight",
                (f"{theirs_side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight",),
            )
        )
        for i in range(layers):
            ours, theirs = f"{side}blocks.{i}", f"{theirs_side}.block.{i}.layer"
            attention = f"{theirs}.0.SelfAttention"
            out += linear(f"{ours}.attention.qkv", attention, dict.fromkeys("qkv", inner), False)
            out += linear(f"{ours}.attention.out", attention, {"o": arch.width}, False)
            norms = ["norm1", "norm2"]
            if not side:
                cross = f"{theirs}.1.EncDecAttention"
                out += linear(f"{ours}.cross.q", cross, {"q": inner}, False)
                out += linear(f"{ours}.cross.kv", cross, dict.fromkeys("kv", inner), False)
                out += linear(f"{ours}.cross.out", cross, {"o": arch.width}, False)
                norms = ["norm1", "norm_cross", "norm2"]
            last = f"{theirs}.{len(norms) - 1}.DenseReluDense"
            ups = ("wi_0", "wi_1") if arch.gated else ("wi",)
            out += linear(f"{ours}.mlp.up", last, dict.fromkeys(ups, arch.hidden), False)
            out += linear(f"{ours}.mlp.down", last, {"wo": arch.width}, False)
            out += [
                Weight(f"{ours}.{norm}.weight", (f"{theirs}.{n}.layer_norm.weight",)) for n, norm in enumerate(norms)
            ]
        out.append(Weight(f"{side}norm.weight", (f"{theirs_side}.final_layer_norm.weight",)))
    if not arch.tied:
        out.append(Weight("head.weight", ("lm_head.weight",)))
    return out


def config(*, vocab_size: int, width: int, layers: int, heads: int, hidden: int, context: int, pad: int,
           eos: int, dropout: float = 0.1) -> dict[str, Any]:  # fmt: skip
    """The `config.json` of a new T5 v1.1: as many layers on both sides, `pad` begins a target."""
    return {
        "architectures": ["T5ForConditionalGeneration"],
        "model_type": "t5",
        "is_encoder_decoder": True,
        "vocab_size": vocab_size,
        "d_model": width,
        "d_kv": width // heads,
        "d_ff": hidden,
        "num_layers": layers,
        "num_decoder_layers": layers,
        "num_heads": heads,
        "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128,
        "n_positions": context,
        "dropout_rate": dropout,
        "layer_norm_epsilon": 1e-6,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
        "eos_token_id": eos,
        "pad_token_id": pad,
        "decoder_start_token_id": pad,
        "dtype": "float32",
    }
