"""Checkpoints are whole or not there: full disks, kills inside a write, damage, and which ones stay."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from daneel.config import TrainConfig
from daneel.data.packing import write_shards
from daneel.errors import TrainingError
from daneel.model.load import load_base
from daneel.tokenizer.load import Tokenizer
from daneel.train import checkpoint
from daneel.train.loop import Trainer
from daneel.train.objectives import causal
from daneel.train.prepare import open_shards

CONFIG = TrainConfig(method="full", length=16, batch=2, evals=2, checkpoint_every=1, dtype="float32", patience=0)
ON_A_TINY_DISK = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")


@pytest.fixture(autouse=True)
def _one_thread():
    """So small a model is faster on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkpoint")
    tiny.tiny_model(root / "base", std=0.05)
    tokenizer = Tokenizer.load(root / "base")
    for part in ("train", "heldout"):
        write_shards(causal(tokenizer, tokenizer.encode_batch(tiny.TEXT)), root / "shards" / part, 16, whole=False)
    return root


def trainer(place: Path, run: Path, config: TrainConfig = CONFIG) -> Trainer:
    model = load_base(place / "base", torch.float32).requires_grad_(True)
    return Trainer(run, model, config, *open_shards(place / "shards"))


def fill(place: Path, run: Path, free: int) -> None:
    """Train on a disk until it is full, then say what is left on it; runs in a process of its own."""
    made = trainer(place, run)
    made.run(2, lambda event: None)
    hog = run.parent / "hog"
    hog.write_bytes(bytes(shutil.disk_usage(run).free - free))
    try:
        made.run(4, lambda event: None)
    except TrainingError as error:
        print(json.dumps({"error": str(error), "left": sorted(path.name for path in (run / "checkpoints").iterdir())}))
    hog.unlink()
    again = trainer(place, run)
    again.resume()
    print(again.run(4, lambda event: None).step)


# So much room that the first file fits, and that it does not.
@pytest.mark.parametrize("free", [300_000, 20_000])
def test_a_disk_that_is_full_leaves_all_that_was_there(place, tmp_path, free):
    probe = subprocess.run([*ON_A_TINY_DISK, f"mount -t tmpfs none {tmp_path}"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this system lets nobody mount a small file system")
    here = Path(__file__).parent
    code = (
        f"import sys; from pathlib import Path; sys.path[:0] = {[str(here), str(here.parent)]}; "
        f"import test_checkpoint; test_checkpoint.fill(Path({str(place)!r}), Path({str(tmp_path / 'run')!r}), {free})"
    )
    mount = f'mount -t tmpfs -o size=8m none {tmp_path} && exec "$0" -c "$1"'
    done = subprocess.run([*ON_A_TINY_DISK, mount, sys.executable, code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told, step = done.stdout.splitlines()
    found = json.loads(told)
    assert "step-000003 could not be written" in found["error"]
    assert "\n" not in found["error"]
    assert found["left"] == ["step-000001", "step-000002"]
    assert step == "4"


def test_what_a_kill_left_half_written_is_never_loaded_and_goes(place, tmp_path):
    trainer(place, tmp_path).run(2, lambda event: None)
    half = tmp_path / "checkpoints" / ".step-000009.new-abc"
    half.mkdir()
    shutil.copy(checkpoint.folder(tmp_path, 2) / "weights.safetensors", half)
    gone = tmp_path / "checkpoints" / ".step-000007.gone"
    shutil.copytree(checkpoint.folder(tmp_path, 2), gone)
    (tmp_path / "checkpoints" / ".step-000003.busy").touch()
    assert checkpoint.list_steps(tmp_path) == [1, 2]
    made = trainer(place, tmp_path)
    made.resume()
    assert made.progress.step == 2
    made.run(3, lambda event: None)
    assert sorted(path.name for path in half.parent.iterdir()) == ["step-000002", "step-000003"]


@pytest.mark.parametrize("name", ["weights.safetensors", "optimiser.safetensors", "progress.json"])
@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_damage_is_one_line_and_the_one_before_serves(place, tmp_path, name, harm):
    trainer(place, tmp_path).run(2, lambda event: None)
    file = checkpoint.folder(tmp_path, 2) / name
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-20])
    else:
        file.unlink()
    made = trainer(place, tmp_path)
    before = {key: weight.clone() for key, weight in made.masters.weights.items()}
    with pytest.raises(TrainingError, match="step-000002 is damaged") as told:
        made.resume()
    assert "\n" not in str(told.value)
    assert all(weight.equal(before[key]) for key, weight in made.masters.weights.items())
    shutil.rmtree(checkpoint.folder(tmp_path, 2))
    made.resume()
    assert made.run(3, lambda event: None).step == 3


def test_the_last_stay_and_the_best_and_no_others(place, tmp_path):
    made = trainer(place, tmp_path, replace(CONFIG, keep=3, evals=0))
    made.progress.best, made.progress.best_step = -1.0, 2
    made.run(8, lambda event: None)
    assert checkpoint.list_steps(tmp_path) == [2, 6, 7, 8]
    # The new one is written before an old one goes.
    size = checkpoint.size(checkpoint.folder(tmp_path, 8))
    assert made.progress.disk_bytes == pytest.approx(5 * size, rel=0.05)
