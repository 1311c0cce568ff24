"""An EPUB (2 or 3): title, author, language, rights, and the chapters of its spine."""

import io
import posixpath
import zipfile
import zlib
from typing import Any
from urllib.parse import unquote

from lxml import etree, html

from daneel.corpus.read.encoding import decode
from daneel.corpus.read.item import Parsed, UnusableError
from daneel.corpus.read.markup import text_of, without_dtd

_PAGES = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}


def parse_epub(data: bytes, limit: int) -> Parsed:
    """The text of a book in the order of its spine, `limit` bytes unpacked at most. Raises UnusableError."""
    book = _Book(data, limit)
    container = book.xml("META-INF/container.xml")
    place = container.xpath("string(//*[local-name()='rootfile']/@full-path)") if container is not None else ""
    package = book.xml(place) if place else None
    if package is None:
        raise UnusableError("not an EPUB: no package file in it")
    folder = posixpath.dirname(place)
    manifest = {item.get("id"): item for item in package.xpath("//*[local-name()='manifest']/*[local-name()='item']")}

    def path(href: str) -> str:
        return posixpath.normpath(posixpath.join(folder, unquote(href.split("#")[0])))

    contents = {path(h) for h in package.xpath("//*[local-name()='reference'][@type='toc']/@href")}
    titles = _titles(book, list(manifest.values()), path)
    chapters, missing = [], 0
    for reference in package.xpath("//*[local-name()='spine']/*[local-name()='itemref']"):
        item = manifest.get(reference.get("idref"))
        if item is None or reference.get("linear") == "no" or item.get("media-type") not in _PAGES:
            continue
        name = path(item.get("href") or "")
        if name in contents or "nav" in (item.get("properties") or "").split():
            continue
        page = book.page(name)
        if page is None:
            missing += 1
            continue
        text = text_of(page)
        if text and not text.startswith("#") and name in titles:
            text = f"# {titles[name]}\n\n{text}"
        chapters.append(text)
    about = {key: _named(package, tag) for key, tag in _METADATA.items()}
    note = f"{missing} chapters that cannot be read" if missing else ""
    return Parsed("\n\n\n".join(filter(None, chapters)), about, "utf-8", note)


_METADATA = {"title": "title", "author": "creator", "language": "language", "licence": "rights"}


def _named(package: Any, tag: str) -> str:
    found = package.xpath(f"//*[local-name()='metadata']//*[local-name()='{tag}']//text()")
    words = [" ".join(each.split()) for each in found if each.strip()]
    return ", ".join(words) if tag == "creator" else words[0] if words else ""


def _titles(book: "_Book", items: list[Any], path: Any) -> dict[str, str]:
    """Titles of chapter files as the table of contents gives them: EPUB 2's NCX, EPUB 3's nav."""
    titles: dict[str, str] = {}
    for item in items:
        if item.get("media-type") == "application/x-dtbncx+xml":
            tree = book.xml(path(item.get("href") or ""))
            for point in tree.xpath("//*[local-name()='navPoint']") if tree is not None else ():
                href = point.xpath("string(*[local-name()='content']/@src)")
                label = point.xpath("string(*[local-name()='navLabel'])")
                titles.setdefault(path(href), " ".join(label.split()))
        elif "nav" in (item.get("properties") or "").split():
            tree = book.page(path(item.get("href") or ""))
            for link in tree.iter("{*}a") if tree is not None else ():
                titles.setdefault(path(link.get("href") or ""), " ".join("".join(link.itertext()).split()))
    return {name: title for name, title in titles.items() if title}


class _Book:
    """The members of the zip file, read within a limit."""

    def __init__(self, data: bytes, limit: int):
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except zipfile.BadZipFile:
            raise UnusableError("not an EPUB: its zip container is damaged") from None
        self._limit = self._left = limit
        names = self._zip.namelist()
        if "META-INF/encryption.xml" in names and "META-INF/rights.xml" in names:
            raise UnusableError("encrypted (DRM)")

    def _read(self, name: str) -> bytes | None:
        try:
            # zipfile unpacks no more than the directory says.
            self._left -= self._zip.getinfo(name).file_size
            if self._left < 0:
                raise UnusableError(f"unpacks to more than {self._limit >> 20} MB")
            return self._zip.read(name)
        except (KeyError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, ValueError):
            return None

    def xml(self, name: str) -> Any:
        """The tree of an XML member, None where there is none."""
        data = self._read(name)
        return _xml(data) if data else None

    def page(self, name: str) -> Any:
        """The tree of a chapter; as a browser reads it where it is no XML."""
        data = self._read(name)
        if not data:
            return None
        tree = _xml(data)
        # An undeclared entity such as &nbsp; is dropped by the XML parser, and everything is text for HTML's.
        if tree is not None and b"&nbsp;" not in data and len(tree):
            return tree
        try:
            return html.document_fromstring(
                without_dtd(decode(data)[0]).encode(), parser=html.HTMLParser(encoding="utf-8")
            )
        except (etree.LxmlError, UnusableError, ValueError):
            return None


def _xml(data: bytes) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
