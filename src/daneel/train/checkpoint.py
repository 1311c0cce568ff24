"""Checkpoints: everything that the next step depends on, written whole or not at all."""

import json
import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from daneel.errors import TrainingError
from daneel.run import atomic_dir, discard
from daneel.train.optimiser import Optimiser

NAME = re.compile(r"step-(\d+)")


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    loader: dict[str, Any] = field(default_factory=dict)
    best: float = float("inf")
    best_step: int | None = None
    """None where nothing is held out."""
    averaged: float | None = None
    """What the averaged weights came to at the end; they are taken where that is below `best`."""
    worse: int = 0
    """Measurements since the best."""
    seconds: float = 0.0
    """Time trained, over all sittings."""
    disk_bytes: int = 0
    """The most that checkpoints took, an old one beside the new one that replaces it."""


def folder(run: Path, step: int) -> Path:
    """`checkpoints/step-N`."""
    return run / "checkpoints" / f"step-{step:06d}"


def list_steps(run: Path) -> list[int]:
    """The steps that have a checkpoint, oldest first."""
    names = [NAME.fullmatch(path.name) for path in (run / "checkpoints").glob("step-*")]
    return sorted(int(match[1]) for match in names if match)


def save(run: Path, optimiser: Optimiser, progress: Progress, keep: int) -> None:
    """Write `step-N`, and only then remove those before the last `keep`, but never the best.

    Raises TrainingError on a full disk, with all earlier checkpoints in place.
    """
    target = folder(run, progress.step)
    for leftover in target.parent.glob(".step-*/"):
        shutil.rmtree(leftover)
    try:
        with atomic_dir(target) as new:
            save_file(optimiser.masters.weights, new / "weights.safetensors")
            state = {key: value.contiguous() for key, value in optimiser.state().items()}
            save_file({**state, "rng": torch.get_rng_state()}, new / "optimiser.safetensors")
            (new / "progress.json").write_text(json.dumps(asdict(progress)))
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"{target} could not be written ({error}); free some disk and go on with --resume: "
            "the checkpoints before it are whole"
        ) from None
    progress.disk_bytes = max(progress.disk_bytes, size(target.parent))
    steps = list_steps(run)
    for step in steps[:-keep]:
        if step != progress.best_step:
            discard(folder(run, step))


def size(folder: Path) -> int:
    """Bytes of the files in a folder and below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def load(run: Path, optimiser: Optimiser, step: int | None = None) -> Progress:
    """Restore weights, moments, and random state from a step (default: the last). Raises TrainingError."""
    steps = list_steps(run)
    if not steps:
        raise TrainingError(f"{run} has no checkpoint to resume from; start it again without --resume")
    path = folder(run, steps[-1] if step is None else step)
    tensors = _tensors(path / "optimiser.safetensors")
    try:
        progress = Progress(**json.loads((path / "progress.json").read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise _damaged(path, error) from None
    load_weights(path, optimiser)
    torch.set_rng_state(tensors.pop("rng"))
    optimiser.restore(tensors)
    return progress


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _damaged(path.parent, error) from None


def _damaged(path: Path, error: Exception) -> TrainingError:
    return TrainingError(f"{path} is damaged ({error}); remove it, and --resume goes on from the one before it")


@torch.no_grad()
def load_weights(path: Path, optimiser: Optimiser) -> None:
    """Restore the weights alone."""
    saved = _tensors(path / "weights.safetensors")
    weights = optimiser.masters.weights
    if saved.keys() != weights.keys():
        raise TrainingError(f"{path} was made with other settings; resume with those in daneel/config.json")
    for name, weight in weights.items():
        weight.copy_(saved[name])
    optimiser.masters.refresh()
