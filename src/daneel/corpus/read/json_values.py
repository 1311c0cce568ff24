"""JSON of any length, value by value: one array of records, one record, or one after another."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from daneel.corpus.read.encoding import detect
from daneel.corpus.read.item import Dropped, Raw
from daneel.corpus.read.rows import Rows

_BLOCK = 1 << 20
_SPACE = re.compile(r"[\s,]*")


class EndError(Exception):
    """The file cannot be read further; the message is the reason."""


def json_rows(stream: BinaryIO, head: bytes, rows: Rows) -> Iterator[Raw | Dropped]:
    """The records of a JSON file; memory holds one of them."""
    rows.encoding = detect(head)
    number = 0
    try:
        for number, (value, size) in enumerate(values(stream, rows.encoding, rows.settings.row_bytes), 1):
            if isinstance(value, dict):
                yield from rows.take(number, value, size)
            else:
                rows.bad("not a JSON object", number)
    except EndError as error:
        rows.bad(f"{error}: nothing from here on is read", number + 1)
    yield from rows.dropped()


def values(stream: BinaryIO, encoding: str, limit: int, block: int = _BLOCK) -> Iterator[tuple[Any, int]]:
    """Each value of the array that a file is, else each that stands in it, and its characters (at most `limit`).

    Read are `block` characters at a time. Raises EndError.
    """
    lines = io.TextIOWrapper(stream, encoding, "replace")
    try:
        buffer = lines.read(block).lstrip("\ufeff \t\r\n")
        array = buffer.startswith("[")
        at, ended = int(array), False
        while True:
            found = _SPACE.match(buffer, at)
            assert found is not None
            at = found.end()
            if at == len(buffer):
                if not (buffer := lines.read(block)):
                    if array:
                        raise EndError("the array is cut off")
                    return
                at = 0
                continue
            if array and buffer[at] == "]":
                return
            while (value := _value(buffer, at, ended)) is None:
                if len(buffer) - at > limit:
                    raise EndError(f"longer than {limit >> 20} MB")
                # As much again: a long value is not decoded too often.
                more = lines.read(max(block, len(buffer) - at))
                buffer, at, ended = buffer[at:] + more, 0, not more
            yield value[0], value[1] - at
            at = value[1]
    finally:
        lines.detach()


def _value(buffer: str, at: int, ended: bool) -> tuple[Any, int] | None:
    """A value and its end, None where the text may go on behind the buffer. Raises EndError."""
    try:
        value, end = json.JSONDecoder().raw_decode(buffer, at)
    except RecursionError:
        raise EndError("nested too deeply") from None
    except ValueError as error:
        if ended:
            raise EndError(f"not JSON ({getattr(error, 'msg', error)})") from None
        return None
    return (value, end) if end < len(buffer) or ended else None
