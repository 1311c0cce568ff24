"""Where the work is done: in this process, in several, or on a Ray cluster. The results are the same, byte for byte."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal, TypeVar

from daneel.corpus.step import Run
from daneel.errors import DaneelError, UsageError

T = TypeVar("T")
R = TypeVar("R")
Engine = Literal["processes", "ray"]


@contextmanager
def engine(kind: Engine, processes: int) -> Iterator[Run]:
    """A `Run`: tasks go to `processes` processes of this machine, or to the Ray cluster that is running.

    On a cluster every machine must see the corpus folder and the sources under the same names. Raises UsageError,
    and DaneelError where a process was killed.
    """
    if kind == "ray":
        yield _ray()
    elif processes == 1:
        yield lambda function, tasks: map(function, tasks)
    else:
        # `spawn`, since a fork of a process with threads may hang.
        try:
            with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _single) as pool:
                yield lambda function, tasks: _ahead(pool, processes, function, tasks)
        except BrokenProcessPool:
            raise DaneelError(
                "a worker process was killed, most likely because memory ran out: use fewer, such as --processes 1"
            ) from None


def _single() -> None:
    """A worker is one thread, as those of libraries would compete for the cores, and ends with its parent."""
    threading.Thread(target=_orphaned, daemon=True).start()
    for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _orphaned() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    # A worker that waits for work never learns that nobody is left to send it.
    parent.join()
    os._exit(1)


def _ahead(pool: ProcessPoolExecutor, processes: int, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
    """As `pool.map`, but a few tasks ahead of the results: a list of all of them may not fit in memory."""
    waiting = iter(tasks)
    running = [pool.submit(function, task) for task in islice(waiting, 4 * processes)]
    try:
        while running:
            result = running.pop(0).result()
            running += [pool.submit(function, task) for task in islice(waiting, 1)]
            yield result
    finally:
        for future in running:
            future.cancel()


def _ray() -> Run:
    try:
        import ray
        import ray.data
    except ImportError:
        raise UsageError("--engine ray needs Ray: pip install 'daneel[cluster]'") from None
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False

    def run(function: Callable[[T], R], tasks: Iterable[T]) -> Iterable[R]:
        numbered = [{"number": number, "task": task} for number, task in enumerate(tasks)]
        if not numbered:
            return []

        def call(row: dict[str, Any]) -> dict[str, Any]:
            return {"number": row["number"], "result": function(row["task"])}

        rows = ray.data.from_items(numbered, override_num_blocks=len(numbered)).map(call).take_all()
        return [row["result"] for row in sorted(rows, key=lambda row: int(row["number"]))]

    return run
