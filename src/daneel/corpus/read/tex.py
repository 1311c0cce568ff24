"""LaTeX sources: the main file with what it includes, and its text. Formulas stay as they are written."""

import os
import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from daneel.corpus.read.encoding import decode
from daneel.corpus.read.item import Parsed, UnusableError

_MAIN = re.compile(rb"^[^%\n]*\\document(?:class|style)\b", re.M)
# An even number of backslashes before it, so that \% is a sign and \\% a comment; TeX drops the line's end too.
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*(?:\n[ \t]*(?=\S))?")
_INPUT = re.compile(
    r"\\(?:input|include|subfile)(?:\s*\{([^{}]{1,300})\}|\s+([^\s{}\\]{1,300}))"
    r"|\\(?:sub)?import\*?\s*\{([^{}]{0,300})\}\s*\{([^{}]{1,300})\}"
)
_DEPTH = 16
_FILE_BYTES = 16 << 20
_INCLUDED = 2000
_MACRO = re.compile(r"\\(?:(?:re)?new|provide)command\*?\s*\{?\s*\\([A-Za-z]+)\s*\}?\s*\{([^{}\\#$]{1,200})\}")
_LEFT_OUT = re.compile(
    r"\\begin\{(thebibliography|comment|tikzpicture|filecontents\*?|CCSXML)\}.*?\\end\{\1\}"
    r"|[~ ]?\\(?:cite[a-zA-Z]*|parencite|textcite|nocite)\*?\s*(?:\[[^\]]*\]\s*)*\{[^{}]*\}"
    r"|\\(?:bibliography|bibliographystyle|addbibresource|graphicspath|vspace|hspace)\*?\s*(?:\[[^\]]*\])?\{[^{}]*\}",
    re.S,
)


_SILENT = ("includegraphics", "label", "maketitle")


def is_main(data: bytes) -> bool:
    """Whether a file is a document rather than a part of one."""
    return _MAIN.search(data) is not None


def flatten(name: str, get: Callable[[str], bytes | None], limit: int) -> tuple[str, set[str]]:
    """A source with everything it includes in place, and the names of that; `get` gives a file of the same source.

    Names are relative to the main file's folder and never leave it. Raises UnusableError for too much.
    """
    folder, used, spent, count = posixpath.dirname(name), set[str](), 0, 0

    def text_of(name: str, depth: int, above: tuple[str, ...]) -> str:
        nonlocal spent, count
        data = get(name)
        assert data is not None
        spent, count = spent + len(data), count + 1
        if spent > limit:
            raise UnusableError(f"includes more than {limit >> 20} MB")
        if count > _INCLUDED:
            raise UnusableError(f"includes more than {_INCLUDED:,} files")
        try:
            text = decode(data)[0]
        except UnusableError:
            if depth == 0:
                raise
            return ""
        text = _COMMENT.sub(r"\1", text.replace("\r\n", "\n"))
        if depth:
            text = _body(text) if r"\begin{document}" in text else text

        def replace(match: re.Match[str]) -> str:
            asked = match[1] or match[2] or posixpath.join(match[3], match[4])
            plain = posixpath.normpath(posixpath.join(folder, asked.strip()))
            for path in (plain, plain + ".tex"):
                inside = not path.startswith(("/", "..")) and "\0" not in path
                if inside and path not in above and depth < _DEPTH and get(path) is not None:
                    used.add(path)
                    return text_of(path, depth + 1, (*above, path))
            return ""

        return _INPUT.sub(replace, text)

    return text_of(name, 0, (name,)), used


def beside(folder: Path, name: str) -> bytes | None:
    """A file of a source that lies in a folder, which no name and no link may lead out of."""
    path = Path(os.path.realpath(folder / name))
    if not path.is_relative_to(folder) or not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(_FILE_BYTES)


def documents(files: dict[str, bytes]) -> list[str]:
    """The names of the documents among some sources: main files, and parts that no main file includes."""
    parts: set[str] = set()
    for name in files:
        if is_main(files[name]):
            try:
                parts |= flatten(name, files.get, 64 << 20)[1]
            except UnusableError:
                continue
    return [name for name in files if name not in parts]


def parse_tex(data: bytes) -> Parsed:
    """The text of a flattened source, with title and author."""
    from pylatexenc.latex2text import LatexNodes2Text
    from pylatexenc.latexwalker import LatexWalker

    source, encoding, note = decode(data)
    about = {key: _argument(source, key) for key in ("title", "author")}
    body = _LEFT_OUT.sub("", _expanded(source, _body(source)))
    converter = LatexNodes2Text(latex_context=_context(), math_mode="verbatim", keep_braced_groups=False)

    def plain(text: str) -> str:
        nodes = LatexWalker(text, tolerant_parsing=True).get_latex_nodes()[0]
        return str(converter.nodelist_to_text(nodes))

    text = re.sub(r"[ \t]+\n", "\n", plain(body).replace("\xa0", " "))
    about = {key: re.split(r"\n\s*\n", plain(value))[0] for key, value in about.items()}
    return Parsed(re.sub(r"\n{3,}", "\n\n", text).strip(), about, encoding, note)


def _body(text: str) -> str:
    begin = text.find(r"\begin{document}")
    end = text.rfind(r"\end{document}")
    start = begin + len(r"\begin{document}") if begin >= 0 else 0
    return text[start : end if end > start else None]


def _argument(text: str, command: str) -> str:
    """What stands in the braces of the first such command."""
    match = re.search(rf"\\{command}\*?\s*(?:\[[^\]]*\])?\s*\{{", text)
    if not match:
        return ""
    depth, at = 1, match.end()
    while at < min(len(text), match.end() + 5000) and depth:
        if text[at] == "\\":
            at += 1
        depth += {"{": 1, "}": -1}.get(text[at : at + 1], 0)
        at += 1
    value = re.sub(r"\\(?:thanks|footnote)\s*\{[^{}]*\}", "", text[match.end() : at - 1])
    return re.sub(r"\s*\\(?:and|AND|And)\b", ", ", value)


def _expanded(source: str, body: str) -> str:
    """The body with the author's own abbreviations of plain words written out."""
    words = dict(_MACRO.findall(source))
    if not words:
        return body
    names = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.sub(rf"\\({names})(?![A-Za-z])(?:\{{\}})?", lambda match: words[match[1]], body)


def _context() -> Any:
    from pylatexenc.latex2text import MacroTextSpec, get_default_latex_context_db

    def heading(level: int) -> Callable[[Any, Any], str]:
        def write(node: Any, l2tobj: Any) -> str:
            title = l2tobj.nodelist_to_text([node.nodeargd.argnlist[-1]]) if node.nodeargd else ""
            return f"\n\n{'#' * level} {' '.join(title.split())}\n\n"

        return write

    levels = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4}
    macros = [MacroTextSpec(name, heading(level)) for name, level in levels.items()]
    macros += [MacroTextSpec(name, discard=True) for name in _SILENT]
    context = get_default_latex_context_db()
    context.add_context_category("corpus", prepend=True, macros=macros)
    return context
