"""Training records: JSON Lines in the forms that people already have."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from daneel.corpus.read import ABOUT
from daneel.corpus.record_forms import CHAT_KEYS, LABEL_KEYS, PAIR_KEYS, PREFERENCE_KEYS, FormError, parse
from daneel.errors import DataError

Kind = Literal["conversations", "pairs", "preferences", "labels"]
"""Texts are learned with conversations."""


@dataclass(frozen=True)
class Record:
    """One thing to learn: a text, a conversation with an answer, a pair of texts, a preference, or a text's label."""

    where: str
    """File and line, for messages about it."""
    text: str | None = None
    messages: list[dict[str, Any]] | None = None
    source: str | None = None
    target: str | None = None
    rejected: list[dict[str, Any]] | None = None
    """Of a preference: the conversation with the worse answer; `messages` is the one with the better."""
    asked: int = 0
    """Messages at the beginning of both, from which nothing is learned."""

    label: str | None = None
    """Of a text: what it is."""

    @property
    def kind(self) -> Kind:
        """What can be learned together."""
        if self.label is not None:
            return "labels"
        return "pairs" if self.source is not None else "conversations" if self.rejected is None else "preferences"


def read_records(path: Path) -> Iterator[Record]:
    """The records of a `.jsonl` file, of a `.json` file that holds one list, or of a folder of such files."""
    for file in record_files(path):
        for where, row in _rows(file):
            try:
                yield Record(where, **parse(_json(where, row) if isinstance(row, bytes) else row))
            except FormError as error:
                raise DataError(f"{where}: {error}") from None


def is_records(path: Path) -> bool:
    """Whether a file, or every such file of a folder, holds training records other than plain text.

    The first row of a file decides; a folder that also holds .txt or .md files is a corpus.
    """
    prose = (file for file in path.rglob("*") if file.suffix.lower() in (".txt", ".md"))
    if path.is_dir() and any(file.stem.lower() not in ABOUT for file in prose):
        return False
    if path.is_file() and path.suffix.lower() not in (".jsonl", ".json"):
        return False
    if path.is_dir() and not any(file.suffix.lower() in (".jsonl", ".json") for file in path.rglob("*")):
        return False
    files = [file for file in record_files(path) if file.stat().st_size] if path.exists() else []
    return bool(files) and all(_first_is_record(file) for file in files)


def _first_is_record(file: Path) -> bool:
    """By its keys: what is wrong with a conversation is said when it is read."""
    try:
        where, row = next(_rows(file))
        row = _json(where, row) if isinstance(row, bytes) else row
    except (DataError, StopIteration):
        return False
    return isinstance(row, dict) and any(
        row.keys() >= keys for keys in (*CHAT_KEYS, PAIR_KEYS, PREFERENCE_KEYS, LABEL_KEYS)
    )


def record_files(path: Path) -> list[Path]:
    """The files of records below a path. Raises DataError."""
    if not path.exists():
        raise DataError(f"{path} does not exist: give a .jsonl file or a folder of them")
    if path.is_file():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in (".jsonl", ".json"))
    if not files:
        raise DataError(f"{path} holds no .jsonl file: give one, or a folder of them")
    return files


def _rows(file: Path) -> Iterator[tuple[str, Any]]:
    """Where each row stands, and the row: a line's bytes, or a value of the file's one list."""
    with file.open("rb") as lines:
        first = lines.readline().removeprefix(b"\xef\xbb\xbf").lstrip()
        lines.seek(0)
        if first.startswith(b"["):
            rows = _json(str(file), lines.read())
            yield from ((f"{file}: row {n}", row) for n, row in enumerate(rows, 1))
            return
        for n, line in enumerate(lines, 1):
            if line.strip():
                yield f"{file}:{n}", line


def _json(where: str, data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not UTF-8 (byte {error.start + 1}): save the file as UTF-8") from None
    except RecursionError:
        raise DataError(f"{where} is not JSON that can be read: it is nested too deeply") from None
    except ValueError as error:
        raise DataError(f"{where} is not JSON: {error}") from None
