"""A killed run goes on as if nothing had happened, bit for bit."""

import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from daneel.config import TrainConfig
from daneel.corpus.records import Record
from daneel.data.packing import Mixture, write_shards
from daneel.errors import TrainingError
from daneel.formats.peft import AdapterConfig
from daneel.model.load import load_base
from daneel.model.lora import add_lora
from daneel.tokenizer.load import Tokenizer
from daneel.train import checkpoint
from daneel.train.freeze import freeze
from daneel.train.loop import Trainer
from daneel.train.objectives import Likelihood, Preference, causal, chat, pairs, preferences, reference
from daneel.train.prepare import open_shards

STEPS = 40
KILLS = 20
IN_WRITE = 5
CONFIG = TrainConfig(
    method="full",
    length=32,
    batch=2,
    accumulate=2,
    checkpoint_every=3,
    evals=4,
    lr=3e-3,
    dtype="float32",
    patience=0,
)
SETTINGS = {
    "pairs": {"dropout": 0.1, "label_smoothing": 0.1},
    "muon": {"optimiser": "muon"},
    "dropout": {"dropout": 0.2},
    "average": {"average": 0.9, "freeze": "embed*"},
}
"""What some modes change."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model, and packed rows of which an epoch is shorter than the run."""
    root = tmp_path_factory.mktemp("resume")
    tiny.tiny_model(root / "base")
    tokenizer = Tokenizer.load(root / "base")
    write_shards(
        causal(tokenizer, tokenizer.encode_batch([*tiny.TEXT] * 5)), root / "shards" / "train", 32, whole=False
    )
    write_shards(causal(tokenizer, tokenizer.encode_batch(tiny.TEXT)), root / "shards" / "heldout", 32, whole=False)
    asked = [{"role": "user", "content": "Who?"}]
    said = [{"role": "assistant", "content": text} for text in tiny.TEXT]
    rows = [Record("", messages=[*asked, a], rejected=[*asked, b], asked=1) for a in said for b in said if a != b]
    chats = [[Record("", messages=[*asked, each]) for each in part] for part in (said, said * 3)]
    more = reference(load_base(root / "base", torch.float32), 2)
    for part in ("train", "heldout"):
        write_shards(preferences(tokenizer, rows), root / "preferences" / part, 127, whole=True, more=more)
        mixture = Mixture([chat(tokenizer, records) for records in chats], [3, 1])
        write_shards(mixture, root / "mixture" / part, 40, whole=True)
    tiny.tiny_model(root / "marian", "marian", std=0.05)
    words = [word for text in tiny.TEXT for word in text.split()] * 4
    records = [Record("", source=word, target=word[::-1]) for word in words]
    for part in ("train", "heldout"):
        made = write_shards(pairs(tokenizer, records, 0), root / "pairs" / part, 32, whole=True)
    assert made.meta.documents > 2 * made.meta.rows
    return root


@pytest.fixture(autouse=True)
def _one_thread():
    """So small a model is faster on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trainer(root: Path, run: Path, config: TrainConfig = CONFIG, mode: str = "full") -> Trainer:
    torch.manual_seed(config.seed)
    config = replace(config, **SETTINGS.get(mode, {}))
    model = load_base(root / ("marian" if mode == "pairs" else "base"), torch.float32)
    if mode == "lora":
        add_lora(model, AdapterConfig(4, 8.0, "all-linear", str(root / "base")))
    else:
        model.requires_grad_(True)
    if config.freeze:
        freeze(model, config.freeze)
    train, heldout = open_shards(root / (mode if (root / mode).exists() else "shards"))
    objective = Preference if mode == "preferences" else Likelihood
    return Trainer(run, model, config, train, heldout, objective=objective)


def sit(root: Path, run: Path, steps: int = STEPS, mode: str = "full") -> None:
    """One sitting of a run, from its last checkpoint if it has one."""
    torch.set_num_threads(1)
    made = trainer(root, run, mode=mode)
    if checkpoint.list_steps(run):
        made.resume()
    made.run(steps, lambda event: None)


def state(run: Path, step: int) -> dict[str, str]:
    """Hashes of weights and optimiser, and the loader's position."""
    folder = checkpoint.folder(run, step)
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
             for name in ("weights.safetensors", "optimiser.safetensors")}  # fmt: skip
    return files | {"loader": json.loads((folder / "progress.json").read_text())["loader"]}


def losses(run: Path) -> dict[int, float]:
    rows = [json.loads(line) for line in (run / "daneel" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)
    return {row["step"]: row["loss"] for row in rows if "loss" in row}


def writing(run: Path) -> bool:
    return any(path.is_dir() for path in run.glob("checkpoints/.step-*"))


def kill_inside(process, run: Path, at_write: bool, delay: float) -> None:
    """SIGKILL after a delay, or as soon as a checkpoint is half written."""
    time.sleep(delay)
    while at_write and process.is_alive() and not writing(run):
        pass
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "most", "inside"),
    [
        ("full", KILLS, IN_WRITE),
        ("lora", KILLS, IN_WRITE),
        ("preferences", 6, 2),
        ("mixture", 6, 2),
        *((mode, 3, 1) for mode in SETTINGS),
    ],
)
def test_kills_change_nothing(place, tmp_path, mode, most, inside):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["daneel.train.loop", "tiny"])
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    process = context.Process(target=sit, args=(place, straight), kwargs={"mode": mode})
    began = time.perf_counter()
    process.start()
    process.join()
    whole = time.perf_counter() - began
    assert process.exitcode == 0
    draw = random.Random(0)
    kills = in_write = 0
    while kills < most:
        process = context.Process(target=sit, args=(place, killed), kwargs={"mode": mode})
        process.start()
        at_write = in_write < inside
        kill_inside(process, killed, at_write, 0.0 if at_write else draw.uniform(0.05, 0.6) * whole)
        if process.exitcode == -signal.SIGKILL:
            kills += 1
            in_write += writing(killed)
        elif process.exitcode == 0:
            # Finished before the blow: go back to an early checkpoint, and on.
            for step in checkpoint.list_steps(killed)[1:]:
                shutil.rmtree(checkpoint.folder(killed, step))
    assert in_write >= inside
    process = context.Process(target=sit, args=(place, killed), kwargs={"mode": mode})
    process.start()
    process.join()
    assert process.exitcode == 0
    assert state(killed, STEPS) == state(straight, STEPS)
    assert losses(killed) == losses(straight)
    # And the ten steps after it.
    for run in (straight, killed):
        process = context.Process(target=sit, args=(place, run, STEPS + 10), kwargs={"mode": mode})
        process.start()
        process.join()
    after = [losses(run) for run in (straight, killed)]
    assert after[0] == after[1]
    assert len(after[0]) == STEPS + 10


def test_two_runs_with_one_seed_are_equal(place, tmp_path):
    for name in "ab":
        trainer(place, tmp_path / name).run(6, lambda event: None)
    assert state(tmp_path / "a", 6) == state(tmp_path / "b", 6)
    other = trainer(place, tmp_path / "c", TrainConfig(**{**CONFIG.__dict__, "seed": 1}))
    other.run(6, lambda event: None)
    assert state(tmp_path / "a", 6) != state(tmp_path / "c", 6)


@pytest.mark.parametrize("mode", SETTINGS)
def test_a_mode_learns_otherwise_than_none(place, tmp_path, mode):
    """So that what the kills leave equal is the mode's."""
    made = {name: trainer(place, tmp_path / name, mode=name) for name in (mode, "full")}
    for name in made:
        made[name].run(4, lambda event: None)
    assert state(tmp_path / mode, 4) != state(tmp_path / "full", 4)
    assert made[mode].progress.loader["position"] % len(made[mode].loader)


def test_old_checkpoints_go_and_the_best_stays(place, tmp_path):
    made = trainer(place, tmp_path, TrainConfig(**{**CONFIG.__dict__, "evals": 1, "checkpoint_every": 2}))
    made.progress.best, made.progress.best_step = -1.0, 2
    made.run(12, lambda event: None)
    assert checkpoint.list_steps(tmp_path) == [2, 10, 12]


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(place, tmp_path):
    made = trainer(place, tmp_path)
    made.run(3, lambda event: None)
    good = state(tmp_path, 3)
    with torch.no_grad():
        made.model.blocks[0].norm1.weight.fill_(float("nan"))
    with pytest.raises(
        TrainingError, match=r"step 4, in a batch of rows \d+, \d+, \d+, \d+ of .*train; step 3 is kept"
    ):
        made.run(10, lambda event: None)
    assert checkpoint.list_steps(tmp_path)[-1] == 3
    assert state(tmp_path, 3) == good


def test_early_stop_returns_to_the_best_weights(place, tmp_path):
    config = TrainConfig(**{**CONFIG.__dict__, "lr": 50.0, "patience": 2, "evals": 20, "warmup": 0.0})
    made = trainer(place, tmp_path, config)
    progress = made.run(40, lambda event: None)
    assert progress.step < 40
    assert progress.best_step is not None
    assert progress.best_step < progress.step
    assert made.measure()["heldout"] == pytest.approx(progress.best, abs=1e-6)


def test_a_full_disk_names_the_remedy_and_leaves_the_old_checkpoints(place, tmp_path, monkeypatch):
    made = trainer(place, tmp_path)
    made.run(3, lambda event: None)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(TrainingError, match="--resume"):
        made.run(6, lambda event: None)
    assert checkpoint.list_steps(tmp_path)[-1] == 3
    assert not writing(tmp_path)
