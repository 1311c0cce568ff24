"""What a step of cleaning is: a name, settings, and a pure function over a batch of documents.

A step's settings are the fields of its dataclass, with a docstring each; a recipe's table `[name]` sets them. A local
step looks at one document at a time. A joint step looks at all: each batch is summarised by itself, the summaries are
decided upon together, and each batch gets its verdict; documents never meet in memory.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import numpy as np

from daneel.corpus.document import Document

Arrays = dict[str, np.ndarray[Any, Any]]
Batch = Sequence[Document]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Note:
    """What a step did to one document."""

    what: str
    """The kind, in the same words for all documents it happens to: `page numbers removed`."""
    example: str = ""
    """How it looked in this document, in at most about a hundred characters."""
    times: int = 1
    """How often in this document."""
    dropped: bool = False
    """The document is left out; `what` is the reason."""
    of: str = ""
    """The source of the earlier document that a duplicate repeats."""


@dataclass
class Result:
    """The documents after a step, in the places they had before, and what happened."""

    documents: list[Document | None]
    """None where a document is dropped."""
    notes: list[tuple[int, Note]] = field(default_factory=list)
    """Place in the batch, and what happened there."""


class LocalStep(Protocol):
    """Judges or changes each document by itself."""

    name: ClassVar[str]

    def apply(self, batch: Batch) -> Result:
        """The batch after this step. Pure: the same batch gives the same result, in any process."""


class Run(Protocol):
    """Calls a function for every task, perhaps in other processes or on other machines; results in order.

    The function is a module's own (it is sent by name), its tasks and results can be pickled.
    """

    def __call__(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterable[R]:
        """The function's result for each task."""


@runtime_checkable
class JointStep(Protocol):
    """Judges or changes documents by what the others are."""

    name: ClassVar[str]

    def summarise(self, batch: Batch) -> Arrays:
        """What has to be known of a batch; kept on disk as `.npz` without pickle (strings as dtype `U`)."""

    def decide(self, summaries: Sequence[Path], run: Run) -> Sequence[Arrays]:
        """One verdict a batch, from the files of all summaries in the order of the batches."""

    def apply(self, batch: Batch, verdict: Arrays) -> Result:
        """The batch after this step. Pure."""


@runtime_checkable
class Hides(Protocol):
    """Takes personal data out of texts, and out of the names of their sources."""

    def hidden(self, source: str) -> str:
        """The name as anybody may read it."""


@runtime_checkable
class Directed(Protocol):
    """Wants pairs in one direction."""

    languages: tuple[str, ...]
    """Of source and target."""


Step = LocalStep | JointStep
