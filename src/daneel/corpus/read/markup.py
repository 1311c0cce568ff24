"""HTML and XHTML elements as plain text: paragraphs, `#` headings, line breaks, no navigation, no ruby readings."""

import re
from typing import Any

from lxml import etree

_LEFT_OUT = frozenset((
    "script", "style", "template", "noscript", "nav", "head", "iframe", "object", "svg", "math", "form", "button",
    "select", "rt", "rp", "aside", "footer",
))  # fmt: skip
_BLOCKS = frozenset((
    "p", "div", "section", "article", "main", "header", "body", "html", "h1", "h2", "h3", "h4", "h5", "h6", "ul",
    "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "table", "tr", "caption", "figure", "figcaption", "hr",
    "address", "details", "summary", "head", "list", "item", "quote", "row", "title",
))  # fmt: skip
_HEADINGS = {f"h{n}": "#" * n + " " for n in range(1, 7)}
_BREAK, _CELL = "\x1e", "\x1f"
_EAST = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
# A line break in the source between two Chinese characters is no space.
_EAST_BREAK = re.compile(rf"(?<=[{_EAST}])[ \t]*[\r\n]\s*(?=[{_EAST}])")
_DTD = re.compile(r"(<!DOCTYPE[^\[>]*)\[[^\]]*(?:\](?!\s*>)[^\]]*)*\]\s*>", re.I)
_SPACE = re.compile(r"[ \t\r\n\f]+")


def without_dtd(page: str) -> str:
    """A page without what XHTML declares before its root: a parser of HTML takes the end of it for text."""
    return _DTD.sub(r"\1>", page, count=1)


def text_of(root: Any, left_out: frozenset[str] = _LEFT_OUT) -> str:
    """The text of an element, its blocks parted by an empty line."""
    blocks: list[str] = []
    line: list[str] = []
    heading, preformatted = "", 0

    def flush() -> None:
        text = "".join(line)
        line.clear()
        if not preformatted:
            text = _SPACE.sub(" ", _EAST_BREAK.sub("", text))
            text = re.sub(rf" ?{_BREAK} ?", "\n", text)
            text = re.sub(rf" ?{_CELL} ?", "\t", text.rstrip(_CELL + " "))
        text = text.replace(_BREAK, "\n").strip("\n" if preformatted else " \n\t")
        if text.strip():
            blocks.append(heading + text.replace("\n", " ") if heading else text)

    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        name = _name(element)
        if event == "start":
            if name in left_out or not name:
                walker.skip_subtree()
                continue
            if name in _BLOCKS:
                flush()
            heading = _HEADINGS.get(name, heading)
            preformatted += name == "pre"
            if name in ("br", "lb"):
                line.append(_BREAK)
            line.append(element.text or "")
        else:
            if name in ("td", "th", "cell"):
                line.append(_CELL)
            if name in _BLOCKS and name not in left_out:
                flush()
                preformatted -= name == "pre"
                heading = "" if name in _HEADINGS else heading
            if element is not root:
                line.append(element.tail or "")
    flush()
    return "\n\n".join(blocks)


def _name(element: Any) -> str:
    """The tag without its namespace; empty for comments, instructions and entities."""
    return element.tag.rsplit("}", 1)[-1].lower() if isinstance(element.tag, str) else ""
