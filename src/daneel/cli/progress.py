"""A training run as a person watches it: a bar and a curve on a terminal, plain lines elsewhere."""

import math
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.progress import Progress, TaskID
from rich.text import Text

from daneel.config import duration

if TYPE_CHECKING:  # torch comes with them
    from daneel.train.estimate import Estimate
    from daneel.train.watch import Event

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 60
MEASURES = {"margin": "reward margin {:.3f}", "accuracy": "accuracy {:.1%}", "macro_f1": "macro F1 {:.3f}"}
# Seconds between lines that say how far a job is.
QUIET = 10.0


def planned(plan: "Estimate") -> str:
    """How long it will take."""
    exam = f"; measuring before and after, {duration(plan.exam_seconds)} more" if plan.exam_seconds else ""
    return f"{plan.steps} steps, about {duration(plan.seconds)}{exam}"


def curve(values: list[float], width: int = WIDTH) -> str:
    """The values as a line of blocks, averaged into `width` columns."""
    columns = min(width, len(values))
    edges = [round(i * len(values) / columns) for i in range(columns + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((value - low) * scale)] for value in means)


def bits(event: "Event") -> str:
    """The loss of a step in bits per byte, where it can be told."""
    return "" if event.bits_per_byte is None else f" ({event.bits_per_byte:.3f} bits per byte)"


def heldout(event: "Event") -> str:
    """What was measured on the held-out rows."""
    found = event.figures.get("heldout_bits_per_byte")
    bits = "" if found is None else f" ({found:.3f} bits per byte)"
    return ", ".join([f"{event.heldout:.4f}{bits}", *measures(event.figures)])


def measures(figures: Mapping[str, float]) -> list[str]:
    """What is measured beside the loss where preferences or labels are learned."""
    return [form.format(figures[name]) for name, form in MEASURES.items() if name in figures]


def pace(event: "Event") -> str:
    """How a step went: its gradient, its speed, what it holds, and how long the rest will take."""
    return (
        f"gradient {event.gradient_norm:.2f}  {event.tokens_per_second:.0f} tokens/s  {event.peak_share:.0%} of peak  "
        f"{(event.memory_bytes or 0) / 1e9:.1f} GB  {duration(event.seconds_left)} left"
    )


def foreseen(estimate: dict[str, dict[str, float]]) -> str:
    """What was planned beside what happened, in one line."""

    def both(name: str, show: Callable[[float], str]) -> str:
        return " and ".join(show(estimate[name][when]) for when in ("foreseen", "happened"))

    steps = estimate["steps"]
    early = "" if steps["foreseen"] == steps["happened"] else f", in {both('steps', str)} steps"
    return (
        f"foreseen and happened: {both('seconds', duration)} of training{early}, "
        f"{both('memory_bytes', lambda size: f'{size / 1e9:.2f}')} GB of memory, "
        f"{both('disk_bytes', lambda size: f'{size / 1e9:.2f}')} GB of disk"
    )


class Stages:
    """Shows how far each stage of a long job is: a bar on a terminal, a line every ten seconds elsewhere."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(console=console, transient=True) if console.is_terminal else None
        self._console = console
        self._stage, self._task, self._said = "", TaskID(0), time.monotonic()

    def __enter__(self) -> "Stages":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def watch(self, stage: str, done: int, total: int) -> None:
        """Take in what is being done, how much of it is done, and of how much."""
        if self._bar:
            if stage != self._stage:
                self._task = self._bar.add_task(stage, total=total)
            self._bar.update(self._task, completed=done)
        elif time.monotonic() - self._said > QUIET:
            self._console.print(f"{stage}: {done} of {total}")
            self._said = time.monotonic()
        self._stage = stage


class Live:
    """Shows events while a run goes on."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.losses: list[float] = []
        self.heldout: list[Event] = []
        self._last: Event | None = None
        self._live = RichLive(console=console, refresh_per_second=4, transient=False) if console.is_terminal else None

    def __enter__(self) -> "Live":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._live is not None and self._live.is_started:
            self._live.stop()

    def watch(self, event: "Event") -> None:
        """Take an event in."""
        if event.heldout is not None:
            self.heldout.append(event)
        if "averaged_heldout" in event.figures:
            self._stop()
            loss = event.figures["averaged_heldout"]
            self.console.print(f"step {event.step}/{event.steps}  held-out loss of the averaged weights {loss:.4f}")
            return
        if event.loss is not None:
            self.losses.append(event.loss)
            self._last = event
        if self._live is None:
            self._line(event)
            return
        if not self._live.is_started:
            self._live.start()
        self._live.update(self._picture())
        if event.step == event.steps and event.heldout is not None:
            self._stop()

    def _line(self, event: "Event") -> None:
        if event.heldout is not None:
            self.console.print(f"step {event.step}/{event.steps}  held-out loss {heldout(event)}")
        elif event.step % max(1, event.steps // 20) == 0 or event.step == 1:
            self.console.print(f"step {event.step}/{event.steps}  loss {event.loss:.4f}{bits(event)}  {pace(event)}")

    def _picture(self) -> RenderableType:
        last = self._last
        if last is None:
            return Text("measuring the held-out text …")
        done = math.floor(WIDTH * last.step / last.steps)
        lines = [
            Text(f"loss {curve(self.losses)} {self.losses[-1]:.3f}{bits(last)}", style="cyan"),
            Text(f"{'━' * done}{'─' * (WIDTH - done)} step {last.step}/{last.steps}"),
            Text(pace(last)),
        ]
        if self.heldout:
            shown = "".join(f"{event.heldout:.3f}  " for event in self.heldout[-8:-1])
            lines.append(Text(f"held-out {shown}{heldout(self.heldout[-1])}", style="green"))
        return Group(*lines)

    def summary(self, facts: dict[str, Any], out: str) -> None:
        """The result in a few lines."""
        voice = "sentence" in facts
        if voice:
            gain = facts["gain"]["tuned"]["author"]
            before = facts["scores"]["base"]["author"]["bits_per_byte"]
            interval = "one paragraph, so no interval"
            if gain["low"] is not None:
                interval = f"95 % interval {-gain['high'] / before:+.1%} to {-gain['low'] / before:+.1%}"
            self.console.print(
                f"held-out text: {before:.3f} bits per byte before, {before - gain['value']:.3f} after "
                f"({-gain['value'] / before:+.1%}, {interval})"
            )
            self.console.print(facts["sentence"], style="bold")
        elif self.heldout:
            best = min(self.heldout, key=lambda event: event.heldout or 0.0)
            self.console.print(f"held-out loss {heldout(self.heldout[0])} before, {heldout(best)} after")
        if pairs := facts.get("pairs"):
            exact, chrf, bleu = (pairs[name]["value"] for name in ("exact_match", "chrf", "bleu"))
            self.console.print(
                f"{pairs['n']} held-out targets: {exact:.1%} written exactly, chrF {chrf:.1f}, BLEU {bleu:.1f}",
                style="bold",
            )
        for kind in ("preferences", "labels"):
            if kind in facts:
                line = f"held-out {kind}, with the model as saved: {', '.join(measures(facts[kind]))}"
                self.console.print(line, style="bold")
        self.console.print(foreseen(facts["estimate"]))
        report = f"; its report: {out}/report.html" if voice or pairs else ""
        self.console.print(f"The run is in {out}{report}")
