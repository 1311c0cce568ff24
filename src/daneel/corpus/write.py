"""Both parts of a corpus, and the table of all that was read, on their way to disk batch by batch."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from daneel.corpus import fields
from daneel.corpus.canaries import Canaries
from daneel.corpus.divide import PARTS, Division
from daneel.corpus.document import Document
from daneel.corpus.pipeline import Batch, Row
from daneel.corpus.recipe import Kind
from daneel.corpus.words import Words

SAMPLE = 5
_FIELDS = ("text", "source", "title", "author", "language", "licence", "sha256")
SCHEMA = pa.schema([(field, pa.string()) for field in _FIELDS])
_MANIFEST = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "title", "author", "language", "licence", "sha256", "split")),
        *((name, pa.int64()) for name in ("words", "characters", "bytes")),
        ("encoding", pa.string()),
        ("changes", pa.list_(pa.string())),
        *((name, pa.string()) for name in ("dropped_by", "reason")),
    ]
)


@dataclass
class Written:
    """What the parts hold."""

    counts: dict[str, dict[str, int]] = field(
        default_factory=lambda: {p: dict.fromkeys(("documents", "words", "characters", "bytes"), 0) for p in PARTS}
    )
    licences: Counter[str] = field(default_factory=Counter)
    authors: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    """Documents below each thing that was named."""
    sample: list[tuple[str, Document]] = field(default_factory=list)
    """The training documents with the least hashes, in their order: a few, drawn by nobody."""


def write_parts(
    folder: Path, kind: Kind, division: Division, batches: Sequence[Batch], secrets: Canaries | None
) -> Written:
    """`train` and `heldout` as Parquet, or as JSON Lines of records, and `manifest.parquet`."""
    out = Written()
    with ExitStack() as stack:
        writers: dict[str, _Records | _Documents] = {}
        for name in PARTS:
            writers[name] = _Documents(folder, name) if kind == "documents" else _Records(folder, name)
            stack.enter_context(writers[name])
        table = stack.enter_context(pq.ParquetWriter(folder / "manifest.parquet", _MANIFEST, compression="zstd"))
        number = 0
        for rows, sizes in division.rows():
            drawn = [(row.document.sha256, row.document) for part, row in rows if part == "train"]
            out.sample = sorted([*out.sample, *drawn], key=lambda pair: pair[0])[:SAMPLE]
            if secrets:
                rows, number = _planted(rows, secrets, number)
                sizes = Words([row.document.text for _, row in rows]).counts.tolist()
            table.write_table(pa.Table.from_pylist(_facts(rows, sizes, out), _MANIFEST))
            for part, writer in writers.items():
                if own := [row for of, row in rows if of == part]:
                    writer.write(own)
        for batch in batches:
            if batch.losses:
                lost = [
                    {"source": loss.source, "dropped_by": loss.step, "reason": loss.reason} for loss in batch.losses
                ]
                table.write_table(pa.Table.from_pylist(lost, _MANIFEST))
    return out


class _Documents:
    """A Parquet file, a row group a batch."""

    def __init__(self, folder: Path, part: str):
        self._file = pq.ParquetWriter(folder / f"{part}.parquet", SCHEMA, compression="zstd")

    def write(self, rows: Iterable[Row]) -> None:
        self._file.write_table(pa.Table.from_pylist([vars(row.document) for row in rows], SCHEMA))

    def __enter__(self) -> "_Documents":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _Records:
    """A file of training records, a line each."""

    def __init__(self, folder: Path, part: str):
        self._file = (folder / f"{part}.jsonl").open("w", encoding="utf-8")

    def write(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._file.write(json.dumps(_record(row), ensure_ascii=False) + "\n")

    def __enter__(self) -> "_Records":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _record(row: Row) -> dict[str, Any]:
    """A record as training reads it."""
    form, texts = json.loads(row.form), fields.part(row.document.text)
    if form["kind"] == "pair":
        return {"source": texts[0], "target": texts[1]}
    turns = zip(form["roles"], texts, strict=True)
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def _planted(rows: list[tuple[str, Row]], secrets: Canaries, number: int) -> tuple[list[tuple[str, Row]], int]:
    """The batch with its canaries, and the number of the next training document."""
    out = []
    for part, row in rows:
        if part == "train":
            row = replace(row, document=secrets.into(row.document, number, row.form))
            number += 1
        out.append((part, row))
    return out, number


def _facts(rows: list[tuple[str, Row]], sizes: list[int], out: Written) -> list[dict[str, Any]]:
    """A row of the table for each document of so many words; what they come to is added to `out`."""
    facts = []
    for (part, row), words in zip(rows, sizes, strict=True):
        document = row.document
        texts = fields.split(document.text)
        own = {
            "words": words,
            "characters": sum(map(len, texts)),
            "bytes": sum(len(text.encode()) for text in texts),
        }
        for key, value in {"documents": 1, **own}.items():
            out.counts[part][key] += value
        out.licences[document.licence] += 1
        out.sources[re.split(r"[/#]", document.source)[0]] += 1
        if document.author:
            out.authors[document.author] += 1
        facts.append({**vars(document), "split": part, **own, "encoding": row.encoding, "changes": row.changes})
    return facts
