"""Exports of small models of every family, each loaded by the tool it is for; and what happens if they disagree."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import tiny_gguf
import torch
from tokenizers import Tokenizer as RawTokenizer

import daneel.export
import daneel.formats.gguf_write as gguf_write
from daneel.errors import ModelError, UsageError
from daneel.export import QUANTS, Exported, export
from daneel.formats.gguf import convert
from daneel.formats.gguf_file import GGUF
from daneel.formats.gguf_tokenizer import tokenizer as from_gguf
from daneel.formats.peft import AdapterConfig
from daneel.model.load import load_base, load_model
from daneel.model.lora import add_lora, lora_layers, save_adapter
from daneel.run import home
from daneel.tokenizer.patterns import cutter

FAMILIES = list(tiny_gguf.ARCHITECTURES)
# Rows that divide into blocks, and what GGUF can say.
WIDE: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4, "head_dim": 16}


def model_folder(folder: Path, family: str, **changes: Any) -> Path:
    wide = {"n_embd": 64, "n_head": 4} if family == "gpt2" else WIDE
    return tiny.tiny_model(folder, family, **{**tiny_gguf.CHANGES.get(family, {}), **wide, **changes})


def qwen2_words(folder: Path) -> None:
    """Transformers cuts texts of a Qwen2 model as Qwen2 does, whatever the file says."""
    raw = RawTokenizer.from_file(str(folder / "tokenizer.json"))
    raw.pre_tokenizer = cutter("qwen2")
    raw.save(str(folder / "tokenizer.json"))


def run(source: Path, to: Any, out: Path, quant: str | None = None) -> tuple[Exported, list[str]]:
    said: list[str] = []
    return export(str(source), to, out, quant, said.append), said


def needs(package: str) -> None:
    pytest.importorskip(package)


def nothing_left(folder: Path, *expected: str) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(expected)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_llama_cpp_agrees_with_every_family(family: str, tmp_path: Path) -> None:
    needs("xllamacpp")
    source = model_folder(tmp_path / "model", family)
    done, _ = run(source, "gguf", tmp_path / "m.gguf", "f32")
    assert done.verified_by
    assert done.verified_by.startswith("llama.cpp (xllamacpp ")
    assert done.relative_difference is not None
    assert done.relative_difference < 0.003
    assert done.bytes == (tmp_path / "m.gguf").stat().st_size
    nothing_left(tmp_path, "model", "m.gguf")
    convert(GGUF(tmp_path / "m.gguf"), tmp_path / "back")
    ids = torch.tensor([list(range(3, 60))])
    with torch.no_grad():
        torch.testing.assert_close(load_base(tmp_path / "back", torch.float32)(ids), load_model(source)(ids))


@pytest.mark.slow
@pytest.mark.parametrize("quant", QUANTS["gguf"])
@pytest.mark.parametrize("family", ["gpt2", "gemma3"])
def test_llama_cpp_agrees_with_every_type(family: str, quant: str, tmp_path: Path) -> None:
    needs("xllamacpp")
    done, said = run(model_folder(tmp_path / "model", family), "gguf", tmp_path / "m.gguf", quant)
    assert done.verified_by
    assert said == [f"comparing with {done.verified_by}"]


@pytest.mark.slow
def test_rows_that_make_no_blocks_are_said(tmp_path: Path) -> None:
    source = tiny.tiny_model(tmp_path / "model")
    done, said = run(source, "gguf", tmp_path / "m.gguf")
    assert done.quant == "q8_0"
    assert "15 matrices, model.embed_tokens.weight among them, keep 16 bits" in said[0]


@pytest.mark.slow
@pytest.mark.parametrize(("family", "dtype"), [*((f, "float32") for f in FAMILIES), ("gpt2", "bfloat16")])
def test_transformers_loads_the_folder(family: str, dtype: str, tmp_path: Path) -> None:
    source = model_folder(tmp_path / "model", family)
    if family == "qwen2":
        qwen2_words(source)
    done, _ = run(source, "hf", tmp_path / "out", dtype)
    assert done.relative_difference is not None
    assert done.relative_difference < 1e-4
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == dtype
    assert json.loads((tmp_path / "out" / "generation_config.json").read_text())["eos_token_id"] == 2
    assert json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())["chat_template"] == tiny.TEMPLATE
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in (tmp_path / "out").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "quant"),
    [
        *(("llama", quant) for quant in QUANTS["ct2"]), ("gpt2", "int8"), ("qwen2", "int8"), ("qwen3", "int16"),
        ("gemma3", "int8"),
    ],
)  # fmt: skip
def test_ctranslate2_agrees_with_what_it_stored(family: str, quant: str, tmp_path: Path) -> None:
    needs("ctranslate2")
    # Its forward pass takes no text longer than the window; its generation does.
    changes = {"sliding_window": 70, "rope_parameters": None} if family == "gemma3" else {}
    done, _ = run(model_folder(tmp_path / "model", family, **changes), "ct2", tmp_path / "out", quant)
    assert done.relative_difference is not None
    assert done.relative_difference < 1e-4
    nothing_left(tmp_path, "model", "out")


@pytest.mark.slow
def test_a_model_that_ctranslate2_computes_otherwise_is_refused_and_deleted(tmp_path: Path) -> None:
    needs("ctranslate2")
    # It takes Llama 3's scaling to begin at 8192 tokens; this model's begins at 16.
    source = model_folder(tmp_path / "model", "llama3")
    with pytest.raises(
        ModelError, match=r"out was not written: CTranslate2 gives other logits.* at token \d+ of .In 2042"
    ):
        run(source, "ct2", tmp_path / "out")
    nothing_left(tmp_path, "model")


@pytest.mark.slow
def test_transformers_reading_other_tokens_is_refused(tmp_path: Path) -> None:
    source = model_folder(tmp_path / "model", "qwen2")
    with pytest.raises(
        ModelError, match=r"Transformers reads .In 2042.*from token 1 on: \['Ġ', '2', .*ours are \['Ġ2042'"
    ):
        run(source, "hf", tmp_path / "out")
    nothing_left(tmp_path, "model")


@pytest.mark.slow
@pytest.mark.parametrize("to", ["hf", "gguf"])
def test_an_adapter_is_merged(to: str, tmp_path: Path) -> None:
    base = model_folder(tmp_path / "base", "llama")
    model = load_base(base, torch.float32)
    add_lora(model, AdapterConfig(4, 8, "all-linear", str(base)))
    for layer in lora_layers(model).values():
        for half in layer.lora_b:
            torch.nn.init.normal_(half, std=0.3)
    (tmp_path / "run").mkdir()
    save_adapter(tmp_path / "run", model, AdapterConfig(4, 8, "all-linear", str(base)))
    out = tmp_path / ("m.gguf" if to == "gguf" else "out")
    assert run(tmp_path / "run", to, out, "f32" if to == "gguf" else None)[0].verified_by
    if to == "gguf":
        convert(GGUF(out), tmp_path / "out")
    ids = torch.tensor([list(range(3, 40))])
    with torch.no_grad():
        want = load_model(tmp_path / "run")(ids)
        torch.testing.assert_close(load_base(tmp_path / "out", torch.float32)(ids), want)
        assert not torch.allclose(load_base(base, torch.float32)(ids), want, atol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("to", ["hf", "gguf", "ct2"])
def test_a_padded_vocabulary_keeps_its_rows(to: str, tmp_path: Path) -> None:
    for package in ("xllamacpp", "ctranslate2"):
        needs(package)
    source = model_folder(tmp_path / "model", "gpt2" if to == "ct2" else "llama", vocab_size=416)
    assert run(source, to, tmp_path / "m.gguf")[0].verified_by


@pytest.mark.slow
@pytest.mark.parametrize("prefix", [True, False])
def test_llama_cpp_reads_sentencepieces_pieces_alike(prefix: bool, tmp_path: Path) -> None:
    needs("xllamacpp")
    source = model_folder(tmp_path / "model", "llama")
    metadata = tiny_gguf.piece_vocabulary() | {"tokenizer.ggml.add_space_prefix": prefix}
    from_gguf(metadata).save(str(source / "tokenizer.json"))
    settings = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True}
    (source / "tokenizer_config.json").write_text(json.dumps(settings))
    done, _ = run(source, "gguf", tmp_path / "m.gguf", "f32")
    assert done.verified_by
    assert GGUF(tmp_path / "m.gguf").metadata["tokenizer.ggml.add_space_prefix"] is prefix


def test_a_tokenizer_that_llama_cpp_lacks_is_refused(tmp_path: Path) -> None:
    source = model_folder(tmp_path / "model", "llama")
    raw = json.loads((source / "tokenizer.json").read_text())
    pattern = {"type": "Split", "pattern": {"Regex": r"\s+"}, "behavior": "Isolated", "invert": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    raw["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [pattern, byte_level]}
    (source / "tokenizer.json").write_text(json.dumps(raw))
    with pytest.raises(ModelError, match=r"m\.gguf was not written: llama\.cpp has no tokenizer like.*--to hf"):
        run(source, "gguf", tmp_path / "m.gguf")
    nothing_left(tmp_path, "model")


def corrupting(monkeypatch: pytest.MonkeyPatch, name: str, then_check: bool) -> None:
    """The tensor's rows in another order, as a fault of the writer would leave it."""
    honest = gguf_write.read_back

    def corrupt(path: Path, *rest: Any) -> None:
        written = GGUF(path)
        with path.open("r+b") as file:
            file.seek(written.tensors[name].start)
            file.write(written.read(name)[::-1].tobytes())
        if then_check:
            honest(path, *rest)

    monkeypatch.setattr(gguf_write, "read_back", corrupt)


def test_a_wrong_tensor_is_named_and_the_file_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = model_folder(tmp_path / "model", "llama")
    corrupting(monkeypatch, "blk.1.attn_k.weight", then_check=True)
    with pytest.raises(ModelError, match=r"m\.gguf was not written: tensor blk\.1\.attn_k\.weight in the file is not"):
        run(source, "gguf", tmp_path / "m.gguf", "f32")
    nothing_left(tmp_path, "model")


@pytest.mark.slow
def test_other_logits_delete_the_file_and_name_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("xllamacpp")
    source = model_folder(tmp_path / "model", "llama")
    corrupting(monkeypatch, "blk.1.attn_k.weight", then_check=False)
    with pytest.raises(ModelError, match=r"llama\.cpp gives other logits than daneel, most at token \d+ of .In 2042"):
        run(source, "gguf", tmp_path / "m.gguf", "f32")
    nothing_left(tmp_path, "model")


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [{"norm_eps": 3e-2}, {"rope_theta": (20000.0,) * 2}, {"context": 127}])
def test_a_small_lie_about_the_model_is_noticed(
    wrong: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each changes the logits by more than rounding explains, or is no matter of logits and is read back."""
    needs("xllamacpp")
    import dataclasses

    source = model_folder(tmp_path / "model", "llama")
    honest = gguf_write._metadata
    monkeypatch.setattr(gguf_write, "_metadata", lambda arch, quant: honest(dataclasses.replace(arch, **wrong), quant))
    if "context" not in wrong:
        monkeypatch.setattr(gguf_write, "read_back", lambda *_: None)
    with pytest.raises(ModelError, match=r"gives other logits|its context is 128, llama\.cpp takes 127"):
        run(source, "gguf", tmp_path / "m.gguf", "f32")


def test_without_the_tool_the_result_stays_and_is_called_unverified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = model_folder(tmp_path / "model", "llama")
    missing = daneel.export.Tool("llama.cpp", "no_such_package", "export")
    monkeypatch.setitem(daneel.export.TOOLS, "gguf", missing)
    done, said = run(source, "gguf", tmp_path / "m.gguf", "bf16")
    assert (done.verified_by, done.max_difference, done.relative_difference) == (None, None, None)
    assert said == ["not verified: install llama.cpp with pip install 'daneel[export]'"]
    nothing_left(tmp_path, "model", "m.gguf")


def test_what_exists_is_not_replaced_and_unknown_types_are_refused(tmp_path: Path) -> None:
    source = model_folder(tmp_path / "model", "llama")
    (tmp_path / "m.gguf").write_text("mine")
    with pytest.raises(UsageError, match=r"m\.gguf exists already: name another place with -o, or remove it"):
        run(source, "gguf", tmp_path / "m.gguf")
    assert (tmp_path / "m.gguf").read_text() == "mine"
    with pytest.raises(UsageError, match="ct2 has no q4_0: take one of int8, int16, bfloat16, float32"):
        run(source, "ct2", tmp_path / "out", "q4_0")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("to", ["hf", "gguf"])
def test_an_interruption_and_a_full_disk_leave_nothing(
    to: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = model_folder(tmp_path / "model", "llama")

    def fail(*_: Any) -> None:
        raise error

    place = (gguf_write.GGUFWriter, "write_tensor_data") if to == "gguf" else (daneel.export, "save_weights")
    monkeypatch.setattr(*place, fail)
    with pytest.raises(type(error)) as caught:
        run(source, to, tmp_path / "out.gguf")
    if isinstance(caught.value, OSError):
        assert caught.value.filename == str(tmp_path / "out.gguf")
    nothing_left(tmp_path, "model")


def test_too_little_space_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = model_folder(tmp_path / "model", "llama")
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    for to in ("hf", "gguf"):
        with pytest.raises(ModelError, match="out was not written: it needs 0 MB, the disk has 0 MB free"):
            run(source, to, tmp_path / "out")
    nothing_left(tmp_path, "model")


@pytest.mark.slow
@pytest.mark.weights
def test_smollm2_in_its_own_type_gives_the_tensors_it_came_from(tmp_path: Path) -> None:
    needs("xllamacpp")
    folder = home() / "models" / "smollm2"
    if not (folder / "config.json").exists():
        pytest.skip("needs `daneel pull smollm2`")
    done, _ = run(folder, "gguf", tmp_path / "m.gguf", "q4_1")
    assert done.verified_by
    ours, theirs = GGUF(tmp_path / "m.gguf"), GGUF(next(folder.glob("*.gguf")))
    assert ours.tensors.keys() == theirs.tensors.keys()
    for name, info in theirs.tensors.items():
        assert ours.tensors[name].kind == info.kind
        np.testing.assert_array_equal(ours.read(name), theirs.read(name), err_msg=name)
    for key in ("tokens", "token_type", "merges", "pre", "bos_token_id", "eos_token_id", "add_bos_token"):
        assert ours.metadata[f"tokenizer.ggml.{key}"] == theirs.metadata[f"tokenizer.ggml.{key}"]
    assert ours.metadata["tokenizer.chat_template"] == theirs.metadata["tokenizer.chat_template"]
