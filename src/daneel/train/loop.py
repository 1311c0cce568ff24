"""The one training loop."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from daneel.config import TrainConfig
from daneel.data.loader import Batch, Loader, unpack
from daneel.data.packing import Shards
from daneel.errors import TrainingError
from daneel.formats.families import matrices
from daneel.model.decoder import Block, Decoder
from daneel.model.encoder_decoder import Encoder, EncoderDecoder, Source
from daneel.model.load import resolve_dtype
from daneel.model.loss import head_loss, token_losses
from daneel.train import checkpoint
from daneel.train.checkpoint import Progress
from daneel.train.optimiser import Masters, Optimiser, rate

DEFAULT_LR = {"lora": 1e-3, "full": 1e-4}


@dataclass(frozen=True)
class Event:
    """What a watcher is told after a step or a measurement."""

    step: int
    steps: int
    tokens_per_second: float
    seconds_left: float
    loss: float | None = None
    """Nats a token over the step's batches."""
    heldout: float | None = None
    """Nats a token of the held-out rows."""


Watch = Callable[[Event], None]


class Trainer:
    """A model, its optimiser and its data; `run` goes from where `progress` stands to the end."""

    def __init__(
        self, run: Path, model: Decoder, config: TrainConfig, train: Shards, heldout: Shards | None,
        compiled: bool = False,
    ) -> None:  # fmt: skip
        self.run_dir, self.model, self.config = run, model, config
        self.masters = Masters(model, resolve_dtype(config.dtype))
        self.optimiser = Optimiser(
            self.masters, config.weight_decay, matrices(model.arch) if config.optimiser == "muon" else None
        )
        self.loader = Loader(train, config.batch, config.seed)
        self.heldout = heldout
        self.progress = Progress()
        self.compiled = compiled
        self._saved: int | None = None
        self._rows: list[int] = []
        self.lr = config.lr or DEFAULT_LR[config.method]
        if config.dropout:
            for module in model.modules():
                if isinstance(module, (Decoder, Encoder, Block)):
                    module.dropout = config.dropout
        if compiled:
            for block in [*model.blocks, *(model.encoder.blocks if isinstance(model, EncoderDecoder) else ())]:
                block.compile(dynamic=False)

    def _states(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Final states [N, W], targets [N] and weights [N] of a batch."""
        ids, targets, weights, positions, segments = (
            torch.from_numpy(x) for x in (batch.ids, batch.targets, batch.weights, batch.positions, batch.segments)
        )
        if isinstance(self.model, EncoderDecoder):
            assert batch.source is not None
            source = Source(*map(torch.from_numpy, batch.source))
            states = self.model.hidden(ids, positions, segments, source=source)
        else:
            states = self.model.hidden(ids, positions, segments)
        return states.flatten(0, 1), targets.flatten(), weights.flatten()

    @property
    def _head_bias(self) -> Tensor | None:
        return None if self.model.head_bias is None else self.model.head_bias[0]

    def loss_sum(self, batch: Batch, scale: float) -> Tensor:
        """Weighted loss of a batch times `scale`, with gradients."""
        states, targets, weights = self._states(batch)
        return head_loss(
            states, self.model.head_weight, targets, weights * scale, self.compiled, self._head_bias,
            self.config.label_smoothing,
        )  # fmt: skip

    def backward(self) -> float:
        """Gradients of the next step's batches; gives the mean loss a learned token."""
        batches, self._rows = [], []
        for _ in range(self.config.accumulate):
            batches.append(self.loader.next())
            self._rows += self.loader.last
        # Over all batches of the step at once: a mean of means would weigh short answers more.
        count = sum(float(batch.weights.sum()) for batch in batches)
        total = 0.0
        self.model.train(self.config.dropout > 0)
        for batch in batches:
            loss = self.loss_sum(batch, 1 / max(count, 1.0))
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def measure(self, rows: int | None = None) -> float:
        """Mean loss of the first held-out rows, `eval_rows` of them if not said."""
        assert self.heldout is not None
        size, rows = self.config.batch, min(len(self.heldout), rows or self.config.eval_rows)
        total = count = 0.0
        self.model.eval()
        for start in range(0, rows, size):
            # Every batch has the same shape, so that nothing compiles again; filler rows weigh nothing.
            numbers = np.minimum(np.arange(start, start + size), rows - 1)
            batch = unpack(*self.heldout.rows(numbers))
            batch.weights[rows - start :] = 0
            total += self._loss(batch)
            count += float(batch.weights.sum())
        return total / count

    def _loss(self, batch: Batch) -> float:
        # With gradients on, though unused, as far as the head: the compiled blocks of training serve here too. In a
        # function of its own, at whose end they go, before the next batch makes its own.
        states, targets, weights = self._states(batch)
        return float(token_losses(states, self.model.head_weight, targets, self._head_bias) @ weights)

    def resume(self) -> None:
        """Go on from the last whole checkpoint."""
        self.progress = checkpoint.load(self.run_dir, self.optimiser)
        self.loader.restore(self.progress.loader)
        log = self.run_dir / "daneel" / "log.jsonl"
        if log.exists():
            rows = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
            kept = [json.dumps(row) + "\n" for row in rows if row["step"] <= self.progress.step]
            log.write_text("".join(kept))

    def _log(self, **row: Any) -> None:
        with (self.run_dir / "daneel" / "log.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")

    def _save(self) -> None:
        if self._saved == self.progress.step:
            return  # a measurement at this step saved it
        self._saved = self.progress.step
        self.progress.loader = self.loader.state()
        checkpoint.save(self.run_dir, self.optimiser, self.progress, self.config.keep)

    def run(self, steps: int, watch: Watch) -> Progress:
        """Train to `steps`, or until the held-out text stops getting better; ends with the best weights.

        Raises TrainingError when the loss is no number.
        """
        (self.run_dir / "daneel").mkdir(parents=True, exist_ok=True)
        marks = {max(1, round(steps * n / self.config.evals)) for n in range(1, self.config.evals + 1)}
        progress, before, began = self.progress, self.progress.seconds, time.perf_counter()
        stepping: list[float] = []
        if progress.step == 0:
            if marks:
                self._evaluate(steps, watch, 0.0)
            self._save()
        tokens = self.config.batch * self.config.accumulate * self.loader.shards.meta.length
        while progress.step < steps and not self._stopped():
            clock = time.perf_counter()
            loss = self.backward()
            lr = rate(progress.step, steps, self.lr, self.config.warmup, self.config.schedule)
            norm = self.optimiser.step(lr, self.config.clip)
            if not (math.isfinite(loss) and math.isfinite(norm)):
                kept = checkpoint.list_steps(self.run_dir)[-1]
                raise TrainingError(
                    f"the loss is {loss} and the gradient {norm} at step {progress.step + 1}, in a batch of rows "
                    f"{', '.join(map(str, self._rows))} of {self.loader.shards.folder}; step {kept} is kept. "
                    "Lower --lr, or look at those rows"
                )
            progress.step += 1
            progress.seconds = before + time.perf_counter() - began
            stepping.append(time.perf_counter() - clock)
            speed = tokens / stepping[-1]
            left = sum(stepping) / len(stepping) * (steps - progress.step)
            self._log(step=progress.step, loss=loss, lr=lr, gradient_norm=norm, tokens_per_second=round(speed, 1))
            watch(Event(progress.step, steps, speed, left, loss=loss))
            if progress.step in marks:
                self._evaluate(steps, watch, left)
            if progress.step % self.config.checkpoint_every == 0 or progress.step == steps:
                self._save()
        if progress.best_step is not None and progress.best_step != progress.step:
            checkpoint.load_weights(checkpoint.folder(self.run_dir, progress.best_step), self.optimiser)
        return progress

    def _stopped(self) -> bool:
        return 0 < self.config.patience <= self.progress.worse

    def _evaluate(self, steps: int, watch: Watch, left: float) -> None:
        if self.heldout is None:
            return
        progress = self.progress
        heldout = self.measure()
        self._log(step=progress.step, heldout=heldout)
        watch(Event(progress.step, steps, 0.0, left, heldout=heldout))
        if heldout < progress.best:
            progress.best, progress.best_step, progress.worse = heldout, progress.step, 0
            if progress.step:  # `run` saves the first itself
                self._save()
        else:
            progress.worse += 1
