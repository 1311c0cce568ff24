"""A Word document: paragraphs, headings as `#`, tables as lines of cells."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from daneel.corpus.read.item import Parsed, UnusableError

_LEVEL = re.compile(r"(?:heading|标题|標題|überschrift|titre)\s*([1-9])", re.I)


def parse_docx(data: bytes, limit: int) -> Parsed:
    """The text of the document's body, `limit` bytes unpacked at most. Raises UnusableError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
            encrypted = any(info.flag_bits & 1 for info in archive.infolist())
    except zipfile.BadZipFile:
        raise UnusableError("not a Word document, or damaged") from None
    if encrypted:
        raise UnusableError("encrypted: save it without a password")
    if size > limit:
        raise UnusableError(f"unpacks to more than {limit >> 20} MB")
    import docx

    document = docx.Document(io.BytesIO(data))
    core = document.core_properties
    # python-docx writes its own name where nobody wrote one.
    author = "" if core.author == "python-docx" else core.author
    about = {"title": core.title, "author": author, "language": core.language}
    return Parsed("\n\n".join(_blocks(document.iter_inner_content())), about, "docx")


def _blocks(content: Any) -> Iterator[str]:
    for block in content:
        if hasattr(block, "rows"):
            yield "\n".join("\t".join(_cells(row)) for row in block.rows)
            continue
        text = block.text.strip()
        if text:
            yield _mark(block.style.name if block.style is not None else "") + text


def _cells(row: Any) -> Iterator[str]:
    last = None
    for cell in row.cells:
        # A merged cell comes once a column.
        if cell._tc is not last:
            yield " ".join(cell.text.split())
        last = cell._tc


def _mark(style: str | None) -> str:
    if style == "Title":
        return "# "
    level = _LEVEL.match(style or "")
    return "#" * min(6, int(level[1])) + " " if level else ""
