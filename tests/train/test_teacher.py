"""What a teacher tells is learned as the plain formula says, in chunks."""

import numpy as np
import pytest
import tiny
import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

from daneel.config import TrainConfig
from daneel.data.loader import unpack
from daneel.data.packing import write_shards
from daneel.model import loss
from daneel.model.load import hf_tensors, load_base
from daneel.tokenizer.load import Tokenizer
from daneel.train.objectives import Distillation, Likelihood, causal, measure


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_loss_and_gradient_are_the_divergence_of_transformers_logits(tmp_path, monkeypatch, temperature):
    monkeypatch.setattr(loss, "CHUNK", 7)
    tiny.tiny_model(tmp_path / "learner", "llama", seed=1)
    tiny.tiny_model(tmp_path / "teacher", "qwen3", seed=2, hidden_size=64)
    theirs, teacher = (AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in ("learner", "teacher"))
    tokenizer = Tokenizer.load(tmp_path / "learner")
    encoded = tokenizer.encode_batch(tiny.TEXT)
    total, count = torch.zeros(()), 0
    for ids in encoded:
        row = torch.tensor([[*ids.astype(int), tokenizer.eos[0]]])
        with torch.no_grad():
            wanted = (teacher(row).logits[0, :-1] / temperature).log_softmax(-1)
        found = (theirs(row).logits[0, :-1] / temperature).log_softmax(-1)
        total = total + temperature**2 * F.kl_div(found, wanted, reduction="sum", log_target=True)
        count += row.shape[1] - 1
    (total / count).backward()

    model = load_base(tmp_path / "learner", torch.float32).requires_grad_(True)
    objective = Distillation(
        model, TrainConfig(temperature=temperature), teacher=load_base(tmp_path / "teacher", torch.float32)
    )
    shards = write_shards(causal(tokenizer, encoded), tmp_path / "rows", 127, whole=True)
    batch = unpack(**shards.rows(np.arange(len(shards))))
    assert objective.count(batch) == count
    ours = objective.loss(batch, 1 / count)
    assert ours.item() == pytest.approx((total / count).item(), rel=1e-4)
    ours.backward()
    gradients = hf_tensors(model.arch, {name: p.grad for name, p in model.named_parameters()})
    for name, parameter in theirs.named_parameters():
        scale = parameter.grad.abs().max()
        assert torch.allclose(gradients[name], parameter.grad, rtol=1e-3, atol=1e-4 * scale), name
    assert all(parameter.grad is None for parameter in objective.teacher.parameters())
    # Measured as any other run.
    assert measure(objective, shards, 2, 9) == measure(Likelihood(model, TrainConfig()), shards, 2, 9)
    assert objective.bits_per_byte(1.0, shards.meta) is None


def test_a_model_has_nothing_to_learn_from_itself(tmp_path):
    tiny.tiny_model(tmp_path / "model")
    tokenizer = Tokenizer.load(tmp_path / "model")
    model, teacher = (load_base(tmp_path / "model", torch.float32) for _ in range(2))
    shards = write_shards(causal(tokenizer, tokenizer.encode_batch(tiny.TEXT)), tmp_path / "rows", 16, whole=False)
    objective = Distillation(model.requires_grad_(True), TrainConfig(), teacher=teacher)
    found = objective.loss(unpack(**shards.rows(np.arange(2))), 1.0)
    found.backward()
    assert found.item() == pytest.approx(0, abs=1e-4)
    assert max(parameter.grad.abs().max() for parameter in model.parameters()) < 1e-4


def test_vocabularies_are_alike_only_where_ids_are(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        tiny.write_tokenizer(folder)
    assert Tokenizer.load(first).alike(Tokenizer.load(second))
    text = (second / "tokenizer.json").read_text("utf-8").replace("<|im_end|>", "<|im_over|>")
    (second / "tokenizer.json").write_text(text, "utf-8")
    assert not Tokenizer.load(first).alike(Tokenizer.load(second))
