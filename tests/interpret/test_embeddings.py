import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import tiny_model

from daneel.errors import ModelError, UsageError
from daneel.formats.peft import CONFIG, WEIGHTS
from daneel.formats.word2vec import escape
from daneel.interpret.embeddings import Correction, Embeddings

KEYS = {"gpt2": "transformer.wte.weight"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def model(folder):
    return Embeddings(str(folder))


def matrix(folder: Path, family: str = "llama") -> np.ndarray:
    return load_file(folder / "model.safetensors")[KEYS.get(family, "model.embed_tokens.weight")].float().numpy()


@pytest.mark.parametrize("family", ["gpt2", "gemma3"])
def test_the_matrix_of_other_families(tmp_path, family):
    found = Embeddings(str(tiny_model(tmp_path, family)))
    assert np.array_equal(np.concatenate(list(found.blocks())), matrix(tmp_path, family))
    assert found.scale == pytest.approx(48**0.5 if family == "gemma3" else 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_every_number_type_reads_as_torch_reads_it(folder, tmp_path, dtype):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    weights = {name: value.to(dtype) for name, value in load_file(folder / "model.safetensors").items()}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    found = Embeddings(str(tmp_path))
    assert np.array_equal(found.rows([0, 399, 7]), matrix(tmp_path)[[0, 399, 7]])
    assert np.array_equal(np.concatenate(list(found.blocks())), matrix(tmp_path))


def test_a_matrix_in_one_of_several_files(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    weights = load_file(tmp_path / "model.safetensors")
    first = {name: weights.pop(name) for name in ["model.embed_tokens.weight"]}
    (tmp_path / "model.safetensors").unlink()
    save_file(first, tmp_path / "one.safetensors")
    save_file(weights, tmp_path / "two.safetensors")
    where = {**dict.fromkeys(first, "one.safetensors"), **dict.fromkeys(weights, "two.safetensors")}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    assert np.array_equal(Embeddings(str(tmp_path)).rows(slice(0, 400)), matrix(folder))
    save_file(weights, tmp_path / "one.safetensors")
    with pytest.raises(ModelError, match=r"one\.safetensors lacks model\.embed_tokens"):
        Embeddings(str(tmp_path))


def test_integers_and_strangers_are_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    save_file({"model.embed_tokens.weight": torch.zeros(400, 48, dtype=torch.int8)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="holds I8"):
        Embeddings(str(tmp_path))
    save_file({"conv.weight": torch.zeros(4, 4)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="no token embeddings"):
        Embeddings(str(tmp_path))
    save_file({"model.embed_tokens.weight": torch.zeros(10, 48)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="400 tokens but only 10"):
        Embeddings(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(ModelError, match="damaged"):
        Embeddings(str(tmp_path))


def adapter(at: Path, base: Path, tensors: dict[str, torch.Tensor]) -> str:
    at.mkdir()
    config = {"peft_type": "LORA", "r": 2, "target_modules": ["q_proj"], "base_model_name_or_path": str(base)}
    (at / CONFIG).write_text(json.dumps(config))
    save_file(tensors, at / WEIGHTS)
    return str(at)


def test_of_an_adapter_the_base_is_taken_unless_it_changes_the_embeddings(folder, tmp_path):
    layer = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    found = Embeddings(adapter(tmp_path / "plain", folder, {layer: torch.zeros(2, 48)}))
    assert found.base == str(folder)
    assert np.array_equal(found.rows([3]), matrix(folder)[[3]])
    for name in ("base_model.model.model.embed_tokens.weight", "base_model.model.model.embed_tokens.lora_embedding_A"):
        with pytest.raises(ModelError, match="changes its base's embeddings"):
            Embeddings(adapter(tmp_path / name[-8:], folder, {name: torch.zeros(2, 48)}))


def test_a_word_is_taken_as_it_stands_in_a_text(model):
    lamp = model.word("lamp")
    assert lamp.spaced
    assert "".join(lamp.pieces) == " lamp"
    # Two pieces begin with the space, one without would need no fewer.
    assert not model.word("灯塔").spaced
    assert model.word(" 灯塔").spaced
    with pytest.raises(UsageError, match="no tokens"):
        model.word("")


def test_a_word_of_several_tokens_is_their_mean(model):
    word = model.word("lampkeeper")
    assert len(word.ids) > 1
    assert np.allclose(model.vectors([word])[0], matrix(Path(model.name))[list(word.ids)].mean(axis=0), atol=1e-6)


def test_the_correction_is_the_mean_and_the_first_directions(model):
    known = matrix(Path(model.name))[[bool(text) for text in model.texts]].astype(np.float64)
    found = model.correction(2)
    assert np.allclose(found.origin, known.mean(axis=0), atol=1e-6)
    wanted = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)[2][:2]
    assert np.allclose(np.abs(np.sum(found.directions * wanted, axis=1)), 1, atol=1e-4)
    units = found.units(known.astype(np.float32))
    assert np.allclose(np.linalg.norm(units, axis=1), 1, atol=1e-5)
    assert np.abs(units @ found.directions.T).max() < 1e-5


def test_a_vector_that_vanishes_has_no_direction():
    correction = Correction(np.ones(3, np.float32), np.zeros((0, 3), np.float32))
    assert correction.units(np.ones((1, 3), np.float32)).tolist() == [[0, 0, 0]]


def test_neighbours_are_those_of_the_plain_formula(model):
    word = model.word("lamp")
    (near,) = model.neighbours([word], model.none(), 5, variants=True)
    vectors = matrix(Path(model.name))
    vector = vectors[list(word.ids)].mean(axis=0)
    # The row of the padding token is 0.
    cosines = vectors @ vector / np.maximum(np.linalg.norm(vectors, axis=1), 1e-9) / np.linalg.norm(vector)
    order = [i for i in np.argsort(-cosines) if model.texts[i].strip() and (i,) != word.ids]
    assert [each.token for each in near] == order[:5]
    assert [each.cosine for each in near] == pytest.approx(cosines[order[:5]], abs=1e-4)


def test_variants_of_a_word_count_once(model):
    # " t", "t" and "T" are tokens of their own.
    words = [model.word("t"), model.word("the")]
    for near in model.neighbours(words, model.none(), 400):
        names = [each.text.casefold() for each in near]
        assert len(names) == len(set(names))
    with_variants = model.neighbours(words, model.none(), 400, variants=True)[0]
    assert {"t", "T"} <= {each.text for each in with_variants}
    assert "t" not in {each.text.casefold() for each in model.neighbours(words, model.none(), 400)[0]}


def test_special_tokens_and_half_characters_are_no_neighbours(model):
    (near,) = model.neighbours([model.word("lamp")], model.none(), 400, variants=True)
    assert not {each.token for each in near} & model.tokenizer.special_ids
    assert all("\ufffd" not in each.text for each in near)


def test_whole_words_are_letters_after_a_space_or_chinese(model):
    words = model.whole_words(1000)
    assert all(word.text.isalpha() and len(word.ids) == 1 for word in words)
    assert " the" in {model.texts[word.ids[0]] for word in words}
    assert len(model.whole_words(3)) == 3


def test_every_row_has_a_name_of_its_own(model):
    names = list(model.names())
    assert len(set(names)) == len(names) == 400


def test_of_two_tokens_for_the_same_bytes_the_one_in_use_has_the_plain_name(model, monkeypatch):
    lamp = model.word("lamp").ids[0]
    text = model.tokenizer.token_bytes(lamp)
    monkeypatch.setitem(model.tokenizer._bytes, 5, text)
    names = list(model.names())
    assert names[lamp] == escape(text)
    assert names[5] == escape(text, 5)


def test_torch_is_not_needed(folder):
    code = f"""
import sys
from daneel.interpret.embeddings import Embeddings
model = Embeddings({str(folder)!r})
model.neighbours([model.word("lamp")], model.correction())
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
