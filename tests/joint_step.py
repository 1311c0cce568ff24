"""Joint steps in tests: summaries on disk, as the pipeline keeps them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from daneel.corpus.document import Document
from daneel.corpus.step import JointStep, Note


def document(text: str, source: str) -> Document:
    return Document(text, source, "", "", "", "", "")


def through(step: JointStep, batches: Sequence[Sequence[Document]]) -> tuple[list[Document], list[tuple[str, Note]]]:
    """The documents that stay, and what happened to which source."""
    kept: list[Document] = []
    notes = []
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{n}.npz") for n in range(len(batches))]
        for path, batch in zip(paths, batches, strict=True):
            np.savez(path, **step.summarise(batch))  # type: ignore[arg-type]
        with ThreadPoolExecutor(3) as pool:
            verdicts = step.decide(paths, pool.map)  # type: ignore[arg-type]
        assert len(verdicts) == len(batches)
        for path, batch, verdict in zip(paths, batches, verdicts, strict=True):
            # The pipeline writes a verdict where the summary was.
            np.savez(path, **verdict)  # type: ignore[arg-type]
            with np.load(path, allow_pickle=False) as stored:
                result = step.apply(batch, dict(stored))
            assert len(result.documents) == len(batch)
            dropped = {place for place, note in result.notes if note.dropped}
            assert dropped == {place for place, each in enumerate(result.documents) if each is None}
            kept += [each for each in result.documents if each is not None]
            notes += [(batch[place].source, note) for place, note in result.notes]
    return kept, notes


def split(documents: Sequence[Document], sizes: Sequence[int]) -> list[list[Document]]:
    """Documents in batches of these sizes, the rest in the last."""
    batches, start = [], 0
    for size in sizes:
        batches.append(list(documents[start : start + size]))
        start += size
    return [*batches, list(documents[start:])]
