"""Parallel text: a sentence and its translation, from the files in which people keep them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from daneel.corpus.fields import join
from daneel.corpus.read import Dropped, Raw
from daneel.corpus.read.encoding import decode
from daneel.corpus.read.item import UnusableError, one_line
from daneel.errors import DataError

SUFFIXES = (".tsv", ".txt", ".tmx", ".jsonl")
FORM = "pair"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class PairFile:
    """A file of pairs, or two files whose lines answer each other."""

    paths: tuple[Path, ...]
    source: str

    @property
    def size(self) -> int:
        """Bytes to read."""
        return sum(path.stat().st_size for path in self.paths)


def plan_pairs(paths: Sequence[str | Path]) -> Iterator[PairFile]:
    """The files below the paths; two .txt files are two sides. Raises DataError."""
    files = [file for path in paths for file in _files(Path(path))]
    plain = [file for file in files if file.suffix.lower() == ".txt" and not _tabbed(file)]
    if plain and len(plain) != 2:
        raise DataError(
            f"{', '.join(map(str, plain))}: two files with a sentence a line make pairs; otherwise give "
            "a .tsv, .tmx or .jsonl file"
        )
    if plain:
        yield PairFile(tuple(plain), f"{plain[0].name} | {plain[1].name}")
    for file in files:
        if file not in plain:
            yield PairFile((file,), file.name)


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise DataError(f"{path} does not exist: give a .tsv, .tmx or .jsonl file of pairs, or two .txt files")
    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.stem != "README")
    if not found:
        raise DataError(f"{path} holds no {', '.join(SUFFIXES)} file")
    return found


def _tabbed(file: Path) -> bool:
    """Whether the first lines of a text file have two columns."""
    with file.open("rb") as opened:
        lines = opened.read(_CHUNK).split(b"\n")[:100]
    full = [line for line in lines if line.strip()]
    return bool(full) and sum(b"\t" in line for line in full) > 0.9 * len(full)


def load_pairs(item: PairFile) -> Iterator[Raw | Dropped]:
    """The pairs of a file; what is none comes with its reason."""
    try:
        if len(item.paths) == 2:
            yield from _aligned(item)
        elif item.paths[0].suffix.lower() == ".tmx":
            yield from _tmx(item.paths[0], item.source)
        elif item.paths[0].suffix.lower() == ".jsonl":
            yield from _rows(item.paths[0], item.source)
        else:
            yield from _tsv(item.paths[0], item.source)
    except (OSError, UnusableError) as error:
        yield Dropped(item.source, one_line(error) if isinstance(error, OSError) else str(error))


def _pair(source: str, left: str, right: str, languages: Sequence[str] = ("", "")) -> Raw | Dropped:
    if not left.strip() or not right.strip():
        return Dropped(source, "a side is empty")
    # A lone surrogate can be written in JSON and in no file.
    texts = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in (left, right)]
    size = sum(len(text.encode()) for text in texts)
    about = {"form": json.dumps({"kind": FORM, "languages": list(languages)})}
    return Raw(join(texts), source, Path(source).stem, "utf-8", size, about)


def _lines(path: Path) -> Iterator[str]:
    """The lines of a text file in its own encoding, one after another."""
    with path.open("rb") as file:
        encoding = decode(file.read(_CHUNK).rpartition(b"\n")[0] or b" x")[1]
        file.seek(0)
        for line in file:
            yield line.decode(encoding, "replace").rstrip("\r\n").removeprefix("\ufeff")


def _tsv(path: Path, source: str) -> Iterator[Raw | Dropped]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) < 2:
            yield Dropped(f"{source}#{number}", "one column, where two are separated by a tab")
        else:
            yield _pair(f"{source}#{number}", columns[0], columns[1])


def _aligned(item: PairFile) -> Iterator[Raw | Dropped]:
    for number, (left, right) in enumerate(zip_longest(*map(_lines, item.paths)), 1):
        if left is None or right is None:
            raise DataError(f"{item.source}: one file has more lines than the other, from line {number} on")
        if left.strip() or right.strip():
            yield _pair(f"{item.source}#{number}", left, right)


def _rows(path: Path, source: str) -> Iterator[Raw | Dropped]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield Dropped(f"{source}#{number}", "not JSON")
            continue
        sides = _sides(row)
        if sides is None:
            yield Dropped(f"{source}#{number}", 'neither "source" and "target" nor two languages under "translation"')
        else:
            yield _pair(f"{source}#{number}", *sides)


def _sides(row: Any) -> tuple[str, str, Sequence[str]] | None:
    """The texts and languages of a row in the forms that data sets have."""
    if not isinstance(row, dict):
        return None
    if isinstance(row.get("source"), str) and isinstance(row.get("target"), str):
        languages = [str(row.get(f"{side}_language", "")) for side in ("source", "target")]
        return row["source"], row["target"], languages
    inner = row.get("translation", row)
    texts = {key: value for key, value in inner.items() if isinstance(value, str)} if isinstance(inner, dict) else {}
    if len(texts) != 2:
        return None
    (one, left), (two, right) = texts.items()
    return left, right, (one, two)


def _tmx(path: Path, source: str) -> Iterator[Raw | Dropped]:
    from lxml import etree

    key = "{http://www.w3.org/XML/1998/namespace}lang"
    number = 0
    try:
        units = etree.iterparse(
            str(path), tag="{*}tu", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        for _, unit in units:
            number += 1
            sides = [
                (str(side.get(key) or side.get("lang") or "").split("-")[0].lower(), "".join(segment.itertext()))
                for side in unit.iterfind("{*}tuv")
                if (segment := side.find("{*}seg")) is not None
            ]
            unit.clear()
            while unit.getprevious() is not None:
                del unit.getparent()[0]
            if len(sides) < 2:
                yield Dropped(f"{source}#{number}", "a translation unit with one language")
            else:
                (one, left), (two, right) = sides[:2]
                yield _pair(f"{source}#{number}", left, right, (one, two))
    except etree.XMLSyntaxError as error:
        yield Dropped(f"{source}#{number + 1}", f"not well-formed TMX from here on: {error.msg}")
