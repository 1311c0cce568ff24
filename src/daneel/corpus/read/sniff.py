"""What a file is by its first bytes; the suffix only hints."""

import json
import re

from daneel.corpus.read.item import ARCHIVES, CALLED, UnusableError

_MAGIC = ((b"%PDF-", "pdf"), (b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "xz"), (b"PAR1", "parquet"))
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.I | re.S
)
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*\"")
_TMX = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!DOCTYPE\s+tmx[^>]*>\s*)?<tmx\b", re.I)
_TEX = re.compile(rb"^\s*\\document(?:class|style)\b", re.M)


def sniff(head: bytes) -> str:
    """The kind that the first 64 KB show for certain, empty where it may be any text."""
    for mark, kind in _MAGIC:
        if head.startswith(mark):
            return kind
    if head.startswith(b"PK\x03\x04"):
        if b"mimetypeapplication/epub+zip" in head[:100] or b"META-INF/container.xml" in head:
            return "epub"
        return "docx" if b"[Content_Types].xml" in head and b"word/" in head else "zip"
    if head[257:262] == b"ustar":
        return "tar"
    if b"%PDF-" in head[:1024]:
        return "pdf"
    return "html" if _HTML.match(head[:4096]) else ""


def guess(head: bytes) -> str:
    """The kind of something without a telling name."""
    if kind := sniff(head):
        return kind
    if _json_lines(head):
        return "jsonl"
    if _JSON.match(head):
        return "json"
    if _TMX.match(head):
        return "tmx"
    return "tex" if _TEX.search(head) else "text"


def _json_lines(head: bytes) -> bool:
    """Whether the first line is a whole object."""
    line = head.lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n")[0]
    try:
        return line.startswith(b"{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def tabbed(head: bytes) -> bool:
    """Whether the first lines have columns parted by tabs."""
    full = [line for line in head.split(b"\n")[:100] if line.strip(b"\0 \r\n")]
    return bool(full) and sum(b"\t" in line for line in full) > 0.9 * len(full)


def settle(kind: str, head: bytes) -> tuple[str, str]:
    """The kind to read a file as, and a note where its name says otherwise. Raises UnusableError for an archive."""
    if not kind:
        return guess(head), ""
    if kind == "json" and _json_lines(head):
        return "jsonl", ""
    seen = sniff(head)
    if not seen or seen == kind or (seen == "zip" and kind in ("epub", "docx")):
        return kind, ""
    if seen in ARCHIVES:
        raise UnusableError(f"is {CALLED[seen]}, whatever its name says: unpack or rename it")
    return seen, f"is {CALLED[seen]}, whatever its name says"
