"""One unit of work: its texts, or the reasons why there are none. Whatever a file holds, nothing is raised."""

import io
import os
import posixpath
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from daneel.corpus.read import rows, sandbox, tex, text
from daneel.corpus.read.archives import Member, tar_members, unpacked, zip_member, zip_members
from daneel.corpus.read.encoding import detect
from daneel.corpus.read.item import (
    CALLED,
    DOCUMENTS,
    HEAD,
    Dropped,
    Item,
    Parsed,
    Raw,
    UnusableError,
    kind_of,
    one_line,
    printable,
    telling,
)  # fmt: skip
from daneel.corpus.read.json_values import json_rows
from daneel.corpus.read.pairs import Pairs, tmx
from daneel.corpus.read.shape import shape
from daneel.corpus.read.sides import aligned
from daneel.corpus.read.sniff import settle, sniff, tabbed


def load(item: Item) -> Iterator[Raw | Dropped]:
    """The texts of one unit of work."""
    source = item.source if not item.part else f"{item.source}#{item.part}"
    yield from _guarded(source, _load(item))


def _guarded(source: str, texts: Iterator[Raw | Dropped]) -> Iterator[Raw | Dropped]:
    try:
        yield from telling(source, texts)
    except Exception as error:  # One bad file never stops a build, whatever its reader raises.
        yield Dropped(source, one_line(error))


def _load(item: Item) -> Iterator[Raw | Dropped]:
    if item.kind == "aligned":
        yield from _aligned(item)
    elif item.kind == "zip":
        yield from _members(item, zip_members(item))
    elif item.kind in ("tar", "gz", "bz2", "xz", "arxiv"):
        yield from _compressed(item)
    elif item.kind == "parquet" and (item.start or item.end is not None):
        yield from rows.parquet(item.path, _rows(item), item.start, item.end, item.first)
    else:
        with item.path.open("rb") as file:
            if item.part:
                file.seek(item.start)
                data = file.read((item.size if item.end is None else item.end) - item.start)
                yield text.part(data, item.source, item.stem, item.part, item.encoding, item.about)
            elif item.end is not None:
                table = replace(_rows(item), encoding=item.encoding)
                if item.makes == "pairs" and item.start:
                    # The first pair of a file says which language comes first in all of its parts.
                    next(rows.jsonl(file, replace(_rows(item), encoding=item.encoding, shape=table.shape)), None)
                file.seek(item.start)
                yield from rows.jsonl(file, table, item.first, item.end - item.start)
            else:
                yield from _stream(item, file, item.path)


def _aligned(item: Item) -> Iterator[Raw | Dropped]:
    if item.members:
        openers = [partial(zip_member, item, place) for place in item.members]
    else:
        openers = [partial(_opened, path) for path in (item.path, item.other) if path]
    # The files are the sides, whatever they are called.
    yield from aligned(openers, item.source.split(" | "), replace(_rows(item), shape=Pairs()))


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _stream(item: Item, stream: BinaryIO, path: Path | None) -> Iterator[Raw | Dropped]:
    """The texts of one file; `path` where it lies on the disk, so that its reader can seek."""
    head = stream.read(HEAD)
    if not head:
        raise UnusableError("empty")
    kind, note = settle(item.kind, head)
    limit = item.settings.document_bytes
    own = shape(item.makes, item.settings, item.order)
    if kind not in own.kinds:
        raise UnusableError(own.elsewhere)
    if kind == "text" and item.makes == "pairs":
        if not tabbed(head):
            raise UnusableError("lines without a tab: two files with a sentence a line make pairs, and so does a .tsv")
        kind = "csv"
    if kind == "text":
        found = text.parts(head, stream, item.source, item.stem, item.settings.part_bytes, item.about)
    elif kind in DOCUMENTS:
        found = _document(item, kind, path or _whole(head, stream, limit), path)
    elif kind == "parquet":
        found = rows.parquet(path or io.BytesIO(_whole(head, stream, limit)), _rows(item), 0, None, 1)
    else:
        joined = io.BufferedReader(_Joined(head, stream), 1 << 20)
        if kind == "csv":
            tabs = item.kind != "csv" or item.path.name.lower().endswith(".tsv")
            found = rows.table(joined, head, _rows(item), tabs)
        elif kind == "json":
            found = json_rows(joined, head, _rows(item))
        elif kind == "tmx":
            found = tmx(joined, _rows(item))
        else:
            found = rows.jsonl(joined, replace(_rows(item), encoding=detect(head)))
    for each in found:
        if note and isinstance(each, Raw):
            yield replace(each, note="; ".join(filter(None, (note, each.note))))
        else:
            yield each


def _rows(item: Item) -> rows.Rows:
    return rows.Rows(item.source, item.stem, item.settings, item.about, shape(item.makes, item.settings, item.order))


def _document(item: Item, kind: str, data: bytes | Path, path: Path | None) -> Iterator[Raw]:
    size = path.stat().st_size if path else len(data)  # type: ignore[arg-type]
    if size > item.settings.document_bytes:
        raise UnusableError(f"larger than {item.settings.document_bytes >> 20} MB")
    if kind == "tex" and path:
        real = Path(os.path.realpath(path))
        data = tex.flatten(real.name, partial(tex.beside, real.parent), item.settings.document_bytes)[0].encode()
    yield from _pieces(item, sandbox.parse(kind, data, item.settings), size)


def _pieces(item: Item, parsed: Parsed, size: int) -> Iterator[Raw]:
    about = item.about | parsed.about
    limit = item.settings.part_bytes
    for number, piece in enumerate(text.split(parsed.text, limit), 1):
        name = item.source if len(parsed.text) <= limit else f"{item.source}#{number}"
        yield Raw(piece, name, item.stem, parsed.encoding, size if number == 1 else 0, about, parsed.note)


def _compressed(item: Item) -> Iterator[Raw | Dropped]:
    with item.path.open("rb") as file:
        packing = sniff(file.read(HEAD))
        file.seek(0)
        if packing not in ("gz", "bz2", "xz", "tar"):
            if not packing and item.kind != "arxiv":
                raise UnusableError(f"not {CALLED[item.kind]}, or damaged")
            inner = "" if item.kind == "arxiv" else item.kind
            yield from _stream(replace(item, kind=inner), file, item.path)
            return
        stream = unpacked(item, file, packing)
        head = stream.peek(512)  # type: ignore[attr-defined]
        if sniff(head[:HEAD]) == "tar":
            only = ".tex" if item.kind == "arxiv" else ""
            yield from _members(item, _whole_tar(item, stream, only))
            return
        if item.kind == "tar":
            raise UnusableError(f"not {CALLED['tar']}, or damaged")
        kind, stem = kind_of(item.stem) if item.kind != "arxiv" else ("tex", item.stem)
        yield from _stream(replace(item, kind=kind, stem=stem, path=Path(item.stem)), stream, None)


def _whole_tar(item: Item, stream: BinaryIO, only: str) -> Iterator[Member | Dropped]:
    try:
        yield from tar_members(item, stream, only)
    except (UnusableError, tarfile.TarError, EOFError, zlib.error, OSError) as error:
        yield Dropped(item.source, one_line(error))


def _members(item: Item, members: Iterator[Member | Dropped]) -> Iterator[Raw | Dropped]:
    sources: dict[str, bytes] = {}
    for member in members:
        if isinstance(member, Dropped):
            yield member
            continue
        name = posixpath.normpath(member.name.replace("\\", "/"))
        kind, stem = kind_of(posixpath.basename(name))
        source = f"{item.source}/{printable(name)}"
        own = replace(item, source=source, kind=kind, stem=printable(stem), path=Path(name), members=())
        if kind == "tex":
            if sum(map(len, sources.values())) + member.size > item.settings.document_bytes:
                yield Dropped(own.source, f"more than {item.settings.document_bytes >> 20} MB of TeX in one archive")
            else:
                sources[name] = member.stream.read()
        else:
            yield from _guarded(own.source, _stream(own, member.stream, None))
    for name in tex.documents(sources):
        stem = kind_of(posixpath.basename(name))[1]
        own = replace(item, source=f"{item.source}/{printable(name)}", stem=printable(stem), members=())
        yield from _guarded(own.source, _source(own, name, sources))


def _source(item: Item, name: str, files: dict[str, bytes]) -> Iterator[Raw]:
    flat = tex.flatten(name, files.get, item.settings.document_bytes)[0].encode()
    yield from _pieces(item, sandbox.parse("tex", flat, item.settings), len(files[name]))


def _whole(head: bytes, stream: BinaryIO, limit: int) -> bytes:
    data = head + stream.read(limit + 1 - len(head))
    if len(data) > limit:
        raise UnusableError(f"larger than {limit >> 20} MB: unpack it first")
    return data


class _Joined(io.RawIOBase):
    """A stream with its beginning, which was read, before it."""

    def __init__(self, head: bytes, stream: Any):
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(data) :] if self._head else b""
        buffer[: len(data)] = data
        return len(data)
