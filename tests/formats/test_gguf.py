"""GGUF to a Hugging Face folder: every architecture, every quantisation, and the errors."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import tiny_gguf
import torch
import transformers
from safetensors.numpy import load_file
from tiny_gguf import Kind

from daneel.errors import ModelError
from daneel.formats.gguf import convert, folder_bytes
from daneel.formats.gguf_file import GGUF, SUPPORTED
from daneel.formats.hf import read_architecture

FAMILIES = list(tiny_gguf.ARCHITECTURES)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_architecture_gives_the_weights_and_logits_of_the_original(family: str, tmp_path: Path) -> None:
    original = tiny_gguf.model(family)
    convert(GGUF(tiny_gguf.tiny_gguf(tmp_path / "model.gguf", family, original)), tmp_path / "out")
    wanted = {name: value.numpy() for name, value in original.state_dict().items()}
    if original.config.tie_word_embeddings:
        del wanted["lm_head.weight"]
    got = load_file(tmp_path / "out" / "model.safetensors")
    assert got.keys() == wanted.keys()
    for name, value in wanted.items():
        # Gemma's norms went through w + 1, which rounds.
        np.testing.assert_allclose(got[name], value, rtol=0, atol=1e-7 if "norm" in name else 0, err_msg=name)

    ids = torch.randint(0, 400, (1, 40), generator=torch.Generator().manual_seed(1))
    loaded = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out", attn_implementation="eager")
    with torch.no_grad():
        expected, logits = original(ids).logits, loaded.eval()(ids).logits
    assert expected.max() - expected.min() > 10
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
    assert read_architecture(tmp_path / "out").layers == original.config.num_hidden_layers


def test_a_head_stored_apart_is_kept_and_one_stored_twice_is_not(tmp_path: Path) -> None:
    original = tiny_gguf.model("llama")
    weights = tiny_gguf.tensors("llama", original)
    fields = tiny_gguf.metadata("llama", original.config) | tiny_gguf.byte_vocabulary()
    twice = weights | {"output.weight": weights["token_embd.weight"]}
    apart = weights | {"output.weight": -weights["token_embd.weight"]}
    for name, some, tied in (("twice", twice, True), ("apart", apart, False)):
        convert(GGUF(tiny_gguf.write(tmp_path / f"{name}.gguf", "llama", fields, some)), tmp_path / name)
        assert json.loads((tmp_path / name / "config.json").read_text())["tie_word_embeddings"] is tied
        assert ("lm_head.weight" in load_file(tmp_path / name / "model.safetensors")) is not tied


def wide_llama() -> Any:
    """Rows long enough for blocks of 256."""
    sizes = {"hidden_size": 256, "head_dim": 64, "intermediate_size": 512, "num_hidden_layers": 1}
    return tiny_gguf.model("llama", **sizes)


def packed(shape: tuple[int, ...], kind: Kind, rng: np.random.Generator) -> np.ndarray:
    """Random blocks of a K-quantisation, which the gguf package reads but does not write."""
    raw = rng.integers(0, 256, gguf.quant_shape_to_byte_shape(shape, kind), dtype=np.uint8)
    block = raw.reshape(-1, gguf.GGML_QUANT_SIZES[kind][1])
    scale = rng.uniform(0.001, 0.01, (len(block), 2)).astype(np.float16).view(np.uint8)
    # Q6_K ends with its scale; Q4_K and Q5_K begin with two.
    if kind == Kind.Q6_K:
        block[:, -2:] = scale[:, :2]
    else:
        block[:, :4] = scale
    return raw


@pytest.mark.parametrize("name", SUPPORTED)
def test_every_quantisation_gives_the_dequantised_weights(name: str, tmp_path: Path) -> None:
    kind, rng, original = Kind[name], np.random.default_rng(0), wide_llama()
    weights = tiny_gguf.tensors("llama", original)
    kinds = {key: kind for key, value in weights.items() if value.ndim == 2}
    if name.endswith("_K"):
        weights |= {key: packed(weights[key].shape, kind, rng) for key in kinds}
    fields = tiny_gguf.metadata("llama", original.config) | tiny_gguf.byte_vocabulary()
    path = tiny_gguf.write(tmp_path / "model.gguf", "llama", fields, weights, kinds)
    convert(GGUF(path), tmp_path / "out")

    got = load_file(tmp_path / "out" / "model.safetensors")
    assert got["model.embed_tokens.weight"].dtype == np.float32
    pairs = {"token_embd": "model.embed_tokens", "blk.0.ffn_down": "model.layers.0.mlp.down_proj"}
    for theirs, ours in pairs.items():
        value = weights[f"{theirs}.weight"]
        raw = value if value.dtype == np.uint8 else gguf.quantize(value, kind)
        np.testing.assert_array_equal(got[f"{ours}.weight"], gguf.dequantize(raw, kind))
    # Rows of Q are moved as blocks, then dequantised.
    value = weights["blk.0.attn_q.weight"]
    raw = value if value.dtype == np.uint8 else gguf.quantize(value, kind)
    rows = gguf.dequantize(raw, kind).reshape(4, 32, 2, 256).swapaxes(1, 2).reshape(256, 256)
    np.testing.assert_array_equal(got["model.layers.0.self_attn.q_proj.weight"], rows)


def test_space_is_estimated_from_the_header(tmp_path: Path) -> None:
    path = tiny_gguf.tiny_gguf(tmp_path / "model.gguf")
    convert(GGUF(path), tmp_path / "out")
    weights = (tmp_path / "out" / "model.safetensors").stat().st_size
    assert weights <= folder_bytes(GGUF(path)) <= weights + 50_000_000


def change(path: Path, tmp_path: Path, **fields: Any) -> str:
    """The one line that a file with these metadata is refused with."""
    other = tiny_gguf.tiny_gguf(path, **{key.replace("__", "."): value for key, value in fields.items()})
    with pytest.raises(ModelError) as caught:
        convert(GGUF(other), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"llama__expert_count": 8}, "mixture of experts"),
        ({"split__count": 3}, "one part of 3"),
        ({"llama__rope__scaling__type": "yarn"}, "'yarn'"),
        ({"llama__rope__dimension_count": 6}, "rotates a part"),
        ({"llama__attention__value_length": 6}, "another size than keys"),
        ({"llama__block_count": 3}, "3 layers"),
        ({"llama__block_count": 4_000_000_000}, "4000000000 layers"),
        ({"llama__attention__head_count_kv": 5}, "do not make 5 heads"),
        ({"llama__attention__head_count": 0}, "make no sense"),
        ({"llama__embedding_length": "wide"}, "make no sense"),
        ({"tokenizer__ggml__model": "bert"}, "'bert'"),
        ({"tokenizer__ggml__pre": "tekken"}, "'tekken'"),
        ({"tokenizer__ggml__eos_token_id": 70_000}, "make no sense"),
        ({"tokenizer__ggml__merges": ["no such"]}, "vocabulary is damaged"),
        ({"tokenizer__ggml__token_type": [1]}, "400 tokens but 1 token types"),
    ],
)
def test_what_is_not_supported_is_one_clear_line(fields: dict[str, Any], words: str, tmp_path: Path) -> None:
    assert words in change(tmp_path / "model.gguf", tmp_path, **fields)


def test_missing_metadata_and_tensors_are_named(tmp_path: Path) -> None:
    original = tiny_gguf.model("llama")
    weights = tiny_gguf.tensors("llama", original)
    fields = tiny_gguf.metadata("llama", original.config) | tiny_gguf.byte_vocabulary()

    def refused(arch: str, fields: dict[str, Any], weights: dict[str, np.ndarray]) -> str:
        with pytest.raises(ModelError) as caught:
            convert(GGUF(tiny_gguf.write(tmp_path / "model.gguf", arch, fields, weights)), tmp_path / "out")
        return str(caught.value)

    assert "'mamba' is not supported; daneel reads llama, gpt2" in refused("mamba", fields, weights)
    short = {key: value for key, value in fields.items() if key != "llama.context_length"}
    assert "llama.context_length" in refused("llama", short, weights)
    fewer = {key: value for key, value in weights.items() if key != "blk.1.attn_k.weight"}
    assert "model.layers.1.self_attn.k_proj.weight" in refused("llama", fields, fewer)
    more = weights | {"blk.0.attn_sinks.weight": np.zeros(4, np.float32)}
    assert "'blk.0.attn_sinks.weight'" in refused("llama", fields, more)
    scaled = weights | {"rope_freqs.weight": np.linspace(1, 3, 6, dtype=np.float32)}
    assert "not Llama 3's scaling" in refused("llama", fields, scaled)
    no_embedding = {key: value for key, value in weights.items() if key != "token_embd.weight"}
    assert "no tensor token_embd.weight" in refused("llama", fields, no_embedding)


def test_an_unsupported_quantisation_is_named(tmp_path: Path) -> None:
    original = wide_llama()
    weights = tiny_gguf.tensors("llama", original)
    fields = tiny_gguf.metadata("llama", original.config) | tiny_gguf.byte_vocabulary()
    name = "blk.0.ffn_up.weight"
    weights[name] = np.zeros(gguf.quant_shape_to_byte_shape(weights[name].shape, Kind.IQ4_XS), np.uint8)
    path = tiny_gguf.write(tmp_path / "model.gguf", "llama", fields, weights, {name: Kind.IQ4_XS})
    with pytest.raises(ModelError, match=r"blk\.0\.ffn_up\.weight is quantised as IQ4_XS; daneel reads F32, "):
        convert(GGUF(path), tmp_path / "out")
