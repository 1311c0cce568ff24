"""Encoder-decoders as Transformers and CTranslate2 want them; both must give our numbers."""

import json
from functools import partial

import pytest
import tiny
import torch

from daneel.errors import ModelError
from daneel.export import export
from daneel.formats.families import FAMILIES
from daneel.model.init import new_model
from daneel.tokenizer.train import train_tokenizer
from daneel.train.save import save_fresh
from daneel.train.sizes import Size, pair_config


@pytest.fixture(scope="module", params=["marian", "t5"])
def folder(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param)
    tokenizer = train_tokenizer(tiny.TEXT * 4, root / "tokenizer", 400, encoder=True)
    size = Size(400, 48, 2, 4, 96)
    config = pair_config(request.param, size, tokenizer, 128)
    model = new_model(FAMILIES[request.param].architecture(config), seed=1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1 and name != "embed.weight":
                weight.mul_(4)  # else all logits are alike
    save_fresh(root / "model", model, config, root / "tokenizer")
    return root / "model"


@pytest.mark.slow
@pytest.mark.parametrize(("to", "quant"), [("hf", "bfloat16"), ("ct2", "float32"), ("ct2", "int8")])
def test_other_tools_give_our_numbers(folder, tmp_path, to, quant):
    done = export(str(folder), to, tmp_path / "out", quant, say=lambda _: None)
    assert done.verified_by
    assert done.relative_difference < 1e-3
    if to == "hf":
        assert json.loads((tmp_path / "out" / "generation_config.json").read_text())["num_beams"] == 4


@pytest.mark.slow
def test_a_result_that_differs_is_deleted(folder, tmp_path, monkeypatch):
    import daneel.export as module

    monkeypatch.setitem(module.WRITERS, "ct2", partial(_spoiled, module.WRITERS["ct2"]))
    with pytest.raises(ModelError, match="gives other logits than daneel, most at token"):
        export(str(folder), "ct2", tmp_path / "out", "float32", say=lambda _: None)
    assert not (tmp_path / "out").exists()


def _spoiled(write, source, new, quant, say):
    write(source, new, quant, say)
    source.model.blocks[0].cross.out.weight.data.mul_(1.5)


def test_gguf_is_refused(folder, tmp_path):
    with pytest.raises(ModelError, match="take --to hf or ct2"):
        export(str(folder), "gguf", tmp_path / "out.gguf", say=lambda _: None)
