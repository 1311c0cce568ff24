"""Which parser takes which document; runs in the sandbox."""

from daneel.corpus.read.item import Parsed, UnusableError


def parse_here(kind: str, data: bytes, limit: int) -> Parsed:
    """A document parsed in this process. Raises UnusableError, or whatever the parser raises."""
    if len(data) > limit:
        raise UnusableError(f"larger than {limit >> 20} MB")
    parsed = _parse(kind, data, limit)
    if not parsed.text.strip():
        raise UnusableError("no text in it")
    about = {key: " ".join(value.split())[:500] for key, value in parsed.about.items() if value and value.strip()}
    return Parsed(parsed.text, about, parsed.encoding, parsed.note)


def _parse(kind: str, data: bytes, limit: int) -> Parsed:
    # Imported when needed: each brings a large library.
    if kind == "html":
        from daneel.corpus.read.html import parse_html

        return parse_html(data)
    if kind == "epub":
        from daneel.corpus.read.epub import parse_epub

        return parse_epub(data, limit)
    if kind == "pdf":
        from daneel.corpus.read.pdf import parse_pdf

        return parse_pdf(data)
    if kind == "docx":
        from daneel.corpus.read.docx import parse_docx

        return parse_docx(data, limit)
    from daneel.corpus.read.tex import parse_tex

    return parse_tex(data)
