"""DPO equals its formula, computed plainly with Transformers' logits."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

from daneel.config import TrainConfig
from daneel.corpus.records import Record, read_records
from daneel.data.loader import unpack
from daneel.data.packing import Shards, write_shards
from daneel.formats.peft import AdapterConfig
from daneel.model.load import hf_tensors, load_base
from daneel.model.lora import add_lora
from daneel.tokenizer.load import Tokenizer
from daneel.train import checkpoint
from daneel.train.loop import Trainer
from daneel.train.objectives import Preference, measure, preferences, reference

BETA = 0.3
ROWS = [
    {"prompt": "Who lit the lamp?", "chosen": "The keeper.", "rejected": "Nobody, it was never lit at dusk"},
    {"prompt": "谁点的灯？", "chosen": "看守人点的灯。", "rejected": "没有人。"},
    {
        "prompt": [
            {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "So it is entered."},
            {"role": "user", "content": "And?"},
        ],
        "chosen": [{"role": "assistant", "content": "Two ships."}],
        "rejected": [{"role": "assistant", "content": "None"}],
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A policy, a reference, and records."""
    root = tmp_path_factory.mktemp("preferences")
    tiny.tiny_model(root / "reference", seed=1)
    tiny.tiny_model(root / "policy", seed=2)
    (root / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    return root


def packed(place: Path, out: Path, length: int = 300) -> Shards:
    tokenizer = Tokenizer.load(place / "reference")
    more = reference(load_base(place / "reference", torch.float32), 2)
    return write_shards(preferences(tokenizer, read_records(place / "rows.jsonl")), out, length, whole=True, more=more)


def plainly(tokenizer: Tokenizer, model, before) -> tuple[torch.Tensor, list[float]]:
    """Equation 7 over all records, one answer at a time, from full logits; the loss and each pair's margin."""

    def answer(network, prompt, messages) -> torch.Tensor:
        prompt = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
        messages = messages if isinstance(messages, list) else [{"role": "assistant", "content": messages}]
        start = len(tokenizer.encode(tokenizer.chat.render(prompt, add_generation_prompt=True), special=True))
        # What follows the token that ends the turn is the template's line break.
        ids = tokenizer.encode(tokenizer.chat.render(prompt + messages).rstrip(), special=True)
        logits = network(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        return logits[torch.arange(len(ids) - 1), torch.tensor(ids[1:])][start - 1 :].sum()

    margins = []
    for row in ROWS:
        with torch.no_grad():
            known = [answer(before, row["prompt"], row[side]) for side in ("chosen", "rejected")]
        found = [answer(model, row["prompt"], row[side]) for side in ("chosen", "rejected")]
        margins.append(BETA * ((found[0] - known[0]) - (found[1] - known[1])))
    return -F.logsigmoid(torch.stack(margins)).mean(), [margin.item() for margin in margins]


def test_loss_gradient_margin_and_accuracy_are_the_formula(place, tmp_path):
    tokenizer = Tokenizer.load(place / "policy")
    theirs, before = (AutoModelForCausalLM.from_pretrained(place / name) for name in ("policy", "reference"))
    expected, margins = plainly(tokenizer, theirs, before)
    expected.backward()
    shards = packed(place, tmp_path / "rows")
    assert len(shards) < len(ROWS)  # some share a row, and see themselves only
    model = load_base(place / "policy", torch.float32).requires_grad_(True)
    objective = Preference(model, TrainConfig(beta=BETA))
    batch = unpack(**shards.rows(np.arange(len(shards))))
    assert objective.count(batch) == len(ROWS)
    loss = objective.loss(batch, 1 / len(ROWS))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    loss.backward()
    ours = hf_tensors(model.arch, {name: p.grad for name, p in model.named_parameters()})
    for name, parameter in theirs.named_parameters():
        assert torch.allclose(ours[name], parameter.grad, rtol=1e-3, atol=1e-4 * parameter.grad.abs().max()), name
    figures = measure(objective, shards, 1, 9)
    assert figures["heldout"] == pytest.approx(expected.item(), rel=1e-4)
    assert figures["margin"] == pytest.approx(np.mean(margins), rel=1e-4)
    assert figures["accuracy"] == pytest.approx(np.mean(np.array(margins) > 0))


def test_the_reference_itself_has_no_margin(place, tmp_path):
    shards = packed(place, tmp_path / "rows")
    figures = measure(Preference(load_base(place / "reference", torch.float32), TrainConfig()), shards, 2, 9)
    assert figures["heldout"] == pytest.approx(np.log(2), abs=1e-5)
    assert figures["margin"] == pytest.approx(0, abs=1e-4)


def test_a_preference_stays_in_one_row_or_is_left_out(place, tmp_path):
    sizes = [
        len(document.ids) + len(document.rejected.ids)
        for document in preferences(Tokenizer.load(place / "policy"), read_records(place / "rows.jsonl"))
    ]
    shards = packed(place, tmp_path / "rows", sorted(sizes)[1] - 1)
    assert (shards.meta.too_long, shards.meta.documents) == (1, 3)
    batch = unpack(**shards.rows(np.arange(len(shards))))
    assert [len(np.unique(row[row >= 0])) % 2 for row in batch.segments] == [0] * len(shards)
    assert shards.meta.cut_documents == 0


def test_only_the_answers_are_learned(place):
    tokenizer = Tokenizer.load(place / "policy")
    document = list(preferences(tokenizer, read_records(place / "rows.jsonl")))[2]
    for part, words in ((document, "Two ships.<|im_end|>"), (document.rejected, "None<|im_end|>")):
        assert tokenizer.decode([id for id, learned in zip(part.ids, part.loss, strict=True) if learned]) == words


def test_answers_that_repeat_the_prompt_are_the_same_records(tmp_path):
    asked = {"role": "user", "content": "Who?"}
    said = [{"role": "assistant", "content": text} for text in ("The keeper.", "Nobody.")]
    rows = [
        {"prompt": "Who?", "chosen": "The keeper.", "rejected": "Nobody."},
        {"prompt": "Who?", "chosen": [asked, said[0]], "rejected": [asked, said[1]]},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    first, second = read_records(tmp_path / "a.jsonl")
    expected = Record(first.where, messages=[asked, said[0]], rejected=[asked, said[1]], asked=1)
    assert first == expected
    assert second.messages == first.messages
    assert second.rejected == first.rejected
    assert first.kind == "preferences"


@pytest.mark.parametrize("lora", [False, True])
def test_a_run_that_goes_on_has_the_weights_of_one_that_never_stopped(place, tmp_path, lora):
    shards = packed(place, tmp_path / "rows", 80)
    config = TrainConfig(
        method="lora" if lora else "full", batch=1, lr=1e-3, dtype="float32", checkpoint_every=2, patience=0, evals=1
    )

    def trainer(run: Path) -> Trainer:
        model = load_base(place / "policy", torch.float32)
        if lora:
            add_lora(model, AdapterConfig(4, 8.0, "all-linear", str(place / "policy")))
        else:
            model.requires_grad_(True)
        return Trainer(run, model, config, shards, shards, objective=Preference)

    straight = trainer(tmp_path / "straight")
    straight.run(8, lambda event: None)
    shutil.copytree(checkpoint.folder(tmp_path / "straight", 6), checkpoint.folder(tmp_path / "killed", 6))
    again = trainer(tmp_path / "killed")
    again.resume()
    assert again.progress.step == 6
    again.run(8, lambda event: None)
    for name, weight in straight.masters.weights.items():
        assert weight.equal(again.masters.weights[name]), name


@pytest.mark.filterwarnings("ignore")
def test_loss_and_gradient_are_those_of_trl(place, tmp_path):
    trl = pytest.importorskip("trl", reason="TRL is not installed: pip install trl")
    from datasets import Dataset
    from transformers import AutoTokenizer

    objective = Preference(load_base(place / "policy", torch.float32).requires_grad_(True), TrainConfig(beta=BETA))
    shards = packed(place, tmp_path / "rows")
    loss = objective.loss(unpack(**shards.rows(np.arange(len(shards)))), 1 / len(ROWS))
    loss.backward()
    tokenizer = AutoTokenizer.from_pretrained(place / "policy", pad_token="<|endoftext|>")

    def written(row):
        """What the template makes of a record, without its line break after the token that ends the turn."""
        prompt = row["prompt"] if isinstance(row["prompt"], list) else [{"role": "user", "content": row["prompt"]}]
        answers = {
            side: (row[side] if isinstance(row[side], str) else row[side][0]["content"]) + "<|im_end|>"
            for side in ("chosen", "rejected")
        }
        text = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
        return {"prompt": text, **answers}

    policy, before = (AutoModelForCausalLM.from_pretrained(place / name) for name in ("policy", "reference"))
    settings = trl.DPOConfig(
        str(tmp_path / "out"), beta=BETA, per_device_train_batch_size=len(ROWS), report_to=[], use_cpu=True, bf16=False,
        max_length=512, gradient_checkpointing=False,
    )  # fmt: skip
    data = Dataset.from_list([written(row) for row in ROWS])
    theirs = trl.DPOTrainer(policy, before, args=settings, train_dataset=data, processing_class=tokenizer)
    policy.eval()
    expected = theirs.compute_loss(policy, next(iter(theirs.get_train_dataloader())))
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    model = objective.model
    ours = hf_tensors(model.arch, {name: p.grad for name, p in model.named_parameters()})
    for name, parameter in policy.named_parameters():
        assert torch.allclose(ours[name], parameter.grad, rtol=1e-3, atol=1e-4 * parameter.grad.abs().max()), name
