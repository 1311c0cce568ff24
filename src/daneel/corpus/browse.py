"""A corpus on disk, looked at document by document: what there is, what was dropped, one text, a search.

Memory holds a row group of Parquet or a line of JSON Lines at a time, and some numbers a document.
"""

import heapq
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from daneel.corpus.divide import PARTS
from daneel.errors import DataError, UsageError

CONTEXT = 60
"""Characters shown on each side of what was searched."""


@dataclass(frozen=True)
class Entry:
    """A text of the corpus: its row in `manifest.parquet`."""

    number: int
    """From 1, among all that were kept."""
    place: int
    """From 0, in its part."""
    part: str
    source: str
    title: str
    author: str
    language: str
    licence: str
    words: int
    characters: int
    sha256: str
    changes: list[str]


@dataclass(frozen=True)
class Drop:
    """Something that was read and is not in the corpus."""

    source: str
    step: str
    reason: str


@dataclass(frozen=True)
class Hit:
    """A text that holds what was searched."""

    entry: Entry
    times: int
    before: str
    found: str
    after: str
    """Around the first place."""


class Browser:
    """The texts of one corpus."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any]):
        self.folder = folder
        self.records: bool = manifest["kind"] != "documents"

    def entries(self, part: str | None = None) -> Iterator[Entry]:
        """All texts, or those of a part, in their order. Raises DataError."""
        places = dict.fromkeys(PARTS, 0)
        number = 0
        for row in self._rows():
            if row["split"] is None:
                continue
            number += 1
            own = {key: row[key] for key in _SAME}
            if part in (None, row["split"]):
                yield Entry(number, places[row["split"]], row["split"], changes=row["changes"] or [], **own)
            places[row["split"]] += 1

    def drops(self) -> Iterator[Drop]:
        """All that was dropped. Raises DataError."""
        for row in self._rows():
            if row["split"] is None:
                yield Drop(row["source"], row["dropped_by"], row["reason"])

    def find(self, name: str) -> Entry:
        """The text of a number, source or title. Raises UsageError."""
        for entry in self.entries():
            if name in (str(entry.number), entry.source) or name == entry.title:
                return entry
        raise UsageError(
            f"no text of {self.folder} is called {name}: `daneel corpus show {self.folder} --list` has all"
        )

    def text(self, entry: Entry) -> str:
        """One text whole. Raises DataError."""
        with self._read(f"{entry.part} part"):
            return next(self._texts(entry.part, entry.place))

    def texts(self, part: str) -> Iterator[str]:
        """The texts of a part in the order of `entries`. Raises DataError."""
        return self._texts(part, 0)

    def sample(self, count: int, part: str | None = None) -> list[Entry]:
        """The texts with the least hashes: drawn by nobody, and the same each time."""
        return heapq.nsmallest(count, self.entries(part), key=lambda entry: (entry.sha256, entry.number))

    def search(self, text: str, part: str | None = None) -> Iterator[Hit]:
        """The texts that hold a text, whatever its case and line breaks. Raises UsageError."""
        words = unicodedata.normalize("NFC", text).split()
        if not words:
            raise UsageError("--search is empty: give a text to look for")
        pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
        for own in [part] if part else PARTS:
            with self._read(f"{own} part"):
                for entry, whole in zip(self.entries(own), self.texts(own), strict=True):
                    places = [match.span() for match in pattern.finditer(whole)]
                    if places:
                        start, end = places[0]
                        before, after = whole[max(0, start - CONTEXT) : start], whole[end : end + CONTEXT]
                        yield Hit(entry, len(places), before, whole[start:end], after)

    def _rows(self) -> Iterator[dict[str, Any]]:
        with self._read("manifest.parquet"), pq.ParquetFile(self.folder / "manifest.parquet") as file:
            for group in range(file.num_row_groups):
                yield from file.read_row_group(group).to_pylist()

    def _texts(self, part: str, start: int) -> Iterator[str]:
        name = f"{part}.jsonl" if self.records else f"{part}.parquet"
        with self._read(name):
            if self.records:
                with (self.folder / name).open(encoding="utf-8") as lines:
                    for line in islice(lines, start, None):
                        yield shown(json.loads(line))
                return
            with pq.ParquetFile(self.folder / name) as file:
                for group in range(file.num_row_groups):
                    size = file.metadata.row_group(group).num_rows
                    if start < size:
                        yield from file.read_row_group(group, ["text"])["text"].to_pylist()[start:]
                    start = max(0, start - size)

    @contextmanager
    def _read(self, name: str) -> Iterator[None]:
        try:
            yield
        except (OSError, KeyError, StopIteration, ValueError, pa.ArrowException) as error:
            reason = str(error).partition("\n")[0]
            raise DataError(f"{self.folder / name} is damaged ({reason}): build the corpus again") from None


_SAME = ("source", "title", "author", "language", "licence", "words", "characters", "sha256")


def shown(record: Mapping[str, Any]) -> str:
    """A training record as a text for readers."""
    if "messages" in record:
        return "\n\n".join(f"{message['role']}: {message['content']}" for message in record["messages"])
    return f"{record['source']}\n{record['target']}"
