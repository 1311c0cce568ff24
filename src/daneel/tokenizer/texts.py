"""Texts to learn or measure a vocabulary on: a corpus as a stream, or any files and folders."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from daneel.corpus.read import Raw, is_corpus, read
from daneel.corpus.records import read_records
from daneel.errors import DataError

# Rows of a corpus in memory at a time; a row is a story or a block of a book.
_BATCH = 16


def stream(paths: Sequence[Path], part: str = "train") -> Iterator[str]:
    """The texts below the paths, one at a time: `part` of a corpus, every readable file elsewhere. Raises DataError."""
    for path in paths:
        if not path.exists():
            raise DataError(f"{path} does not exist: give a corpus, or files or folders of text")
    return _texts(paths, part)


def _texts(paths: Sequence[Path], part: str) -> Iterator[str]:
    found = False
    for path in paths:
        for text in _corpus(path, part) if is_corpus(path) else _files(path):
            found = True
            yield text
    if not found:
        raise DataError(f"no usable text in {', '.join(map(str, paths))}")


def _corpus(folder: Path, part: str) -> Iterator[str]:
    records = folder / f"{part}.jsonl"
    if records.is_file():
        for record in read_records(records):
            yield from (text for text in (record.text, record.source, record.target) if text)
            yield from (message["content"] for message in record.messages or () if message.get("content"))
        return
    try:
        for batch in pq.ParquetFile(folder / f"{part}.parquet").iter_batches(_BATCH, columns=["text"]):
            yield from batch.column("text").to_pylist()
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DataError(f"{folder} is damaged ({error}): build it again") from None


def _files(path: Path) -> Iterator[str]:
    return (raw.text for raw in read([path]) if isinstance(raw, Raw))
