"""What a run tells while it goes on, and whether it is true."""

import json
import math

import numpy as np
import pytest
import tiny
import torch

from daneel.config import TrainConfig
from daneel.data.encode import byte_counts
from daneel.data.loader import unpack
from daneel.data.packing import write_shards
from daneel.model.load import load_base
from daneel.tokenizer.load import Tokenizer
from daneel.train import watch
from daneel.train.loop import Trainer
from daneel.train.objectives import causal
from daneel.train.prepare import open_shards
from daneel.train.watch import Event, Log, Meter, tensorboard

CONFIG = TrainConfig(method="full", length=16, batch=2, evals=2, eval_rows=1000, dtype="float32", lr=1e-3)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """So small a model is faster on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    """A run of four steps on English, Chinese and code."""
    root = tmp_path_factory.mktemp("watch")
    tiny.tiny_model(root / "base", std=0.05)
    tokenizer = Tokenizer.load(root / "base")
    for part in ("train", "heldout"):
        documents = causal(tokenizer, tokenizer.encode_batch(tiny.TEXT))
        write_shards(documents, root / "shards" / part, 16, whole=False, sizes=byte_counts(tokenizer))
    made = Trainer(root / "run", load_base(root / "base", torch.float32).requires_grad_(True), CONFIG,
                   *open_shards(root / "shards"))  # fmt: skip
    made.run(4, lambda event: None)
    made.tokenizer = tokenizer
    return made


def rows(made):
    return [json.loads(line) for line in made.log.path.read_text().splitlines()]


def test_bits_per_byte_are_those_of_the_text(trainer):
    shards, tokenizer = trainer.heldout, trainer.tokenizer
    batch = unpack(**shards.rows(np.arange(len(shards))))
    learned = batch.targets[batch.weights > 0].tolist()
    text = [id for id in learned if id not in tokenizer.special_ids]
    size = len(b"".join(tokenizer.token_bytes(id) for id in text))
    assert shards.meta.loss_bytes == size
    nats = trainer.measure()["heldout"] * len(learned)
    assert shards.meta.bits_per_byte(trainer.measure()["heldout"]) == pytest.approx(nats / math.log(2) / size)
    logged = [row for row in rows(trainer) if "heldout" in row]
    assert logged[-1]["heldout_bits_per_byte"] == pytest.approx(shards.meta.bits_per_byte(logged[-1]["heldout"]))


def test_every_step_is_told_whole(trainer):
    steps = [row for row in rows(trainer) if "loss" in row]
    assert [row["step"] for row in steps] == [1, 2, 3, 4]
    for row in steps:
        assert row.keys() == {
            "step", "seconds_left", "loss", "bits_per_byte", "lr", "gradient_norm", "tokens_per_second",
            "peak_share", "memory_bytes",
        }  # fmt: skip
        assert 0 < row["peak_share"] < 2
        assert row["memory_bytes"] > 1e7
    assert steps[-1]["seconds_left"] == 0


def test_a_smoothed_loss_is_no_likelihood(trainer):
    meta = trainer.heldout.meta
    smooth = type(trainer.objective)(trainer.model, TrainConfig(label_smoothing=0.1))
    assert smooth.bits_per_byte(2.0, meta) is None
    assert smooth.bits_per_byte(2.0, meta, smoothed=False) == meta.bits_per_byte(2.0)


def test_the_first_step_foretells_nothing_once_there_is_another(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(watch.time, "perf_counter", lambda: clock[0])
    meter = Meter(10, tokens=100, limit=400)

    def lap(step, seconds):
        meter.start()
        clock[0] += seconds
        return meter.lap(step)

    assert lap(1, 30.0) == pytest.approx((9 * 30, 100 / 30, 100 / 30 / 400))
    assert lap(2, 1.0) == pytest.approx((8 * 1, 100, 0.25))
    clock[0] += 2.0  # measured and saved
    assert lap(3, 1.0) == pytest.approx((7 * 2, 100, 0.25))


def test_a_log_goes_back_to_a_step_and_drops_half_a_line(tmp_path):
    log = Log(tmp_path / "run" / "log.jsonl")
    log.rewind(3)
    for step in (1, 2, 3):
        log.write(Event(step, 9, 1.0, loss=float(step)))
    with log.path.open("a") as file:
        file.write('{"step": 2, "lo')
    log.rewind(2)
    assert [json.loads(line)["loss"] for line in log.path.read_text().splitlines()] == [1.0, 2.0]


def test_tensorboard_reads_what_the_log_says(tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    told = []
    with tensorboard(tmp_path, 0, told.append) as both:
        for step in (1, 2, 3):
            both(Event(step, 9, 1.0, loss=float(step)))
        both(Event(3, 9, 1.0, heldout=0.5, figures={"heldout": 0.5, "heldout_bits_per_byte": 0.25}))
    # A sitting that was killed after step 3 goes on from the checkpoint of step 1.
    with tensorboard(tmp_path, 1, told.append) as both:
        both(Event(2, 9, 1.0, loss=20.0))
    assert len(told) == 5
    found = reader.EventAccumulator(str(tmp_path))
    found.Reload()
    assert [(e.step, e.value) for e in found.Scalars("loss")] == [(1, 1.0), (2, 20.0)]
    assert set(found.Tags()["scalars"]) <= {"loss", "seconds_left", "heldout", "heldout_bits_per_byte"}
