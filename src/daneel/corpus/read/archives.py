"""Zip and tar archives and compressed files: each member as a stream; nothing is written to the disk.

A name that leads out of the archive, a link, a device, an archive in an archive and what unpacks without end are
refused with the reason.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from daneel.corpus.read.item import (
    ARCHIVES,
    Dropped,
    Item,
    ReadSettings,
    UnusableError,
    kind_of,
    one_line,
    printable,
    unread,
)  # fmt: skip
from daneel.corpus.read.sides import is_side, match

ABOUT = frozenset({"readme", "license", "licence", "copying", "changelog"})
"""Files that tell about a folder, by their stems."""
ABOUT_REASON = "tells about the folder: name the file itself to read it"
# Less than this is no bomb, however well it was packed.
_FLOOR = 1 << 20
_BOMB = "a bomb: it unpacks to far more than text does"
_MEMBERS = 512
_BLOCK = 1 << 20
_OPEN: dict[str, Any] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}


@dataclass(frozen=True)
class Member:
    """One readable file of an archive."""

    name: str
    stream: BinaryIO
    size: int


def zip_items(item: Item) -> Iterator[Item | Dropped]:
    """The units of work of a zip archive: neighbouring members until they are worth a process's while."""
    skipped = _Skipped(item.source)
    group: list[int] = []
    sources: list[int] = []
    size = total = 0
    with zipfile.ZipFile(item.path) as archive:
        names = [_zip_name(info) for info in archive.infolist()]
        pairs = _pairs(names, item)
        sides = dict.fromkeys((place for pair in pairs for place in pair), False)
        for place, info in enumerate(archive.infolist()):
            name = names[place]
            if info.is_dir():
                continue
            reason = "" if place in sides else _refusal(name)
            reason = reason or ("encrypted" if info.flag_bits & 1 else "")
            mode = info.external_attr >> 16
            if not reason and mode & 0o170000 not in (0, 0o100000):
                reason = "not a regular file"
            if not reason and info.file_size > max(_FLOOR, item.settings.archive_ratio * info.compress_size):
                reason = _BOMB
            total += 0 if reason else info.file_size
            if total > item.settings.archive_bytes:
                yield Dropped(item.source, f"unpacks to more than {item.settings.archive_bytes >> 30} GB: {_REST}")
                break
            if reason:
                yield from skipped.note(name, reason)
            elif place in sides:
                sides[place] = True
            elif kind_of(name)[0] == "tex":
                sources.append(place)
            else:
                if group and (size + info.file_size > item.settings.part_bytes or len(group) == _MEMBERS):
                    yield replace(item, size=size, members=tuple(group))
                    group, size = [], 0
                group.append(place)
                size += info.file_size
    if group:
        yield replace(item, size=size, members=tuple(group))
    if sources:  # One document may lie in many of them.
        yield replace(item, size=sum(archive.infolist()[n].file_size for n in sources), members=tuple(sources))
    for pair in pairs:
        told = " | ".join(printable(names[place]) for place in pair)
        if all(sides[place] for place in pair):
            own = sum(archive.infolist()[place].file_size for place in pair)
            yield replace(item, source=f"{item.source}/{told}", kind="aligned", size=own, members=pair)
        else:
            yield Dropped(f"{item.source}/{told}", "one of the two cannot be read")
    yield from skipped.counted()


def _pairs(names: list[str], item: Item) -> list[tuple[int, int]]:
    """Places of members whose lines are translations of each other, where such are wanted."""
    if item.makes != "pairs":
        return []
    places = [n for n, name in enumerate(names) if kind_of(name)[0] == "text" or is_side(name)]
    # By name, as in a folder: the order in an archive says nothing.
    places = sorted((n for n in places if _refusal(names[n]) in ("", unread(names[n]))), key=names.__getitem__)
    found = match([names[n] for n in places], item.order or item.settings.text_column.split(","))
    return [(places[one], places[two]) for one, two in found]


_REST = "the rest of the archive is not read"


def zip_members(item: Item) -> Iterator[Member | Dropped]:
    """The members of one unit of work."""
    with zipfile.ZipFile(item.path) as archive:
        infos = archive.infolist()
        for place in item.members:
            info = infos[place]
            name = _zip_name(info)
            try:
                with _member(archive, info, item) as stream:
                    yield Member(name, stream, info.file_size)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
                yield Dropped(f"{item.source}/{printable(name)}", one_line(error))


def zip_member(item: Item, place: int) -> BinaryIO:
    """One member as a stream of its own."""
    archive = zipfile.ZipFile(item.path)
    return _member(archive, archive.infolist()[place], item)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, item: Item) -> BinaryIO:
    bounded = _Bounded(archive.open(info), item.settings, partial(getattr, info, "compress_size"))
    return io.BufferedReader(bounded, _BLOCK)


def unpacked(item: Item, file: BinaryIO, kind: str) -> BinaryIO:
    """The stream inside a compressed file, within the limits."""
    stream = _OPEN[kind](file) if kind in _OPEN else file
    return io.BufferedReader(_Bounded(stream, item.settings, file.tell), _BLOCK)


def tar_members(item: Item, stream: BinaryIO, only: str = "") -> Iterator[Member | Dropped]:
    """The members of a tar archive in their order; `only` is the one suffix that is wanted."""
    skipped = _Skipped(item.source)
    total = 0
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_TarInfo, bufsize=_BLOCK) as archive:
        for info in archive:
            if info.isdir():
                continue
            name = info.name
            if info.issym() or info.islnk():
                reason = "a link"
            elif not info.isreg() or info.issparse():
                reason = "not a regular file"
            else:
                reason = _refusal(name)
            total += 0 if reason else info.size
            if total > item.settings.archive_bytes:
                yield Dropped(item.source, f"unpacks to more than {item.settings.archive_bytes >> 30} GB: {_REST}")
                return
            if only and not name.lower().endswith(only):
                reason = reason or unread(name)
            if reason:
                yield from skipped.note(name, reason)
                continue
            inside: Any = archive.extractfile(info)
            assert inside is not None
            yield Member(name, io.BufferedReader(inside, _BLOCK), info.size)
    yield from skipped.counted()


def _refusal(name: str) -> str:
    """Why a member is not read, empty where it is."""
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
        return "a name that leads out of the archive"
    if any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
        return "a hidden file"
    if path.stem.lower() in ABOUT:
        return ABOUT_REASON
    kind = kind_of(path.name)[0]
    if kind in ARCHIVES:
        return "an archive in an archive: unpack it first"
    return "" if kind else unread(path.name)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name; one without the UTF-8 flag that is no ASCII was mostly written on a Chinese machine."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return info.filename.encode("cp437").decode(encoding)
        except UnicodeError:
            continue
    return info.filename


@dataclass
class _Skipped:
    """Members left alone: those that are nothing to read are counted by suffix, the others told one by one."""

    source: str
    count: dict[str, list[str]] = field(default_factory=dict)

    def note(self, name: str, reason: str) -> Iterator[Dropped]:
        if kind_of(name)[0] or reason != unread(name):
            safe = printable("/".join(part for part in PurePosixPath(name).parts if part not in ("/", "..")))
            yield Dropped(f"{self.source}/{safe}", reason)
        else:
            entry = self.count.setdefault(Path(name).suffix.lower(), [])
            if not entry:
                entry.append(name)
            entry.append("")

    def counted(self) -> Iterator[Dropped]:
        for suffix, names in sorted(self.count.items()):
            kind = f"{suffix} files" if suffix else "files without a suffix"
            yield Dropped(f"{self.source}/{printable(names[0])}", f"{kind} are not read: {len(names) - 1:,} of them")


class _TarInfo(tarfile.TarInfo):
    """Refuses headers that hold more than names: tarfile takes them into memory whole."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        plain = self.type in tarfile.SUPPORTED_TYPES and self.type not in (
            tarfile.GNUTYPE_LONGNAME,
            tarfile.GNUTYPE_LONGLINK,
        )
        if not plain and self.size > _BLOCK:
            raise tarfile.ReadError("a header of more than a megabyte")
        return super()._proc_member(archive)  # type: ignore[misc]


class _Bounded(io.RawIOBase):
    """What comes out of a decompressor, until it is too much for what went in."""

    def __init__(self, stream: Any, settings: ReadSettings, packed: Any):
        self._stream, self._settings, self._packed, self._count = stream, settings, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(min(len(buffer), _BLOCK))
        except (EOFError, lzma.LZMAError, zipfile.BadZipFile, OSError) as error:
            raise UnusableError(one_line(error)) from None
        self._count += len(data)
        if self._count > _FLOOR and self._count > self._settings.archive_ratio * max(1, self._packed()):
            raise UnusableError(_BOMB)
        if self._count > self._settings.archive_bytes:
            raise UnusableError(f"unpacks to more than {self._settings.archive_bytes >> 30} GB")
        buffer[: len(data)] = data
        return len(data)
