"""Plain text of any length, in parts that fit in memory."""

from collections.abc import Iterator
from typing import BinaryIO

from daneel.corpus.read.encoding import decode, decode_part, detect, gentle_cut, hard_cut, unit_of
from daneel.corpus.read.item import Dropped, Raw, UnusableError


def parts(
    head: bytes, stream: BinaryIO, source: str, stem: str, limit: int, about: dict[str, str]
) -> Iterator[Raw | Dropped]:
    """The text of a stream whose `head` is read: one, or several named `#1`, `#2` that together are the whole.

    Raises UnusableError where the first part is no text.
    """
    limit = _aligned(limit)
    block = head + stream.read(max(0, limit + 1 - len(head)))
    if len(block) <= limit:
        yield whole(block, source, stem, about)
        return
    encoding, number = detect(block[: min(limit, 1 << 20)]), 0
    while block:
        number += 1
        at = len(block)
        if at > limit:
            at = gentle_cut(block[:limit], encoding) or hard_cut(block[:limit], encoding)
        try:
            yield part(block[:at], source, stem, number, encoding, about)
        except UnusableError as error:
            yield Dropped(f"{source}#{number}", str(error))
        block = block[at:] + stream.read(max(0, limit + 1 - (len(block) - at)))


def whole(data: bytes, source: str, stem: str, about: dict[str, str]) -> Raw:
    """All of a text. Raises UnusableError."""
    text, encoding, note = decode(data)
    return Raw(text, source, stem, encoding, len(data), dict(about), note)


def part(data: bytes, source: str, stem: str, number: int, encoding: str, about: dict[str, str]) -> Raw:
    """One part of a text whose encoding is known. Raises UnusableError."""
    text, encoding, note = (decode if number == 1 else decode_part)(data, encoding)
    return Raw(text, f"{source}#{number}", stem, encoding, len(data), dict(about), note)


def ranges(file: BinaryIO, size: int, limit: int) -> tuple[str, Iterator[tuple[int, int]]]:
    """Encoding of a large file, and the byte ranges of its parts; little is read where the text has lines.

    Raises UnusableError where its beginning is no text.
    """
    limit = _aligned(limit)
    encoding = detect(file.read(min(limit, 1 << 20)))
    return encoding, _ranges(file, size, limit, encoding)


def _ranges(file: BinaryIO, size: int, limit: int, encoding: str) -> Iterator[tuple[int, int]]:
    start, window = 0, min(limit, 1 << 16)
    while size - start > limit:
        file.seek(start + limit - window)
        at = gentle_cut(file.read(window), encoding)
        if at:
            end = start + limit - window + at
        else:
            file.seek(start)
            end = start + hard_cut(file.read(limit), encoding)
        yield start, end
        start = end
    yield start, size


def split(text: str, limit: int) -> Iterator[str]:
    """A decoded text in pieces of at most `limit` characters, cut at lines where there are any."""
    start = 0
    while len(text) - start > limit:
        end = start + limit
        at = max(text.rfind("\n", end - min(limit, 1 << 16), end), text.rfind("\f", end - min(limit, 1 << 16), end))
        end = at + 1 if at > start else end
        yield text[start:end]
        start = end
    yield text[start:]


def _aligned(limit: int) -> int:
    # UTF-16 and UTF-32 are cut at whole units.
    return max(limit - limit % unit_of("utf-32"), 4)
