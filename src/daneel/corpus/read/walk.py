"""From what the user named to units of work, in an order that depends on names alone."""

import glob
import json
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from daneel.corpus.read import hub, remote, rows, tex, text
from daneel.corpus.read.archives import ABOUT, ABOUT_REASON, zip_items
from daneel.corpus.read.encoding import detect, unit_of
from daneel.corpus.read.item import (
    DEFAULTS,
    HEAD,
    Dropped,
    Item,
    Makes,
    ReadSettings,
    UnusableError,
    kind_of,
    one_line,
    printable,
    telling,
    unread,
)  # fmt: skip
from daneel.corpus.read.shape import shape
from daneel.corpus.read.sides import is_side, match
from daneel.corpus.read.sniff import guess, sniff, tabbed
from daneel.errors import DataError, UsageError

_TEX_BYTES = 64 << 20
_READS = ".txt, .md, .html, .epub, .pdf, .docx, .tex, .jsonl, .json, .csv, .parquet, zip or tar"
_SIDE = "side"
"""Kind of a file that is called after a language."""


@dataclass(frozen=True)
class _Found:
    path: Path
    source: str
    named: bool
    """The user named this very file, so it is read whatever its name."""
    kind: str = ""
    about: dict[str, str] = field(default_factory=dict)
    other: Path | None = None
    """The file whose lines are the translations of this one's."""


def plan(
    paths: Sequence[str | Path],
    settings: ReadSettings = DEFAULTS,
    scratch: Path | None = None,
    makes: Makes = "documents",
    order: tuple[str, ...] = (),
) -> Iterator[Item | Dropped]:
    """Units of work for files, folders, globs, archives, `-`, `hf:owner/name` and `arxiv:ID`.

    `scratch` is a folder for what is piped in or fetched, kept until the items are loaded; `order` are the languages of
    source and target of pairs. Raises DataError and UsageError for what was named and is not there.
    """
    shape(makes, settings, order)  # What is wrong with the settings is told before anything is read.
    found = _once(paths, settings, scratch)
    for each in _joined(list(found), order or settings.text_column.split(",")) if makes == "pairs" else found:
        if isinstance(each, Dropped):
            yield each
            continue
        try:
            yield from telling(each.source, _items(each, settings, makes, order))
        except Exception as error:  # A damaged archive or Parquet file stops nothing.
            yield Dropped(each.source, one_line(error))


def _once(paths: Sequence[str | Path], settings: ReadSettings, scratch: Path | None) -> Iterator[_Found | Dropped]:
    seen: set[str] = set()
    labels: set[str] = set()
    for path in paths:
        for found in _named(path, labels, settings, scratch):
            if isinstance(found, Dropped):
                yield found
            elif (real := os.path.realpath(found.path)) in seen:
                yield Dropped(found.source, "given twice")
            else:
                seen.add(real)
                yield found


def _joined(found: list[_Found | Dropped], languages: Sequence[str]) -> Iterator[_Found | Dropped]:
    """Files with a sentence a line beside those with the translations."""
    plain = [each for each in found if isinstance(each, _Found) and _is_plain(each)]
    pairs = match([each.source for each in plain], languages)
    if not pairs and len(plain) == 2:
        pairs = [(0, 1)]
    others = {plain[one].source: plain[two] for one, two in pairs}
    gone = {other.source for other in others.values()}
    for each in found:
        if isinstance(each, _Found) and (other := others.get(each.source)):
            yield replace(each, source=f"{each.source} | {Path(other.source).name}", kind="aligned", other=other.path)
        elif each.source not in gone:
            yield each


def _is_plain(found: _Found) -> bool:
    """Whether a file is text without columns."""
    try:
        if kind_of(found.path.name)[0] not in ("", "text") or found.kind == "arxiv" or not found.path.is_file():
            return False
        with found.path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return False  # It is told when the file is loaded.
    return guess(head) == "text" and not tabbed(head)


def is_corpus(folder: Path) -> bool:
    """Whether a folder was written by `build`."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("format") == "daneel-corpus"


def _named(
    given: str | Path, labels: set[str], settings: ReadSettings, scratch: Path | None
) -> Iterator[_Found | Dropped]:
    name = str(given)
    if name == "-" or remote.is_remote(name):
        yield from _fetched(name, settings, scratch)
        return
    path = Path(given)
    if os.path.lexists(path):
        label = _label(path, labels)
        labels.add(label)
        yield from _files(path, label) if path.is_dir() else [_Found(path, label, True)]
    elif glob.has_magic(name):
        yield from _matching(name, labels)
    else:
        raise DataError(f"{path} does not exist: give a file or a folder of {_READS}")


def _fetched(name: str, settings: ReadSettings, scratch: Path | None) -> Iterator[_Found | Dropped]:
    if name.startswith("hf:"):
        data = hub.fetch(name)
        for place in data.files:
            yield _Found(data.folder / place, f"{data.repo}/{printable(place)}", False, about=data.about)
        for suffix, count in sorted(data.left_out.items()):
            kind = f"{suffix} files" if suffix else "files without a suffix"
            yield Dropped(data.repo, f"{kind} are not read: {count:,} of them")
        return
    if scratch is None:
        raise UsageError(f"{name} needs a folder to keep what comes in: give one as scratch")
    if name == "-":
        yield _Found(remote.spool(sys.stdin.buffer, scratch), "stdin", True)
    else:
        path = remote.arxiv_file(name, scratch, settings)
        yield _Found(path, name, True, "arxiv")


def _matching(pattern: str, labels: set[str]) -> Iterator[_Found | Dropped]:
    """What a glob names, called by its place below the last folder that has no wildcard."""
    fixed = Path(*_fixed(Path(pattern).parts))
    found = sorted(Path(each) for each in glob.glob(pattern, recursive=True))
    if not found:
        raise DataError(f"{pattern} matches nothing: give a file or a folder of {_READS}")
    label = _label(fixed, labels)
    labels.add(label)
    whole = {path for path in found if path.is_dir()}
    for path in found:
        source = (Path(label) / path.relative_to(fixed)).as_posix()
        if whole.intersection(path.parents):
            continue
        yield from _files(path, source) if path in whole else [_Found(path, printable(source), True)]


def _fixed(parts: tuple[str, ...]) -> Iterator[str]:
    for part in parts:
        if glob.has_magic(part):
            return
        yield part


def _label(path: Path, taken: set[str]) -> str:
    """A name for what was asked for, that nothing else given has."""
    name = printable(path.name or path.resolve().name)
    label = name if name not in taken else f"{printable(path.resolve().parent.name)}/{name}"
    number = 1
    while label in taken:
        number += 1
        label = f"{name} ({number})"
    return label


def _files(path: Path, label: str) -> Iterator[_Found | Dropped]:
    """Files below a folder, with names relative to what was asked for: a corpus tells nothing of this machine."""
    top = _real(path)
    below: list[_Found | Dropped] = []

    def name(entry: Path) -> str:
        return printable((Path(label) / entry.relative_to(top)).as_posix())

    def unreadable(error: OSError) -> None:
        below.append(Dropped(name(Path(error.filename)), one_line(error)))

    visited = {str(top)}
    for folder, folders, files in os.walk(top, onerror=unreadable, followlinks=True):
        for entry in (Path(folder) / each for each in sorted(folders)):
            if (reason := _outside(entry, top) or _leave_out(entry)) or os.path.realpath(entry) in visited:
                folders.remove(entry.name)
                below.append(Dropped(name(entry), reason or "a link to a folder already read"))
            visited.add(os.path.realpath(entry))
        for entry in (Path(folder) / each for each in files):
            reason = _outside(entry, top)
            below.append(Dropped(name(entry), reason) if reason else _file(entry, name(entry)))
    parts = _parts([found for found in below if isinstance(found, _Found) and found.kind == "tex"])
    for found in sorted(below, key=lambda each: each.source):
        part = isinstance(found, _Found) and found.kind == "tex" and _real(found.path) in parts
        yield Dropped(found.source, "a part of another .tex file, read with it") if part else found


def _real(path: Path) -> Path:
    # Path.resolve raises where links go in a circle.
    return Path(os.path.realpath(path))


def _file(path: Path, source: str) -> _Found | Dropped:
    if path.name.startswith("."):
        return Dropped(source, "a hidden file")
    if path.stem.lower() in ABOUT:
        return Dropped(source, ABOUT_REASON)
    kind = kind_of(path.name)[0] or ("arxiv" if remote.is_arxiv_source(path.name) else "")
    kind = kind or (_SIDE if is_side(path.name) else "")
    return _Found(path, source, False, kind) if kind else Dropped(source, unread(path.name))


def _outside(entry: Path, top: Path) -> str:
    """A folder that came from elsewhere may hold links to what is not meant to be read."""
    outside = entry.is_symlink() and not _real(entry).is_relative_to(top)
    return "a link that leads out of the folder: name what it leads to" if outside else ""


def _leave_out(folder: Path) -> str:
    if folder.name.startswith("."):
        return "a hidden folder"
    return "a corpus built by daneel" if is_corpus(folder) else ""


def _parts(sources: list[_Found]) -> set[Path]:
    """The LaTeX files that another one includes."""
    parts: set[Path] = set()
    for found in sources:
        real = _real(found.path)
        try:
            get = partial(tex.beside, real.parent)
            if tex.is_main(get(real.name) or b""):
                parts |= {real.parent / each for each in tex.flatten(real.name, get, _TEX_BYTES)[1]}
        except (UnusableError, OSError):
            continue  # It is told when the file is loaded.
    return parts


def _items(found: _Found, settings: ReadSettings, makes: Makes, order: tuple[str, ...]) -> Iterator[Item | Dropped]:
    """The units of one file; it is opened here only where it may be more than one."""
    status = found.path.stat() if found.path.exists() else None
    if status is None or not stat.S_ISREG(status.st_mode):
        raise UnusableError("not a regular file")
    size, (kind, stem) = status.st_size, kind_of(found.path.name)
    kind = found.kind or kind
    if kind == _SIDE:
        raise UnusableError("has no second file with the translations" if makes == "pairs" else unread(found.path.name))
    if kind in ("", "tar", "gz") and remote.is_arxiv_source(found.path.name):
        kind = "arxiv"
    stem = found.source if remote.is_remote(found.source) else printable(stem)
    about = {"licence": settings.licence} if settings.licence else {}
    item = Item(
        found.source, size, found.path, kind, stem, settings, about=about | found.about, makes=makes, order=order
    )
    if found.other:
        yield replace(item, size=size + found.other.stat().st_size, other=found.other)
        return
    if kind in ("", "zip", "parquet") or (kind in ("text", "jsonl") and size > settings.part_bytes):
        with found.path.open("rb") as file:
            head = file.read(HEAD)
            file.seek(0)
            seen = sniff(head)
            if not kind or (kind == "zip" and seen):
                item = replace(item, kind=guess(head))
            if seen in ("", item.kind):
                yield from _divided(item, head, file)
                return
    yield item


def _divided(item: Item, head: bytes, file: BinaryIO) -> Iterator[Item | Dropped]:
    """A file in units of about `part_bytes`."""
    limit = item.settings.part_bytes
    large = item.size > limit
    if item.kind == "zip":
        yield from zip_items(item)
    elif item.kind == "parquet":
        for start, end, size, first in _grouped(rows.parquet_groups(item.path), limit):
            yield replace(item, size=size, start=start, end=end, first=first)
    elif item.kind == "text" and large and item.makes == "documents":
        encoding, places = text.ranges(file, item.size, limit)
        for number, (start, end) in enumerate(places, 1):
            yield replace(item, size=end - start, start=start, end=end, part=number, encoding=encoding)
    elif item.kind == "jsonl" and large and unit_of(encoding := detect(head)) == 1:
        for start, end, first in rows.line_ranges(file, limit):
            yield replace(item, size=end - start, start=start, end=end, first=first, encoding=encoding)
    else:
        yield item


def _grouped(groups: list[tuple[int, int, int]], limit: int) -> Iterator[tuple[int, int, int, int]]:
    """Row groups put together: first, behind the last, bytes, number of the first row."""
    start = 0
    while start < len(groups):
        end, size = start + 1, groups[start][1]
        while end < len(groups) and size + groups[end][1] <= limit:
            size += groups[end][1]
            end += 1
        yield start, end, size, groups[start][2]
        start = end
