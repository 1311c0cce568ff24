"""Marian: the original Transformer (arXiv:1706.03762). Source: Transformers `MarianConfig`; opus-mt are such models."""

from typing import Any

from daneel.errors import ModelError
from daneel.formats.architecture import Architecture
from daneel.formats.families.names import Weight, activation, eos_ids, linear


def architecture(config: dict[str, Any]) -> Architecture:
    """Raises KeyError for a missing size, ModelError for an encoder of another shape than the decoder."""
    width, heads, hidden = config["d_model"], config["decoder_attention_heads"], config["decoder_ffn_dim"]
    layers = config["decoder_layers"]
    if (config["encoder_attention_heads"], config["encoder_ffn_dim"]) != (heads, hidden):
        raise ModelError("a Marian whose encoder has other heads or another feed-forward width is not supported")
    if not config.get("share_encoder_decoder_embeddings", True) or not config.get("tie_word_embeddings", True):
        raise ModelError("a Marian with several embedding matrices is not supported")
    return Architecture(
        family="marian",
        vocab_size=config["vocab_size"],
        width=width,
        layers=layers,
        heads=heads,
        kv_heads=heads,
        head_dim=width // heads,
        hidden=hidden,
        context=config.get("max_position_embeddings", 1024),
        norm="layer",
        norm_eps=1e-5,
        norm_offset=False,
        norms="after",
        positions="sinusoidal",
        rope_theta=(0.0,) * layers,
        rope_scaling=(None,) * layers,
        window=(None,) * layers,
        activation=activation({"activation_function": "gelu", **config}, "activation_function"),
        gated=False,
        qkv_bias=True,
        output_bias=True,
        mlp_bias=True,
        qk_norm=False,
        attention_scale=(width // heads) ** -0.5,
        embed_scale=width**0.5 if config.get("scale_embedding") else 1.0,
        tied=True,
        init_std=config.get("init_std", 0.02),
        bos=config.get("bos_token_id"),
        eos=eos_ids({"eos_token_id": 0, **config}),
        encoder_layers=config["encoder_layers"],
        start=config.get("decoder_start_token_id", 58100),
        pad=config.get("pad_token_id", 58100),
        zero_pad=True,
        final_norm=False,
        head_bias=True,
    )


def weights(arch: Architecture) -> list[Weight]:
    """Positions are computed, so no file has them."""
    out = [Weight("embed.weight", ("model.shared.weight",)), Weight("head_bias", ("final_logits_bias",))]
    for side, layers in (("encoder.", arch.encoder_layers), ("", arch.layers)):
        for i in range(layers):
            ours, theirs = f"{side}blocks.{i}", f"model.{side or 'decoder.'}layers.{i}"
            out += linear(f"{ours}.attention.qkv", f"{theirs}.self_attn", _parts(arch, "qkv"), True)
            out += linear(f"{ours}.attention.out", f"{theirs}.self_attn", {"out_proj": arch.width}, True)
            out += linear(f"{ours}.mlp.up", theirs, {"fc1": arch.hidden}, True)
            out += linear(f"{ours}.mlp.down", theirs, {"fc2": arch.width}, True)
            norms = {"norm1": "self_attn_layer_norm", "norm2": "final_layer_norm"}
            if not side:
                out += linear(f"{ours}.cross.q", f"{theirs}.encoder_attn", _parts(arch, "q"), True)
                out += linear(f"{ours}.cross.kv", f"{theirs}.encoder_attn", _parts(arch, "kv"), True)
                out += linear(f"{ours}.cross.out", f"{theirs}.encoder_attn", {"out_proj": arch.width}, True)
                norms["norm_cross"] = "encoder_attn_layer_norm"
            out += [
                Weight(f"{ours}.{a}.{k}", (f"{theirs}.{b}.{k}",)) for a, b in norms.items() for k in ("weight", "bias")
            ]
    return out


def _parts(arch: Architecture, letters: str) -> dict[str, int]:
    return {f"{letter}_proj": arch.width for letter in letters}


def config(*, vocab_size: int, width: int, layers: int, heads: int, hidden: int, context: int, pad: int,
           eos: int, dropout: float = 0.1) -> dict[str, Any]:  # fmt: skip
    """The `config.json` of a new model: as many layers on both sides, `pad` begins a target."""
    return {
        "architectures": ["MarianMTModel"],
        "model_type": "marian",
        "is_encoder_decoder": True,
        "vocab_size": vocab_size,
        "decoder_vocab_size": vocab_size,
        "d_model": width,
        "encoder_layers": layers,
        "decoder_layers": layers,
        "encoder_attention_heads": heads,
        "decoder_attention_heads": heads,
        "encoder_ffn_dim": hidden,
        "decoder_ffn_dim": hidden,
        "max_position_embeddings": context,
        "activation_function": "relu",
        "scale_embedding": True,
        "dropout": dropout,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
        "init_std": 0.02,
        "tie_word_embeddings": True,
        "share_encoder_decoder_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": eos,
        "forced_eos_token_id": eos,
        "pad_token_id": pad,
        "decoder_start_token_id": pad,
        "dtype": "float32",
    }
