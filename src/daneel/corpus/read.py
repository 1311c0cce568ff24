"""Files and folders of text, whatever they hold, as decoded text or a reason why not."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import charset_normalizer

from daneel.errors import DataError

SUFFIXES = (".txt", ".md", ".jsonl")
# Files that tell about a folder, by their stems.
ABOUT = frozenset({"readme", "license", "licence", "copying", "changelog"})
_ABOUT_REASON = "tells about the folder: name the file itself to read it"
# What charset-normalizer may answer: what text files of the last forty years are written in.
_LEGACY = [
    "gb18030", "big5", "big5hkscs", "shift_jis", "euc_jp", "euc_kr", "koi8_r",
    *(f"cp{number}" for number in range(1250, 1259)),
]  # fmt: skip
_LATIN = {"cp1250", "cp1254", "cp1257", "cp1258"}
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_SAMPLE = 1 << 16
# Letters, marks and punctuation that a text is made of, wherever it comes from.
_TEXTY = re.compile(r"[\t\n\r -~\u00a0-\u024f\u0370-\u05ff\u2010-\u2026\u3000-\u30ff\u4e00-\u9fff\uff00-\uff60]")


@dataclass(frozen=True)
class Raw:
    """A text as it stood in a file, with what a row of JSON said about it."""

    text: str
    source: str
    stem: str
    encoding: str
    bytes: int
    about: dict[str, str] = field(default_factory=dict)
    """title, author, language, licence as a row gives them."""
    note: str = ""
    """What was wrong with the encoding and is now replaced."""


@dataclass(frozen=True)
class Dropped:
    """Something that is not in the corpus, and why."""

    source: str
    reason: str


class _UnusableError(Exception):
    """A file that holds no text we can read; the message is the reason."""


def read(paths: list[Path]) -> Iterator[Raw | Dropped]:
    """Every text below the paths, in the order of names; what cannot be used comes with its reason."""
    seen: set[Path] = set()
    labels: set[str] = set()
    for path in paths:
        if not path.exists():
            raise DataError(f"{path} does not exist: give a file or a folder of .txt, .md or .jsonl")
        label = _label(path, labels)
        labels.add(label)
        for file, source in _files(path, label):
            if isinstance(file, Dropped):
                yield file
            elif file.resolve() in seen:
                yield Dropped(source, "given twice")
            else:
                seen.add(file.resolve())
                yield from _texts(file, source)


def _label(path: Path, taken: set[str]) -> str:
    """A name for what was asked for, that nothing else given has."""
    name = path.name or path.resolve().name
    label = name if name not in taken else f"{path.resolve().parent.name}/{name}"
    number = 1
    while label in taken:
        number += 1
        label = f"{name} ({number})"
    return label


def _files(path: Path, label: str) -> Iterator[tuple[Path | Dropped, str]]:
    """Files, with names relative to what was asked for: a corpus tells nothing of this machine."""
    if path.is_file():
        yield path, label
        return
    top = path.resolve()
    below: list[tuple[Path | Dropped, str]] = []

    def name(entry: Path) -> str:
        return (Path(label) / entry.relative_to(top)).as_posix()

    def unreadable(error: OSError) -> None:
        source = name(Path(error.filename))
        below.append((Dropped(source, f"unreadable: {(error.strerror or '').lower()}"), source))

    visited = {top}
    for folder, folders, files in os.walk(top, onerror=unreadable, followlinks=True):
        for entry in (Path(folder) / each for each in sorted(folders)):
            if (reason := _leave_out(entry)) or entry.resolve() in visited:
                folders.remove(entry.name)
                below.append((Dropped(name(entry), reason or "a link to a folder already read"), name(entry)))
            visited.add(entry.resolve())
        for entry in (Path(folder) / each for each in files):
            about = entry.stem.lower() in ABOUT
            below.append((Dropped(name(entry), _ABOUT_REASON) if about else entry, name(entry)))
    yield from sorted(below, key=lambda pair: pair[1])


def _leave_out(folder: Path) -> str:
    if folder.name.startswith("."):
        return "a hidden folder"
    return "a corpus built by daneel" if is_corpus(folder) else ""


def is_corpus(folder: Path) -> bool:
    """Whether a folder was written by `build`."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("format") == "daneel-corpus"


def _texts(file: Path, source: str) -> Iterator[Raw | Dropped]:
    try:
        if file.name.startswith("."):
            raise _UnusableError("a hidden file")
        if file.suffix.lower() not in SUFFIXES:
            raise _UnusableError("not a .txt, .md or .jsonl file")
        if not file.is_file():
            raise _UnusableError("not a regular file")
        data = file.read_bytes()
        text, encoding, note = decode(data)
    except _UnusableError as error:
        yield Dropped(source, str(error))
    except OSError as error:
        yield Dropped(source, f"unreadable: {(error.strerror or str(error)).lower()}")
    else:
        if file.suffix.lower() == ".jsonl":
            yield from _rows(text, source, file.stem, encoding)
        else:
            yield Raw(text, source, file.stem, encoding, len(data), note=note)


def _rows(text: str, source: str, stem: str, encoding: str) -> Iterator[Raw | Dropped]:
    bad: dict[str, list[int]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except ValueError:
            bad.setdefault("not JSON", []).append(number)
            continue
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            reason = 'without "text": conversations go to `daneel train` as they are'
            bad.setdefault(reason, []).append(number)
            continue
        if "licence" not in row and "license" in row:
            row["licence"] = row["license"]
        keys = ("title", "author", "language", "licence")
        about = {key: row[key] for key in keys if isinstance(row.get(key), str)}
        # A lone surrogate can be written in JSON and in no file.
        clean = row["text"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        yield Raw(clean, f"{source}#{number}", stem, encoding, len(line.encode()), about)
    # One entry a reason: a file of conversations would fill the manifest.
    for reason, lines in bad.items():
        rows = f"row {lines[0]}" if len(lines) == 1 else f"{len(lines):,} rows, the first in line {lines[0]}"
        yield Dropped(source, f"{rows}, {reason}")


def decode(data: bytes) -> tuple[str, str, str]:
    """Text, encoding, and a note where bytes had to be replaced; raises when the bytes are no text."""
    if not data.strip():
        raise _UnusableError("empty")
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _replacing(data, encoding)
    if b"\0" in data:
        return _utf16(data)
    sample = data[:_SAMPLE]
    if sum(byte < 32 and byte not in b"\t\n\r\f\x1a\x1b" for byte in sample) > 0.002 * len(sample):
        raise _UnusableError("binary")
    try:
        return data.decode("utf-8"), "utf-8", ""
    except UnicodeDecodeError:
        pass
    text, bad = _counted(data, "utf-8")
    # A few wrong bytes among many right ones, which no other encoding would produce.
    if sum(not character.isascii() for character in text) > 10 * bad:
        return _replacing(data, "utf-8")
    return _replacing(data, _legacy(data))


def _legacy(data: bytes) -> str:
    # Lines in ASCII say nothing; the first other one may be far from the beginning.
    telling = b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_SAMPLE]
    matches = charset_normalizer.from_bytes(telling, cp_isolation=_LEGACY)
    best = matches.best()
    if best is None:
        raise _UnusableError("encoding not recognised: save the file as UTF-8")
    # These differ from Western European in a few letters; where both make sense, it is the common one.
    western = best.encoding in _LATIN and any(
        "cp1252" in (match.encoding, *match.could_be_from_charset) for match in matches
    )
    return "cp1252" if western else best.encoding


def _counted(data: bytes, encoding: str) -> tuple[str, int]:
    text = data.decode(encoding, "replace")
    # A file may hold the replacement sign itself.
    return text, text.count("\ufffd") - data.decode(encoding, "ignore").count("\ufffd")


def _replacing(data: bytes, encoding: str) -> tuple[str, str, str]:
    text, bad = _counted(data, encoding)
    if bad > 0.01 * len(text):
        raise _UnusableError(f"encoding not recognised ({encoding} does not fit): save the file as UTF-8")
    return text, encoding, f"{bad} places that are no {encoding}, now \ufffd" if bad > 0 else ""


def _utf16(data: bytes) -> tuple[str, str, str]:
    """Bytes with NULs are UTF-16 without its mark, or no text."""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = data[:_SAMPLE].decode(encoding, "replace")
        if len(_TEXTY.findall(text)) > 0.95 * len(text):
            return _replacing(data, encoding)
    raise _UnusableError("binary")
