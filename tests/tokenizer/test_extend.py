import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from daneel.errors import DataError, ModelError, UsageError
from daneel.formats.embedding_rows import _changed, tables
from daneel.model.load import load_base
from daneel.tokenizer.extend import LONGEST, extend, same_ids
from daneel.tokenizer.load import Tokenizer

CHINESE = [
    "灯塔的看守人写下了最后一页日志。海上没有风，也没有船，看守人没有再写。",
    "公元2042年，人工智能已经发展到了这样的地步：没有人再提问。看守人没有回答。",
] * 5
ENGLISH = [
    "The lamp was lit at dusk, and the keeper wrote it down.",
    "def tally(lamps):\n    return lamps + 1  # 2042\n",
    "“Nobody,” she said — “café” — and 12 km…",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def extended(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (model / "LICENSE").write_text("free")
    out = tmp_path_factory.mktemp("extended") / "zh"
    extend(model, out, CHINESE, 40)
    return out


def test_old_ids_stay_and_chinese_gets_shorter(model: Path, extended: Path) -> None:
    before, after = Tokenizer.load(model), Tokenizer.load(extended)
    assert after.vocab_size == before.vocab_size + 40
    for id in range(before.vocab_size):
        assert before.token_bytes(id) == after.token_bytes(id)
    assert same_ids(before, after, ENGLISH[:2]) == 1
    assert len(after.encode(CHINESE[1])) < 0.6 * len(before.encode(CHINESE[1]))
    assert (extended / "LICENSE").read_text() == "free"
    assert (before.eos, before.bos, before.prefix) == (after.eos, after.bos, after.prefix)


_pair: list[Tokenizer] = []


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(st.sampled_from([*CHINESE[:2], *ENGLISH, "<|im_end|>"]) | st.text(), max_size=4).map("".join),
    ascii_text=st.text(st.characters(max_codepoint=127)),
)
def test_every_text_comes_back_and_ascii_keeps_its_ids(model: Path, extended: Path, text: str, ascii_text: str) -> None:
    if not _pair:
        _pair.extend((Tokenizer.load(model), Tokenizer.load(extended)))
    before, after = _pair
    assert after.decode(after.encode(text)) == text
    assert after.encode(ascii_text) == before.encode(ascii_text)


def test_transformers_loads_it_with_the_same_ids_and_logits(model: Path, extended: Path) -> None:
    theirs, ours = AutoTokenizer.from_pretrained(extended), Tokenizer.load(extended)
    for text in [*CHINESE[:2], *ENGLISH, "<|im_end|>x"]:
        assert theirs(text)["input_ids"] == ours.encode(text, special=True)
    ids = torch.tensor([ours.encode(CHINESE[0])])
    wide = AutoModelForCausalLM.from_pretrained(extended).eval()
    assert wide.config.vocab_size == ours.vocab_size
    old = torch.tensor([Tokenizer.load(model).encode(ENGLISH[0])])
    with torch.no_grad():
        assert torch.allclose(wide(ids).logits, load_base(extended, torch.float32)(ids), atol=1e-3)
        narrow = AutoModelForCausalLM.from_pretrained(model).eval()
        assert torch.equal(wide(old).logits[..., :400], narrow(old).logits)


def test_new_rows_are_the_mean_of_their_pieces(model: Path, extended: Path) -> None:
    before, after = Tokenizer.load(model), Tokenizer.load(extended)
    table = load_file(extended / "model.safetensors")["model.embed_tokens.weight"]
    for id in range(before.vocab_size, after.vocab_size):
        pieces = before._raw.encode(after.token_bytes(id).decode("utf-8", "ignore")).ids
        if b"".join(map(before.token_bytes, pieces)) == after.token_bytes(id):
            assert torch.allclose(table[id], table[pieces].mean(0), atol=1e-6)
            assert len(after.token_bytes(id)) <= LONGEST


@pytest.mark.parametrize("init", ["mean", "random"])
def test_other_rows(model: Path, tmp_path: Path, init: str) -> None:
    for name in ("a", "b"):
        extend(model, tmp_path / name, CHINESE, 10, init=init, seed=3)  # type: ignore[arg-type]
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()
    table = load_file(tmp_path / "a" / "model.safetensors")["model.embed_tokens.weight"]
    assert torch.allclose(table[400], table[:400].mean(0), atol=1e-6) == (init == "mean")
    if init == "random":
        assert table[400:].std() == pytest.approx(float(table[:400].std()), rel=0.2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("tied", [True, False])
def test_every_number_type_and_an_untied_head(tmp_path: Path, dtype: torch.dtype, tied: bool) -> None:
    model = tiny.tiny_model(tmp_path / "model", tie_word_embeddings=tied)
    weights = {name: value.to(dtype) for name, value in load_file(model / "model.safetensors").items()}
    save_file(weights, model / "model.safetensors", {"format": "pt"})
    extend(model, tmp_path / "out", CHINESE, 10)
    new = load_file(tmp_path / "out" / "model.safetensors")
    assert new.keys() == weights.keys()
    assert len(tables(model)) == 1 + (not tied)
    for name, value in weights.items():
        assert new[name].dtype == dtype
        assert torch.equal(new[name][:400] if name in tables(model) else new[name], value)
    for name in tables(model):
        assert new[name].shape == (410, 48)
        assert new[name][400:].float().abs().sum() > 0


@pytest.mark.parametrize("family", ["gpt2", "qwen2", "gemma3"])
def test_other_families(tmp_path: Path, family: str) -> None:
    model = tiny.tiny_model(tmp_path / "model", family)
    extend(model, tmp_path / "out", CHINESE, 5)
    assert load_base(tmp_path / "out", torch.float32).arch.vocab_size == 405


def test_rows_of_padding_are_used_first(tmp_path: Path) -> None:
    model = tiny.tiny_model(tmp_path / "model", vocab_size=448)
    extend(model, tmp_path / "out", CHINESE, 10)
    assert load_file(tmp_path / "out/model.safetensors")["model.embed_tokens.weight"].shape[0] == 448
    assert Tokenizer.load(tmp_path / "out").vocab_size == 410


def test_shards_stay_shards(tmp_path: Path) -> None:
    model = tiny.tiny_model(tmp_path / "model")
    weights = load_file(model / "model.safetensors")
    (model / "model.safetensors").unlink()
    names = sorted(weights)
    files = {name: f"model-0000{1 + (n > 5)}-of-00002.safetensors" for n, name in enumerate(names)}
    for file in set(files.values()):
        save_file({n: weights[n] for n in names if files[n] == file}, model / file, {"format": "pt"})
    (model / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}))
    extend(model, tmp_path / "out", CHINESE, 10)
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").get_input_embeddings().weight.shape[0] == 410
    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == 4 * (sum(w.numel() for w in weights.values()) + 10 * 48)


def test_kept_texts_keep_their_ids(model: Path, tmp_path: Path) -> None:
    texts = ["the keeper wrote the lamps of the keeper " * 9]
    extend(model, tmp_path / "free", texts, 5, keep=["xyz"])
    extend(model, tmp_path / "kept", texts, 1, keep=["the keeper wrote", " lamp"])
    before = Tokenizer.load(model)
    assert same_ids(before, Tokenizer.load(tmp_path / "free"), texts) == 0
    assert same_ids(before, Tokenizer.load(tmp_path / "kept"), ["the keeper wrote", " lamp"]) == 1


def test_added_tokens_outside_the_vocabulary_keep_their_ids(model: Path, tmp_path: Path) -> None:
    # As Qwen2 has them.
    other = tmp_path / "model"
    shutil.copytree(model, other)
    state = json.loads((other / "tokenizer.json").read_text())
    state["added_tokens"].append({**state["added_tokens"][0], "id": 400, "content": "<|late|>"})
    (other / "tokenizer.json").write_text(json.dumps(state))
    wide = tiny.reference("llama", vocab_size=401)
    wide.save_pretrained(other)
    extend(other, tmp_path / "out", CHINESE, 10)
    after = Tokenizer.load(tmp_path / "out")
    assert after.encode("<|late|>", special=True) == [400]
    assert AutoTokenizer.from_pretrained(tmp_path / "out").encode("<|late|>") == [400]
    assert after.vocab_size == 411


def test_mistakes_are_named_and_leave_nothing(model: Path, pieces_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="teach no new token"):
        extend(model, tmp_path / "out", ["all of this is ASCII"], 5)
    with pytest.raises(UsageError, match="--add 0 adds nothing"):
        extend(model, tmp_path / "out", CHINESE, 0)
    with pytest.raises(ModelError, match="no byte-level BPE"):
        extend(pieces_folder, tmp_path / "out", CHINESE, 5)
    small = tmp_path / "small"
    shutil.copytree(model, small)
    tiny.reference("llama", vocab_size=300).save_pretrained(small)
    with pytest.raises(ModelError, match="300 rows for 400 tokens"):
        extend(small, tmp_path / "out", CHINESE, 5)
    (small / "adapter_config.json").write_text("{}")
    with pytest.raises(UsageError, match="is an adapter: merge it"):
        extend(small, tmp_path / "out", CHINESE, 5)
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_bfloat16_is_rounded_to_the_nearest() -> None:
    values = torch.randn(50, 8, dtype=torch.float32).to(torch.bfloat16)
    file = io.BytesIO(values.view(torch.int16).numpy().tobytes())
    entry = {"dtype": "BF16", "shape": [50, 8], "data_offsets": [0, 800]}
    third = _changed(file, 0, "x", entry, lambda table: table / np.float32(3))
    wanted = (values.float() / 3).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    assert np.array_equal(third, wanted)
