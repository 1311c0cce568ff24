"""What a run tells while it goes on: `log.jsonl` for programs, TensorBoard's files, and whoever watches."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from daneel.errors import UsageError
from daneel.run import atomic_write


@dataclass(frozen=True)
class Event:
    """What a watcher is told after a step or a measurement; what it does not speak of is None."""

    step: int
    steps: int
    seconds_left: float
    loss: float | None = None
    """Over the step's batches, as `heldout`."""
    bits_per_byte: float | None = None
    """The loss as bits a byte of the training text; None where it is no likelihood, or a smoothed one."""
    lr: float | None = None
    gradient_norm: float | None = None
    """Before clipping."""
    tokens_per_second: float | None = None
    """Of tokens that are no padding, over this step."""
    peak_share: float | None = None
    """The model's arithmetic in this step over what products of matrices alone reach here (train/flops.py)."""
    memory_bytes: int | None = None
    """What the process holds now."""
    heldout: float | None = None
    """The mean loss of the held-out rows: nats a token, or what else the objective counts."""
    figures: dict[str, float] = field(default_factory=dict)
    """All that was measured on them, by name."""

    def row(self) -> dict[str, Any]:
        """What is known, by name, in one level."""
        row = {key: value for key, value in asdict(self).items() if value is not None}
        del row["steps"], row["figures"]
        return row | self.figures


Watch = Callable[[Event], None]


class Meter:
    """How fast a sitting of a run goes, and how near to the limit of this machine."""

    def __init__(self, steps: int, tokens: float, limit: float) -> None:
        """`tokens` a step, and at most `limit` of them a second."""
        self._steps, self._tokens, self._limit = steps, tokens, limit
        self._clock = self._settled = time.perf_counter()
        self._laps = 0

    def start(self) -> None:
        """A step begins."""
        self._clock = time.perf_counter()

    def lap(self, step: int) -> tuple[float, float, float]:
        """Step `step` of the run ends: seconds left, with what comes between steps; tokens a second; share of peak."""
        now = time.perf_counter()
        since = self._settled if self._laps else self._clock
        left = (now - since) / max(1, self._laps) * (self._steps - step)
        if not self._laps:
            # Of the first step, in which things compile and warm up, nothing more is concluded.
            self._settled = now
        self._laps += 1
        speed = self._tokens / (now - self._clock)
        return left, speed, speed / self._limit


def memory_held() -> int:
    """Bytes that this process holds in memory now."""
    return int(psutil.Process().memory_info().rss)


class Log:
    """`log.jsonl`: a line a step, and one a measurement."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, event: Event) -> None:
        """Append an event."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(event.row()) + "\n")

    def rewind(self, step: int) -> None:
        """Forget what came after a step, and a last line that a kill left unfinished."""
        if self.path.exists():
            rows = [json.loads(line) for line in self.path.read_text().splitlines() if line.endswith("}")]
            # What the average came to is told at the end, which comes again.
            kept = [row for row in rows if row["step"] <= step and "averaged_heldout" not in row]
            atomic_write(self.path, "".join(json.dumps(row) + "\n" for row in kept))


def require_tensorboard() -> None:
    """Raises UsageError where the package is not installed."""
    if find_spec("tensorboard") is None:
        raise UsageError("--tensorboard needs a package that is not installed: pip install 'daneel[tensorboard]'")


@contextmanager
def tensorboard(folder: Path, step: int, watch: Watch) -> Iterator[Watch]:
    """A watch that also writes event files for `tensorboard --logdir`, the numbers under the names of `log.jsonl`.

    Goes on after `step`: TensorBoard hides what an interrupted sitting wrote of later ones.
    """
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder), purge_step=step + 1)

    def both(event: Event) -> None:
        for name, value in event.row().items():
            if name != "step":
                writer.add_scalar(name, value, event.step)
        watch(event)

    try:
        yield both
    finally:
        writer.close()
