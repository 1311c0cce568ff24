"""Rows of JSON Lines, CSV and Parquet; what is wrong with rows is told once a reason."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from daneel.corpus.read.encoding import decode, detect, unit_of, without_surrogates
from daneel.corpus.read.item import HEAD, Dropped, Raw, ReadSettings, UnusableError
from daneel.corpus.read.shape import FORM, Shape
from daneel.corpus.read.text import split

_ABOUT = ("title", "author", "language", "licence", "license")
_BATCH_BYTES = 16 << 20
_BATCH_ROWS = 1024


@dataclass
class Rows:
    """Makes texts of rows in the `shape` that is wanted, and keeps what was wrong with the others."""

    source: str
    stem: str
    settings: ReadSettings
    about: dict[str, str]
    shape: Shape
    encoding: str = "utf-8"
    _bad: dict[str, tuple[int, int]] = field(default_factory=dict)

    def take(self, number: int, row: Mapping[str, Any], size: int, note: str = "") -> Iterator[Raw]:
        """What one row becomes; a very long text comes in parts."""
        try:
            text, own = self.shape.text(row)
        except UnusableError as error:
            self.bad(str(error), number)
            return
        if not text.strip():
            self.bad("with an empty text", number)
            return
        # A record of several texts is not parted.
        limit = self.settings.part_bytes
        most = limit if FORM in own else self.settings.row_bytes
        if len(text) > most:
            self.bad(f"longer than {most >> 20} MB", number)
            return
        said = {key: row[key] for key in _ABOUT if isinstance(row.get(key), str) and row[key]}
        if stated := said.pop("license", ""):
            said.setdefault("licence", stated)
        about = {key: without_surrogates(value) for key, value in (self.about | said | own).items()}
        name = f"{self.source}#{number}"
        for place, piece in enumerate(split(without_surrogates(text), limit), 1):
            part = name if len(text) <= limit else f"{name}.{place}"
            yield Raw(piece, part, self.stem, self.encoding, size if place == 1 else 0, about, note)

    def bad(self, reason: str, number: int) -> None:
        """Note a row that holds no text."""
        count, first = self._bad.get(reason, (0, number))
        self._bad[reason] = count + 1, first

    def dropped(self) -> Iterator[Dropped]:
        """One entry a reason: a file of conversations would fill the manifest."""
        for reason, (count, first) in self._bad.items():
            rows = f"row {first}" if count == 1 else f"{count:,} rows, the first is row {first}"
            yield Dropped(self.source, f"{rows}, {reason}", count, reason)


def jsonl(stream: BinaryIO, rows: Rows, first: int = 1, length: int | None = None) -> Iterator[Raw | Dropped]:
    """The rows of `length` bytes of a stream, or of all; `first` is the number of the first line."""
    limit = rows.settings.row_bytes
    readline, encoding = line_reader(stream, rows.encoding)
    number, done = first - 1, 0
    while (length is None or done < length) and (line := readline(limit + 1)):
        number += 1
        done += len(line)
        if len(line) > limit:
            rows.bad(f"longer than {limit >> 20} MB", number)
            while not line.endswith(b"\n") and (line := readline(1 << 20)):
                done += len(line)
            continue
        if line.isspace():
            continue
        row, note = _parsed(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line, encoding)
        if row is None:
            rows.bad("not JSON", number)
        elif not isinstance(row, dict):
            rows.bad("not a JSON object", number)
        else:
            yield from rows.take(number, row, len(line), note)
    yield from rows.dropped()


def line_ranges(file: BinaryIO, limit: int) -> Iterator[tuple[int, int, int]]:
    """First byte, the byte behind the last, and the number of the first line of parts of about `limit` bytes."""
    start, at, first, line = 0, 0, 1, 1
    while block := file.read(1 << 20):
        counted = 0
        while (newline := block.find(b"\n", max(counted, start + limit - 1 - at))) >= 0:
            line += block.count(b"\n", counted, newline + 1)
            counted = newline + 1
            yield start, at + counted, first
            start, first = at + counted, line
        line += block.count(b"\n", counted)
        at += len(block)
    if at > start:
        yield start, at, first


def table(stream: BinaryIO, head: bytes, rows: Rows, tabs: bool) -> Iterator[Raw | Dropped]:
    """The rows of CSV (RFC 4180), or of tab-separated values, whose quotes are signs like any other."""
    rows.encoding = detect(head)
    lines = io.TextIOWrapper(stream, rows.encoding, "replace", newline="")
    limit = rows.settings.row_bytes
    # The limit is the process's own; a row of ours may be longer than its default of 128 KB.
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    opening = lines.readline(HEAD).removeprefix("\ufeff")
    records = _bounded(opening, lines, limit)
    plain = csv.reader(records, delimiter="\t", quoting=csv.QUOTE_NONE)
    reader = plain if tabs else csv.reader(records, delimiter=_delimiter(opening, rows.shape))
    number = 0
    try:
        first = next(reader, [])
        every = tabs and all(map(_quoted, first))
        columns, named = rows.shape.header([_unquoted(name, every) for name in first] if tabs else first)
        last = max(map(columns.index, rows.shape.columns(columns)))
        number = int(named)
        for fields in reader if named else chain([first], reader):
            number += 1
            if len(fields) <= last:
                if fields:
                    rows.bad("with fewer fields than the header" if named else "with one field", number)
                continue
            if tabs:
                fields = [_unquoted(value, every) for value in fields]
            size = sum(len(value.encode("utf-8", "replace")) for value in fields[: last + 1])
            yield from rows.take(number, dict(zip(columns, fields, strict=False)), size)
    except csv.Error as error:
        rows.bad(f"not CSV ({error}): the rest of the file is not read", number + 1)
    finally:
        lines.detach()
    yield from rows.dropped()


def parquet_groups(path: Path) -> list[tuple[int, int, int]]:
    """Of each row group: its rows, its bytes unpacked, and the number of its first row from 1."""
    metadata = _parquet(path).metadata
    groups, first = [], 1
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        groups.append((group.num_rows, group.total_byte_size, first))
        first += group.num_rows
    return groups


def parquet(file: Path | BinaryIO, rows: Rows, start: int, end: int | None, first: int) -> Iterator[Raw | Dropped]:
    """The rows of some row groups of a Parquet file, in batches of bounded size."""
    import pyarrow as pa

    opened = _parquet(file)
    schema = opened.schema_arrow
    wanted = rows.shape.columns(schema.names)
    for column in wanted:
        kind = schema.field(column).type
        if not (_is_text(kind) or pa.types.is_nested(kind)):
            raise UnusableError(f'column "{column}" holds {kind}, not text: name another as the text column')
    wanted += [name for name in _ABOUT if name in schema.names and _is_text(schema.field(name).type)]
    number = first - 1
    for group in range(start, opened.metadata.num_row_groups if end is None else end):
        about = opened.metadata.row_group(group)
        each = max(1, about.total_byte_size // max(1, about.num_rows))
        size = max(1, min(_BATCH_ROWS, _BATCH_BYTES // each))
        for batch in opened.iter_batches(size, row_groups=[group], columns=wanted, use_threads=False):
            columns = {name: batch.column(name) for name in wanted}
            for place in range(batch.num_rows):
                number += 1
                row = {name: values[place].as_py() for name, values in columns.items()}
                yield from rows.take(number, row, _bytes(row))
    yield from rows.dropped()


def _parquet(file: Path | BinaryIO) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetFile(file, memory_map=False, pre_buffer=False, buffer_size=1 << 20)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _bytes(value: Any) -> int:
    """Bytes of all text in a value."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_bytes, inner))


def line_reader(stream: BinaryIO, encoding: str) -> tuple[Callable[[int], bytes], str]:
    """Reads a line of at most so many bytes, and the encoding in which it comes: UTF-16 lines come as UTF-8."""
    if unit_of(encoding) == 1:
        return stream.readline, encoding
    lines = io.TextIOWrapper(stream, encoding, "replace", newline="\n")
    return lambda size: lines.readline(size).lstrip("\ufeff").encode("utf-8", "replace"), "utf-8"


def _parsed(line: bytes, encoding: str) -> tuple[Any, str]:
    """The value of a line, None where it is not JSON, and what had to be replaced."""
    try:
        return json.loads(line.decode(encoding)), ""
    except UnicodeDecodeError:
        pass
    except (ValueError, RecursionError):
        return None, ""
    try:
        text, _, note = decode(line, encoding)
        return json.loads(text), note
    except (UnusableError, ValueError, RecursionError):
        return None, ""


def _delimiter(opening: str, shape: Shape) -> str:
    """The sign between fields: where it parts the first line into columns that are known, or the most frequent."""
    candidates = ",;\t|"
    for sign in candidates:
        try:
            if shape.header(fields := next(csv.reader([opening], delimiter=sign), []))[1] and fields:
                return sign
        except UnusableError:
            continue
    return max(candidates, key=opening.count)


def _bounded(header: str, lines: io.TextIOWrapper, limit: int) -> Iterator[str]:
    yield header
    while line := lines.readline(limit + 1):
        if len(line) > limit:
            raise csv.Error(f"a line longer than {limit >> 20} MB")
        yield line


def _quoted(value: str) -> bool:
    return len(value) > 1 and value.startswith('"') and value.endswith('"')


def _unquoted(value: str, every: bool) -> str:
    """A field without the quotes of the one who wrote the table: around every field, or where quotes are doubled."""
    inner = value[1:-1]
    if not _quoted(value) or '"' in inner.replace('""', "") or not (every or '""' in inner):
        return value
    return inner.replace('""', '"')
