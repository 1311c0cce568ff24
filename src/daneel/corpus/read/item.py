"""What reading gives, what limits it, and one unit of its work."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

from daneel.corpus.licence_names import stated
from daneel.corpus.settings import Range, Settings

# What a suffix promises. Longest first where one ends with another.
KINDS = {
    ".txt": "text", ".md": "text", ".html": "html", ".htm": "html", ".xhtml": "html", ".epub": "epub", ".pdf": "pdf",
    ".docx": "docx", ".tex": "tex", ".jsonl": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "csv",
    ".parquet": "parquet", ".tmx": "tmx",
    ".tar.gz": "tar", ".tar.bz2": "tar", ".tar.xz": "tar", ".tgz": "tar", ".tbz2": "tar", ".txz": "tar",
    ".zip": "zip", ".tar": "tar", ".gz": "gz", ".bz2": "bz2", ".xz": "xz",
}  # fmt: skip
SUFFIXES = tuple(KINDS)
ARCHIVES = frozenset({"zip", "tar", "gz", "bz2", "xz"})
DOCUMENTS = frozenset({"html", "epub", "pdf", "docx", "tex"})
"""Kinds that a parser must take as a whole."""
CALLED = {
    "html": "HTML", "epub": "an EPUB", "pdf": "a PDF", "docx": "a Word document", "parquet": "Parquet", "tex": "TeX",
    "text": "plain text", "jsonl": "JSON Lines", "tmx": "a translation memory", "zip": "a zip archive",
    "tar": "a tar archive", "gz": "compressed by gzip", "bz2": "compressed by bzip2", "xz": "compressed by xz",
}  # fmt: skip
HEAD = 1 << 16
"""Bytes that tell what a file is."""
COLUMN = "text"
"""The text column where none is named."""
Makes = Literal["documents", "pairs", "conversations"]
"""What reading makes of a row: a text, a sentence with its translation, or turns."""


@dataclass(frozen=True)
class ReadSettings(Settings):
    """What is read, and where reading gives up."""

    name: ClassVar[str] = "read"

    text_column: str = COLUMN
    """Column of JSON, JSONL, CSV and Parquet that holds the text. Pairs: both columns or languages, as en,zh;
    conversations: the column of the turns; these are otherwise found by their names."""
    licence: str = ""
    """Licence of what states none itself: an SPDX name such as CC-BY-4.0, or other: and what was agreed."""
    part_bytes: Annotated[int, Range(1, 1 << 30)] = 16 << 20
    """A longer text is read in parts of about this many bytes, cut between paragraphs where there are any."""
    row_bytes: Annotated[int, Range(1, 1 << 32)] = 64 << 20
    """Longest row of JSON, JSONL, CSV or Parquet, in bytes."""
    document_bytes: Annotated[int, Range(1, 1 << 32)] = 256 << 20
    """Largest HTML, EPUB, PDF, DOCX or TeX file, packed and unpacked, in bytes."""
    archive_bytes: Annotated[int, Range(1, 1 << 50)] = 64 << 30
    """Most bytes that are unpacked from one archive."""
    archive_ratio: Annotated[int, Range(1, 1_000_000_000)] = 200
    """Most bytes unpacked for one packed byte, beyond the first megabyte: above it an archive is a bomb."""
    parse_seconds: Annotated[float, Range(0.001, 86_400)] = 120.0
    """Longest time a parser may take for one HTML, EPUB, PDF, DOCX or TeX file."""
    parse_memory: Annotated[int, Range(1, 1 << 50)] = 4 << 30
    """Most memory (address space) such a parser may take, in bytes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.text_column:
            raise self.wrong("text_column", "name the column that holds the text")
        object.__setattr__(self, "licence", stated(self.licence))


DEFAULTS = ReadSettings()


@dataclass(frozen=True)
class Raw:
    """A text as it stood in a file, with what the file said about it."""

    text: str
    source: str
    stem: str
    encoding: str
    bytes: int
    about: dict[str, str] = field(default_factory=dict)
    """title, author, language, licence as a row, a book or a page gives them."""
    note: str = ""
    """What was wrong with the file and is now mended or replaced."""


@dataclass(frozen=True)
class Dropped:
    """Something that is not in the corpus, and why."""

    source: str
    reason: str
    rows: int = 1
    """So many rows of a file are told of together."""
    what: str = ""
    """The reason without their numbers."""


@dataclass(frozen=True)
class Parsed:
    """What a parser made of a document."""

    text: str
    about: dict[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    note: str = ""


@dataclass(frozen=True)
class Item:
    """One unit of work for one process: a file, a part of one, or some members of an archive."""

    source: str
    """Name relative to what the user named: it tells nothing of this machine."""
    size: int
    """Bytes to read, packed ones where they are packed."""
    path: Path
    kind: str
    """What the suffix promises; empty where it promises nothing and the content decides."""
    stem: str
    settings: ReadSettings
    start: int = 0
    """First byte, first row group, of this unit."""
    end: int | None = None
    """Byte or row group behind the last; None is the end of the file."""
    part: int = 0
    """Number of this part of a text, from 1; 0 is the whole."""
    first: int = 1
    """Number of the first line or row."""
    encoding: str = ""
    """Encoding of the whole file, where a part alone would not tell it."""
    members: tuple[int, ...] = ()
    """Places in the directory of a zip archive."""
    about: dict[str, str] = field(default_factory=dict)
    """What is known of everything in the file, such as a data set's licence."""
    makes: Makes = "documents"
    other: Path | None = None
    """The file whose lines are the translations of this one's."""
    order: tuple[str, ...] = ()
    """Languages of source and target, where they are given."""


T = TypeVar("T")


class UnusableError(Exception):
    """Something that holds no text we can read; the message is the reason."""


def kind_of(name: str) -> tuple[str, str]:
    """Kind and stem of a file by its name; the kind is empty where the suffix is none of ours."""
    lower = name.lower()
    for suffix in sorted(KINDS, key=len, reverse=True):
        if lower.endswith(suffix) and len(name) > len(suffix):
            return KINDS[suffix], name[: -len(suffix)]
    return "", name.rsplit(".", 1)[0] or name


def unread(name: str) -> str:
    """The reason why a file in a folder or archive is left alone by its name."""
    suffix = Path(name).suffix.lower()
    return f"{suffix} files are not read" if suffix else "a file without a suffix: name the file itself to read it"


def one_line(error: BaseException) -> str:
    """What went wrong in words that fit in a list."""
    if isinstance(error, UnusableError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"unreadable: {error.strerror.lower()}"
    if isinstance(error, MemoryError):
        return "needs more memory than it may take"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    words = " ".join(str(error).split())
    return f"damaged: {words[:160] or type(error).__name__}"


def telling(source: str, found: Iterator[T]) -> Iterator[T | Dropped]:
    """What was found, or a line that says that it was nothing."""
    nothing = True
    for each in found:
        nothing = False
        yield each
    if nothing:
        yield Dropped(source, "no text in it")


def printable(name: str) -> str:
    """A name that any file can hold: bytes and signs that are no text are replaced."""
    whole = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in whole)
