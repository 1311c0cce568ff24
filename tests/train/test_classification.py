"""A classifier's logits are those of Transformers, its loss and scores are the plain ones."""

import json

import numpy as np
import pytest
import tiny
import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForSequenceClassification

from daneel.config import TrainConfig
from daneel.corpus.records import Record
from daneel.data.loader import unpack
from daneel.data.packing import write_shards
from daneel.model.load import hf_tensors, load_base
from daneel.tokenizer.load import Tokenizer
from daneel.train.objectives import Classification, labelled, measure
from daneel.train.save import save_classifier

LABELS = ["calm", "loud", "静"]
ROWS = [Record("", text=text, label=LABELS[n % 3]) for n, text in enumerate([*tiny.TEXT, "灯", "The lamp", "ships."])]


@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen2", "qwen3", "gemma3"])
def test_logits_loss_and_gradient_are_those_of_transformers(tmp_path, family):
    tiny.tiny_model(tmp_path / "base", family)
    save_classifier(tmp_path / "new", tmp_path / "base", LABELS, seed=1)
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "new")
    with torch.no_grad():
        theirs.score.weight.normal_(generator=torch.Generator().manual_seed(0))
    theirs.save_pretrained(tmp_path / "wide")  # elsewhere: the weights are mapped from the file
    tokenizer = Tokenizer.load(tmp_path / "new")
    assert theirs.config.id2label == dict(enumerate(LABELS))
    ids = pad_sequence([torch.tensor(tokenizer.encode(row.text)) for row in ROWS], batch_first=True)
    assert theirs.config.pad_token_id == 0
    numbers = torch.tensor([LABELS.index(row.label) for row in ROWS])
    found = theirs.eval()(ids, attention_mask=(ids > 0).long(), labels=numbers)
    found.loss.backward()

    model = load_base(tmp_path / "wide", torch.float32).requires_grad_(True)
    objective = Classification(model, TrainConfig())
    shards = write_shards(labelled(tokenizer, ROWS, LABELS), tmp_path / "rows", 127, whole=True)
    assert len(shards) < len(ROWS)
    rows = unpack(**shards.rows(np.arange(len(shards))))
    assert objective.count(rows) == len(ROWS)
    loss = objective.loss(rows, 1 / len(ROWS))
    assert loss.item() == pytest.approx(found.loss.item(), rel=1e-4)
    loss.backward()
    ours = hf_tensors(model.arch, {name: p.grad for name, p in model.named_parameters()})
    for name, parameter in theirs.named_parameters():
        assert torch.allclose(ours[name], parameter.grad, rtol=1e-3, atol=1e-4 * parameter.grad.abs().max()), name
    right = (found.logits.argmax(-1) == numbers).float().mean().item()
    figures = measure(objective, shards, 2, 99)
    assert figures["accuracy"] == pytest.approx(right)
    assert figures["heldout"] == pytest.approx(found.loss.item(), rel=1e-4)


def test_macro_f1_is_the_mean_over_labels_that_occur():
    objective = Classification.__new__(Classification)
    objective.model = type("", (), {"arch": type("", (), {"labels": 4})})
    # Label 3 is neither there nor taken; label 2 is there and never taken.
    taken = np.array([[3, 1, 0, 0], [0, 4, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]])
    figures = objective.figures(np.array([5.0, 10, *taken.ravel()]))
    assert figures == {"heldout": 0.5, "accuracy": 0.7, "macro_f1": pytest.approx((6 / 8 + 8 / 10 + 0) / 3)}


def test_a_long_text_loses_its_end_and_keeps_its_label(tmp_path):
    tiny.tiny_model(tmp_path / "base")
    tokenizer = Tokenizer.load(tmp_path / "base")
    long = Record("", text="The lamp was lit at dusk. " * 9, label="loud")
    shards = write_shards(labelled(tokenizer, [long], LABELS), tmp_path / "rows", 16, whole=True)
    batch = unpack(**shards.rows(np.arange(1)))
    assert batch.ids[0].tolist() == tokenizer.encode(long.text)[:16]
    assert batch.weights[0].tolist() == [0] * 15 + [1]
    assert batch.targets[0, -1] == 1
    assert (shards.meta.cut_documents, shards.meta.cut_tokens) == (1, len(tokenizer.encode(long.text)) - 16)


def test_the_new_head_is_as_transformers_names_it(tmp_path):
    tiny.tiny_model(tmp_path / "base")
    save_classifier(tmp_path / "new", tmp_path / "base", LABELS, seed=1)
    config = json.loads((tmp_path / "new" / "config.json").read_text("utf-8"))
    assert config["architectures"] == ["LlamaForSequenceClassification"]
    assert config["label2id"] == {"calm": 0, "loud": 1, "静": 2}
    model = load_base(tmp_path / "new", torch.float32)
    assert model.head.weight.shape == (3, 48)
    assert 0 < F.cosine_similarity(model.head.weight[0], model.head.weight[1], dim=0).abs() < 0.9
