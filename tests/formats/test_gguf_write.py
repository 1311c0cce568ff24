"""A Hugging Face folder to GGUF: what llama.cpp's converter writes, and what our own reader reads again."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import tiny_gguf
import torch
from safetensors.numpy import load_file
from tiny_gguf import Kind

from daneel.errors import ModelError
from daneel.formats.architecture import Architecture
from daneel.formats.gguf import convert
from daneel.formats.gguf_file import GGUF
from daneel.formats.gguf_write import fallbacks, file_bytes, places, read_back, rounded, write_gguf
from daneel.formats.hf import read_architecture

FAMILIES = list(tiny_gguf.ARCHITECTURES)
Arrays = dict[str, np.ndarray[Any, Any]]


def saved(folder: Path, family: str, **changes: Any) -> tuple[Any, Architecture, Arrays]:
    """A Transformers model, its architecture, and its tensors by Hugging Face name."""
    original = tiny_gguf.model(family, **changes)
    original.save_pretrained(folder)
    return original, read_architecture(folder), load_file(folder / "model.safetensors")


def written(folder: Path, family: str, quant: str, **changes: Any) -> tuple[Any, Architecture, Arrays, GGUF]:
    original, arch, tensors = saved(folder / "model", family, **changes)
    layout = places(arch, tensors, quant)
    path = folder / "model.gguf"
    write_gguf(path, arch, layout, tensors, quant, "灯塔", tiny_gguf.byte_vocabulary())
    kinds = {place.source: place.kind for place in layout}
    for name, value in tensors.items():
        # GPT-2's matrices are turned in the file, and rounded there.
        turned = family == "gpt2" and value.ndim == 2 and ".h." in name
        value = rounded(np.ascontiguousarray(value.T if turned else value), kinds[name])
        tensors[name] = value.T if turned else value
    read_back(path, arch, layout, tensors)
    return original, arch, tensors, GGUF(path)


@pytest.mark.parametrize("family", FAMILIES)
def test_float32_is_what_llama_cpps_converter_writes_and_reads_back_equal(family: str, tmp_path: Path) -> None:
    original, _, tensors, file = written(tmp_path, family, "f32")
    want = tiny_gguf.tensors(family, original)
    assert file.tensors.keys() == want.keys()
    for name, value in want.items():
        np.testing.assert_array_equal(file.read(name), value, err_msg=name)
    known = tiny_gguf.metadata(family, original.config) | {"general.name": "灯塔"}
    assert {key: file.metadata[key] for key in known} == {
        key: float(np.float32(value)) if isinstance(value, float) else value for key, value in known.items()
    }
    convert(file, tmp_path / "back")
    back = load_file(tmp_path / "back" / "model.safetensors")
    assert back.keys() == tensors.keys()
    for name, value in tensors.items():
        # Gemma's norms went through w + 1, which rounds.
        np.testing.assert_allclose(back[name], value, rtol=0, atol=1e-7 if "norm" in name else 0, err_msg=name)


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma3"])
def test_bfloat16_is_pytorchs_and_vectors_and_positions_stay_float32(family: str, tmp_path: Path) -> None:
    original, _, _, file = written(tmp_path, family, "bf16")
    for name, value in tiny_gguf.tensors(family, original).items():
        whole = value.ndim == 1 or name == "position_embd.weight"
        assert file.tensors[name].kind == (Kind.F32 if whole else Kind.BF16)
        want = value if whole else torch.from_numpy(value).bfloat16().float().numpy()
        np.testing.assert_array_equal(file.read(name), want, err_msg=name)


@pytest.mark.parametrize(
    ("quant", "matrix", "head"), [("q8_0", "Q8_0", "Q8_0"), ("q4_0", "Q4_0", "Q8_0"), ("q4_1", "Q4_1", "Q8_0")]
)
def test_blocks_hold_the_weights_within_a_step_and_the_head_has_eight_bits(
    quant: str, matrix: str, head: str, tmp_path: Path
) -> None:
    sizes = {"hidden_size": 64, "head_dim": 16, "intermediate_size": 96, "tie_word_embeddings": False}
    original, _, _, file = written(tmp_path, "llama", quant, **sizes)
    steps = {"Q8_0": 1 / 127, "Q4_0": 1 / 8, "Q4_1": 2 / 15}
    for name, value in tiny_gguf.tensors("llama", original).items():
        kind = "F32" if value.ndim == 1 else head if name in ("token_embd.weight", "output.weight") else matrix
        assert file.tensors[name].kind.name == kind
        blocks = value.reshape(-1, 32) if value.ndim > 1 else value
        step = np.abs(blocks).max(axis=-1, keepdims=True) * steps.get(kind, 0)
        assert np.all(np.abs(file.read(name).reshape(blocks.shape) - blocks) <= step * 1.02)


def test_rows_that_make_no_blocks_keep_sixteen_bits_and_are_listed(tmp_path: Path) -> None:
    _, arch, tensors, file = written(tmp_path, "qwen3", "q4_0")  # rows of 48, 64 and 80
    small = fallbacks(places(arch, tensors, "q4_0"), "q4_0")
    assert "model.layers.0.self_attn.o_proj.weight" not in small
    assert {"model.embed_tokens.weight", "model.layers.1.mlp.down_proj.weight"} <= set(small)
    assert file.tensors["blk.1.ffn_down.weight"].kind is Kind.F16
    assert file.tensors["blk.1.attn_output.weight"].kind is Kind.Q4_0
    assert fallbacks(places(arch, tensors, "f32"), "f32") == []


def test_the_size_of_the_tensors_is_known_before(tmp_path: Path) -> None:
    _, arch, tensors, file = written(tmp_path, "llama", "q8_0")
    size = file_bytes(places(arch, tensors, "q8_0"), tensors)
    assert size == sum(info.size for info in file.tensors.values())


@pytest.mark.parametrize(
    ("family", "changes", "what"),
    [
        ("qwen2", tiny.CONFIGS["qwen2"][1], "its window of layer 1 is 5, llama.cpp takes None"),
        ("gemma3", {"query_pre_attn_scalar": 20}, "its attention_scale is"),
        (
            "gemma3",
            {"layer_types": ["full_attention", "sliding_attention", "sliding_attention"]},
            "its rope_theta of la",
        ),
        ("qwen3", {"attention_bias": True}, "its qkv_bias is True"),
        ("gpt2", {"activation_function": "relu"}, "its activation is relu, llama.cpp takes gelu_tanh"),
    ],
)
def test_what_gguf_cannot_say_is_an_error_that_names_it(
    family: str, changes: dict[str, Any], what: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=what):
        written(tmp_path, family, "f32", **changes)


def test_a_damaged_tensor_is_named(tmp_path: Path) -> None:
    _, arch, tensors, file = written(tmp_path, "llama", "f32")
    info = file.tensors["blk.1.ffn_up.weight"]
    with file.path.open("r+b") as raw:
        raw.seek(info.start + 40)
        raw.write(b"\x00\x00\x80\x3f")
    with pytest.raises(ModelError, match=r"tensor blk\.1\.ffn_up\.weight in the file is not what was written"):
        read_back(file.path, arch, places(arch, tensors, "f32"), tensors)


def test_a_family_without_a_gguf_name_is_refused(tmp_path: Path) -> None:
    _, arch, tensors = saved(tmp_path / "model", "llama")
    with pytest.raises(ModelError, match=r"GGUF files are written of llama, gpt2, .*, not of marian"):
        places(dataclasses.replace(arch, family="marian"), tensors, "f32")
