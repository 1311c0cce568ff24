"""What the store tells while it works: lines on stderr, and a bar where stderr is a terminal."""

import sys
from types import TracebackType

STEPS = 4
"""Lines of progress where there is no terminal."""


def say(line: str) -> None:
    """One line on stderr."""
    print(line, file=sys.stderr, flush=True)


def megabytes(count: float) -> str:
    """A size as a person reads it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


class Meter:
    """Progress in bytes towards a known total."""

    def __init__(self, label: str, total: int):
        self.label, self.total = label, total
        self._told = 0
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._bar: Progress | None = Progress(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task(label, total=total)
        else:
            self._bar = None

    def __enter__(self) -> "Meter":
        if self._bar is not None:
            self._bar.start()
        else:
            say(f"{self.label}: {megabytes(self.total)}")
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def at(self, done: int) -> None:
        """So many bytes are done."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
            return
        step = STEPS * done // self.total
        if step > self._told:
            self._told = step
            say(f"{self.label}: {100 * done // self.total} %")
