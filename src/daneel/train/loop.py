"""The one training loop."""

import math
import time
from collections.abc import Callable
from pathlib import Path

from daneel.config import TrainConfig
from daneel.data.loader import Loader
from daneel.data.packing import Shards
from daneel.errors import TrainingError, UsageError
from daneel.formats.families import matrices
from daneel.model.decoder import Block, Decoder
from daneel.model.encoder_decoder import Encoder, EncoderDecoder
from daneel.model.init import keep_pad_zero
from daneel.model.load import resolve_dtype
from daneel.train import checkpoint
from daneel.train.average import Average
from daneel.train.checkpoint import Progress
from daneel.train.flops import flops_per_token, gemm_rate
from daneel.train.objectives import Likelihood, Objective, measure
from daneel.train.optimiser import Masters, Optimiser, rate
from daneel.train.watch import Event, Log, Meter, Watch, memory_held

DEFAULT_LR = {"lora": 1e-3, "full": 1e-4}


class Trainer:
    """A model, its optimiser and its data; `run` goes from where `progress` stands to the end."""

    def __init__(
        self, run: Path, model: Decoder, config: TrainConfig, train: Shards, heldout: Shards | None,
        compiled: bool = False, objective: Callable[[Decoder, TrainConfig, bool], Objective] = Likelihood,
    ) -> None:  # fmt: skip
        if config.average and not (heldout is not None and config.evals):
            raise UsageError("--average is taken only where it is better on held-out text: give --heldout and --evals")
        self.run_dir, self.model, self.config = run, model, config
        keep_pad_zero(model)
        self.masters = Masters(model, resolve_dtype(config.dtype))
        self.optimiser = Optimiser(
            self.masters, config.weight_decay, matrices(model.arch) if config.optimiser == "muon" else None,
            config.average,
        )  # fmt: skip
        self.objective = objective(model, config, compiled)
        self.loader = Loader(train, config.rows, config.seed)
        self.heldout = heldout
        self.progress = Progress()
        self.log = Log(run / "daneel" / "log.jsonl")
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

    def backward(self) -> float:
        """Gradients of the next step's batches; gives the mean loss of what the objective counts."""
        batches, self._rows = [], []
        for _ in range(self.config.accumulate):
            batches.append(self.loader.next())
            self._rows += self.loader.last
        # Over all batches of the step at once: a mean of means would weigh short answers more.
        count = sum(map(self.objective.count, batches))
        total = 0.0
        self.model.train(self.config.dropout > 0)
        for batch in batches:
            loss = self.objective.loss(batch, 1 / max(count, 1.0))
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def measure(self, rows: int | None = None) -> dict[str, float]:
        """The objective's figures of the first held-out rows, `eval_rows` of them if not said."""
        assert self.heldout is not None
        return measure(self.objective, self.heldout, self.config.rows, rows or self.config.eval_rows)

    @property
    def tokens_per_step(self) -> float:
        """Tokens of a step that are no padding, on average."""
        shards = self.loader.shards
        return self.config.rows * self.config.accumulate * shards.meta.length * (1 - shards.padding_share)

    def resume(self) -> None:
        """Go on from the last whole checkpoint."""
        self.progress = checkpoint.load(self.run_dir, self.optimiser)
        self.loader.restore(self.progress.loader)
        self.log.rewind(self.progress.step)

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
        marks = {max(1, round(steps * n / self.config.evals)) for n in range(1, self.config.evals + 1)}
        progress, before, began = self.progress, self.progress.seconds, time.perf_counter()
        if progress.step == 0:
            if marks:
                self._evaluate(steps, watch, 0.0)
            self._save()
        meta = self.loader.shards.meta
        limit = gemm_rate(self.model.dtype) / flops_per_token(self.model, meta.length)
        meter = Meter(steps, self.tokens_per_step, limit)
        while progress.step < steps and not self._stopped():
            meter.start()
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
            left, speed, share = meter.lap(progress.step)
            bits = self.objective.bits_per_byte(loss, meta)
            self._tell(watch, Event(progress.step, steps, left, loss, bits, lr, norm, speed, share, memory_held()))
            if progress.step in marks:
                self._evaluate(steps, watch, left)
            if progress.step % self.config.checkpoint_every == 0 or progress.step == steps:
                self._save()
        if progress.best_step is not None and progress.best_step != progress.step:
            checkpoint.load_weights(checkpoint.folder(self.run_dir, progress.best_step), self.optimiser)
        if self.optimiser.average is not None:
            self._take_average(self.optimiser.average, steps, watch)
        progress.seconds = before + time.perf_counter() - began
        return progress

    def _tell(self, watch: Watch, event: Event) -> None:
        self.log.write(event)
        watch(event)

    def _take_average(self, average: Average, steps: int, watch: Watch) -> None:
        """End with the averaged weights instead if they are better on the held-out rows."""
        self._exchange(average)
        progress, figures = self.progress, self._held_out()
        progress.averaged = figures["heldout"]
        told = {f"averaged_{name}": value for name, value in figures.items()}
        self._tell(watch, Event(progress.step, steps, 0.0, figures=told))
        if progress.averaged >= progress.best:
            self._exchange(average)

    def _exchange(self, average: Average) -> None:
        average.swap()
        self.masters.refresh()

    def _stopped(self) -> bool:
        return 0 < self.config.patience <= self.progress.worse

    def _held_out(self) -> dict[str, float]:
        """What is measured on the held-out rows, with bits a byte where they can be told."""
        assert self.heldout is not None
        figures = self.measure()
        bits = self.objective.bits_per_byte(figures["heldout"], self.heldout.meta, smoothed=False)
        return figures if bits is None else figures | {"heldout_bits_per_byte": bits}

    def _evaluate(self, steps: int, watch: Watch, left: float) -> None:
        if self.heldout is None:
            return
        progress = self.progress
        figures = self._held_out()
        heldout = figures["heldout"]
        self._tell(watch, Event(progress.step, steps, left, heldout=heldout, figures=figures))
        if heldout < progress.best:
            progress.best, progress.best_step, progress.worse = heldout, progress.step, 0
            if progress.step:  # `run` saves the first itself
                self._save()
        else:
            progress.worse += 1
