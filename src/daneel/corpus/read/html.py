"""A web page: its article without navigation, or all its text where there is no article."""

import re
from copy import deepcopy
from typing import Any

from lxml import etree, html

from daneel.corpus.read.encoding import decode, known
from daneel.corpus.read.item import Parsed, UnusableError
from daneel.corpus.read.markup import text_of, without_dtd

_CHARSET = re.compile(rb"""(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*["']?\s*([\w:.-]+)""", re.I)
# Below this many characters there is hardly an article; trafilatura then takes whatever it finds.
_ARTICLE = 250


def parse_html(data: bytes) -> Parsed:
    """The article of a page with title, author, language and licence. Raises UnusableError."""
    match = _CHARSET.search(data[:4096])
    page, encoding, note = decode(data, known(match[1].decode("ascii", "ignore")) if match else "")
    tree = _tree(page)
    from trafilatura import bare_extraction
    from trafilatura.settings import Document

    for element in list(tree.iter("rt", "rp")):
        element.drop_tree()
    found = bare_extraction(deepcopy(tree), with_metadata=True, include_comments=False, include_tables=True)
    about: dict[str, str] = {"language": _language(tree)}
    text = ""
    if found is not None:
        assert isinstance(found, Document)
        about |= {"title": found.title or "", "author": found.author or "", "licence": found.license or ""}
        text = text_of(_with_headings(found.body)) if found.body is not None else ""
    if len(text) < _ARTICLE:
        text, said = text_of(tree), "no article found, so all text of the page"
        note = "; ".join(filter(None, (note, said)))
    if not about.get("title") and (title := tree.findtext(".//title")):
        about["title"] = title
    return Parsed(text, about, encoding, note)


def _tree(page: str) -> Any:
    # A declaration of an encoding means nothing once the text is decoded.
    page = without_dtd(re.sub(r"\A\s*<\?xml[^>]*\?>", "", page.replace("\0", "")))
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        return html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        raise UnusableError("no text in it") from None


def _with_headings(body: Any) -> Any:
    """Trafilatura's tree with its headings named as in HTML."""
    for head in body.iter("head"):
        rend = head.get("rend") or "h2"
        head.tag = rend if re.fullmatch(r"h[1-6]", rend) else "h2"
    return body


def _language(tree: Any) -> str:
    value = tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    return value if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value) else ""
