"""How long a run takes, and how much memory and disk: measured on this machine, not guessed."""

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from daneel.config import TrainConfig, seconds
from daneel.errors import TrainingError
from daneel.store.progress import megabytes
from daneel.train.checkpoint import Progress, size
from daneel.train.loop import Trainer

MOMENTS = 2
EPOCHS = 3.0


@dataclass(frozen=True)
class Estimate:
    """What a run will need."""

    steps: int
    seconds: float
    """Of training and measuring on the way, compilation included."""
    exam_seconds: float
    """Of measuring voice and samples, before and after."""
    memory_bytes: int
    disk_bytes: int
    tokens_per_second: float
    compiled: bool
    first_seconds: float = 0.0
    """Of `seconds`, what the first step took, with compilation; it was taken while estimating."""


def planned_steps(config: TrainConfig, rows: int) -> int:
    """Steps that the epochs ask for, unless steps are given."""
    return config.steps or max(1, round((config.epochs or EPOCHS) * rows / (config.rows * config.accumulate)))


def estimate(trainer: Trainer, config: TrainConfig, model_bytes: int, exam_seconds: float, merge: bool) -> Estimate:
    """Time two steps without learning from them, and plan the rest.

    With a budget the steps are as many as fit, less a tenth for what cannot be foreseen, and no more than steps or
    epochs that are set. Random state, weights and loader are left as they were.
    """
    place, rng = trainer.loader.state(), torch.get_rng_state()
    clock = time.perf_counter()
    trainer.backward()
    first = time.perf_counter() - clock
    times = []
    for _ in range(2):
        clock = time.perf_counter()
        trainer.backward()
        times.append(time.perf_counter() - clock)
    step = min(times)
    trainer.masters.zero_grad()
    trainer.loader.restore(place)
    torch.set_rng_state(rng)
    weights = sum(w.numel() for w in trainer.masters.weights.values()) * 4
    # AdamW reads four float32 arrays and writes three, at about 10 GB/s.
    step += weights * 7 / 1e10
    measuring = 0.0
    if trainer.heldout is not None and config.evals:
        clock = time.perf_counter()
        trainer.measure(config.rows)
        batches = -(-min(len(trainer.heldout), config.eval_rows) // config.rows)
        measuring = (config.evals + 1) * batches * (time.perf_counter() - clock)
    steps = planned_steps(config, len(trainer.loader))
    if config.budget:
        fit = int((seconds(config.budget) * 0.9 - first - measuring) / step)
        if fit < 1:
            raise TrainingError(
                f"--budget {config.budget} is too short: one step takes {step:.1f} s here, measuring {measuring:.0f} s "
                f"and preparation {first:.0f} s; give at least {int((first + measuring + 2 * step) / 0.9) + 1}s"
            )
        steps = min(config.steps, fit) if config.steps else fit
        if config.epochs:
            steps = min(steps, planned_steps(config, len(trainer.loader)))
    copies = MOMENTS + (config.average is not None)
    state = weights * (1 + copies)
    checkpoints = min(config.keep + 1, 1 + config.evals + steps // config.checkpoint_every)
    return Estimate(
        steps=steps,
        seconds=first + measuring + step * steps,
        exam_seconds=exam_seconds,
        # Measured so far at its highest, with the average where there is one; the moments that the first real step
        # adds, and a second model to compare with when the voice is measured.
        memory_bytes=peak_memory() + weights * MOMENTS + (model_bytes if exam_seconds else 0),
        disk_bytes=state * checkpoints + (weights if config.method == "lora" and not merge else model_bytes),
        tokens_per_second=trainer.tokens_per_step / step,
        compiled=trainer.compiled,
        first_seconds=first,
    )


def hindsight(plan: Estimate, progress: Progress, run: Path) -> dict[str, dict[str, float]]:
    """What was foreseen beside what happened: steps, seconds of all sittings, this sitting's memory, and disk.

    Disk is what checkpoints took at most, or those that stay with the model.
    """
    model = sum(path.stat().st_size for path in run.iterdir() if path.is_file())
    happened = {
        "steps": progress.step,
        "seconds": plan.first_seconds + progress.seconds,
        "memory_bytes": peak_memory(),
        "disk_bytes": max(progress.disk_bytes, size(run / "checkpoints") + model),
    }
    return {name: {"foreseen": getattr(plan, name), "happened": value} for name, value in happened.items()}


def peak_memory() -> int:
    """The most memory this process has held, in bytes."""
    import resource

    # macOS counts in bytes, Linux in kilobytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def require_disk(trainer: Trainer, needed: int) -> None:
    """Raises TrainingError if the run will not fit on its disk."""
    free = shutil.disk_usage(trainer.run_dir).free
    if needed > free:
        raise TrainingError(
            f"{trainer.run_dir} needs {megabytes(needed)} for checkpoints and has {megabytes(free)}; "
            "free some, lower --set keep=1, or give another folder with -o"
        )


def memory_note(needed: int) -> str | None:
    """A warning when the run is larger than what this machine has."""
    have = psutil.virtual_memory().total
    if needed < have:
        return None
    return f"needs {megabytes(needed)} of memory and this machine has {megabytes(have)}: lower --batch or --length"
