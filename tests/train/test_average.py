"""The moving average of the weights: what it is, and when a run ends with it."""

import json
from dataclasses import replace

import pytest
import tiny
import torch

from daneel.config import TrainConfig
from daneel.data.packing import write_shards
from daneel.errors import UsageError
from daneel.model.load import load_base
from daneel.tokenizer.load import Tokenizer
from daneel.train import checkpoint, loop
from daneel.train.average import Average
from daneel.train.loop import Trainer
from daneel.train.objectives import causal
from daneel.train.prepare import open_shards

CONFIG = TrainConfig(method="full", length=16, batch=2, evals=2, dtype="float32", patience=0, warmup=0.0, average=0.9)


def test_it_is_what_its_formula_says():
    weights = {"a": torch.zeros(2, dtype=torch.float64)}
    average = Average(weights, 0.5)
    wanted = 0.0
    for n in range(1, 30):
        weights["a"][:] = n * n
        average.update()
        rate = min(0.5, (1 + n) / (10 + n))
        wanted = rate * wanted + (1 - rate) * n * n
    assert average.state()["a.average"].tolist() == pytest.approx([wanted] * 2)


def test_a_swap_twice_and_a_state_put_back_change_no_bit():
    torch.manual_seed(0)
    weights = {"a": torch.randn(5), "b": torch.randn(2, 3)}
    average = Average(weights, 0.99)
    for weight in weights.values():
        weight.add_(1.0)
    average.update()
    before = {name: weight.clone() for name, weight in weights.items()}
    state = {name: value.clone() for name, value in average.state().items()}
    average.swap()
    assert all(weights[name].equal(state[f"{name}.average"]) for name in weights)
    average.swap()
    assert all(weights[name].equal(before[name]) for name in weights)
    other = Average({name: torch.zeros_like(weight) for name, weight in weights.items()}, 0.99)
    other.restore(state)
    assert all(value.equal(state[name]) for name, value in other.state().items())


@pytest.fixture(autouse=True)
def _one_thread():
    """So small a model is faster on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("average")
    tiny.tiny_model(root / "base", std=0.05)
    tokenizer = Tokenizer.load(root / "base")
    for part in ("train", "heldout"):
        write_shards(causal(tokenizer, tokenizer.encode_batch(tiny.TEXT * 3)), root / "shards" / part, 16, whole=False)
    return root


def ended(place, run, config):
    """A run that is over, and what it measured on the way."""
    train, heldout = open_shards(place / "shards")
    made = Trainer(run, load_base(place / "base", torch.float32).requires_grad_(True), config, train, heldout)
    made.run(30, lambda event: None)
    return made, [json.loads(line) for line in made.log.path.read_text().splitlines()]


def test_a_run_whose_last_step_goes_astray_ends_with_the_average(place, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "rate", lambda step, *_: 0.05 if step == 29 else 3e-3)
    made, rows = ended(place, tmp_path, replace(CONFIG, evals=1))
    assert made.progress.averaged < made.progress.best
    assert made.measure()["heldout"] == made.progress.averaged
    assert rows[-1]["averaged_heldout"] == made.progress.averaged
    # Gone on with once more it comes to the same, and is told once.
    again = Trainer(tmp_path, load_base(place / "base", torch.float32).requires_grad_(True), made.config,
                    *open_shards(place / "shards"))  # fmt: skip
    again.resume()
    again.run(30, lambda event: None)
    assert all(again.masters.weights[name].equal(weight) for name, weight in made.masters.weights.items())
    assert [json.loads(line) for line in again.log.path.read_text().splitlines()][:-1] == rows[:-1]


def test_a_run_that_is_still_falling_ends_with_its_best_weights(place, tmp_path):
    made, _ = ended(place, tmp_path, replace(CONFIG, lr=1e-3, average=0.999))
    assert made.progress.averaged > made.progress.best
    assert made.measure()["heldout"] == made.progress.best
    saved = checkpoint.load_file(checkpoint.folder(tmp_path, made.progress.best_step) / "weights.safetensors")
    assert all(saved[name].equal(weight) for name, weight in made.masters.weights.items())


@pytest.mark.parametrize("change", [{"evals": 0}, {}])
def test_without_measuring_there_is_no_choice(place, tmp_path, change):
    train, heldout = open_shards(place / "shards")
    with pytest.raises(UsageError, match="held-out"):
        Trainer(tmp_path, load_base(place / "base", torch.float32), replace(CONFIG, **change), train,
                heldout if change else None)  # fmt: skip


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5])
def test_a_decay_out_of_range_is_refused(decay):
    with pytest.raises(UsageError, match="--average"):
        TrainConfig(average=decay)
