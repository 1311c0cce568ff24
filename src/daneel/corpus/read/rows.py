"""Rows of JSON Lines, CSV and Parquet as texts; what is wrong with rows is told once a reason."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from daneel.corpus.read.encoding import decode, detect, unit_of, without_surrogates
from daneel.corpus.read.item import HEAD, Dropped, Raw, ReadSettings, UnusableError
from daneel.corpus.read.text import split

_ABOUT = ("title", "author", "language", "licence", "license")
_BATCH_BYTES = 16 << 20
_BATCH_ROWS = 1024


@dataclass
class Rows:
    """Makes texts of rows, and keeps what was wrong with the others."""

    source: str
    stem: str
    settings: ReadSettings
    about: dict[str, str]
    encoding: str = "utf-8"
    _bad: dict[str, tuple[int, int]] = field(default_factory=dict)

    def text(self, number: int, text: str, row: Mapping[str, Any], size: int, note: str = "") -> Iterator[Raw]:
        """The text of one row, in parts where it is very long."""
        if not text.strip():
            self.bad("with an empty text", number)
            return
        about = self.about | {key: row[key] for key in _ABOUT if isinstance(row.get(key), str) and row[key]}
        if "license" in about:
            about.setdefault("licence", about.pop("license"))
            about.pop("license", None)
        about = {key: without_surrogates(value) for key, value in about.items()}
        name, limit = f"{self.source}#{number}", self.settings.part_bytes
        for place, piece in enumerate(split(without_surrogates(text), limit), 1):
            own = name if len(text) <= limit else f"{name}.{place}"
            yield Raw(piece, own, self.stem, self.encoding, size if place == 1 else 0, about, note)

    def bad(self, reason: str, number: int) -> None:
        """Note a row that holds no text."""
        count, first = self._bad.get(reason, (0, number))
        self._bad[reason] = count + 1, first

    def dropped(self) -> Iterator[Dropped]:
        """One entry a reason: a file of conversations would fill the manifest."""
        for reason, (count, first) in self._bad.items():
            rows = f"row {first}" if count == 1 else f"{count:,} rows, the first is row {first}"
            yield Dropped(self.source, f"{rows}, {reason}")


def jsonl(stream: BinaryIO, rows: Rows, first: int = 1, length: int | None = None) -> Iterator[Raw | Dropped]:
    """The rows of `length` bytes of a stream, or of all; `first` is the number of the first line."""
    limit, column = rows.settings.row_bytes, rows.settings.text_column
    readline, number, done = _reader(stream, rows.encoding), first - 1, 0
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
        row, note = _parsed(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line, rows.encoding)
        if row is None:
            rows.bad("not JSON", number)
        elif not isinstance(row, dict):
            rows.bad("not a JSON object", number)
        elif not isinstance(text := row.get(column), str):
            rows.bad(_missing(column, row), number)
        else:
            yield from rows.text(number, text, row, len(line), note)
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
    """The rows of CSV with a header (RFC 4180), or of tab-separated values, whose quotes are signs like any other."""
    rows.encoding = detect(head)
    lines = io.TextIOWrapper(stream, rows.encoding, "replace", newline="")
    limit, column = rows.settings.row_bytes, rows.settings.text_column
    # The limit is the process's own; a row of ours may be longer than its default of 128 KB.
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    header = lines.readline(HEAD).removeprefix("\ufeff")
    records = _bounded(header, lines, limit)
    plain = csv.reader(records, delimiter="\t", quoting=csv.QUOTE_NONE)
    reader = plain if tabs else csv.reader(records, delimiter=_delimiter(header, column))
    number = 1
    try:
        columns = next(reader, [])
        if column not in columns:
            raise UnusableError(_missing(column, dict.fromkeys(columns)))
        place = columns.index(column)
        for fields in reader:
            number += 1
            if len(fields) <= place:
                if fields:
                    rows.bad("with fewer fields than the header", number)
                continue
            text = _unquoted(fields[place]) if tabs else fields[place]
            row = dict(zip(columns, fields, strict=False))
            yield from rows.text(number, text, row, len(text.encode("utf-8", "replace")))
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

    opened, column = _parquet(file), rows.settings.text_column
    schema = opened.schema_arrow
    if column not in schema.names:
        raise UnusableError(_missing(column, dict.fromkeys(schema.names)))
    kind = schema.field(column).type
    if not _is_text(kind):
        raise UnusableError(f'column "{column}" holds {kind}, not text: name another as the text column')
    wanted = [column, *(name for name in _ABOUT if name in schema.names and _is_text(schema.field(name).type))]
    number = first - 1
    for group in range(start, opened.metadata.num_row_groups if end is None else end):
        about = opened.metadata.row_group(group)
        each = max(1, about.total_byte_size // max(1, about.num_rows))
        size = max(1, min(_BATCH_ROWS, _BATCH_BYTES // each))
        for batch in opened.iter_batches(size, row_groups=[group], columns=wanted, use_threads=False):
            columns = {name: batch.column(name).cast(pa.large_string()) for name in wanted}
            for place in range(batch.num_rows):
                number += 1
                row = {name: values[place].as_py() for name, values in columns.items()}
                text = row[column]
                if text is None:
                    rows.bad("with an empty text", number)
                elif len(text) > rows.settings.row_bytes:
                    rows.bad(f"longer than {rows.settings.row_bytes >> 20} MB", number)
                else:
                    yield from rows.text(number, text, row, len(text.encode("utf-8", "replace")))
    yield from rows.dropped()


def _parquet(file: Path | BinaryIO) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetFile(file, memory_map=False, pre_buffer=False, buffer_size=1 << 20)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _missing(column: str, row: Mapping[str, Any]) -> str:
    names = ", ".join(str(name)[:40] for name in list(row)[:20]) or "none"
    if "messages" in row or "conversations" in row or "prompt" in row:
        return f'without "{column}": conversations go to `daneel train` as they are'
    return f'no "{column}" that is text: name the text column, one of: {names}'


def _reader(stream: BinaryIO, encoding: str) -> Callable[[int], bytes]:
    if unit_of(encoding) == 1:
        return stream.readline
    lines = io.TextIOWrapper(stream, encoding, "replace", newline="\n")
    return lambda size: lines.readline(size).lstrip("\ufeff").encode("utf-8", "replace")


def _parsed(line: bytes, encoding: str) -> tuple[Any, str]:
    """The value of a line, None where it is not JSON, and what had to be replaced."""
    try:
        if encoding == "utf-8" or unit_of(encoding) > 1:
            return json.loads(line.decode("utf-8")), ""
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


def _delimiter(header: str, column: str) -> str:
    candidates = ",;\t|"
    holding = [sign for sign in candidates if column in next(csv.reader([header], delimiter=sign), [])]
    return holding[0] if holding else max(candidates, key=header.count)


def _bounded(header: str, lines: io.TextIOWrapper, limit: int) -> Iterator[str]:
    yield header
    while line := lines.readline(limit + 1):
        if len(line) > limit:
            raise csv.Error(f"a line longer than {limit >> 20} MB")
        yield line


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value.startswith('"') and value.endswith('"')
    return value[1:-1].replace('""', '"') if quoted else value
