"""A PDF's text layer, its pages parted by form feeds."""

from daneel.corpus.read.item import Parsed, UnusableError


def parse_pdf(data: bytes) -> Parsed:
    """The text of every page. Raises UnusableError where there is none."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        encrypted = "password" in str(error).lower()
        raise UnusableError("encrypted: save it without a password" if encrypted else "not a PDF, or damaged") from None
    try:
        pages, bad = [], 0
        for number in range(len(document)):
            try:
                page = document[number]
                text = page.get_textpage()
                pages.append(_plain(text.get_text_range()))
                text.close()
                page.close()
            except pypdfium2.PdfiumError:
                bad += 1
        metadata = document.get_metadata_dict()
    finally:
        document.close()
    if not "".join(pages).strip():
        reason = "no page can be read" if bad and not pages else "no text layer: a scan needs recognition (OCR) first"
        raise UnusableError(reason)
    about = {"title": metadata.get("Title", ""), "author": metadata.get("Author", "")}
    return Parsed("\f".join(pages), about, "pdf", f"{bad} pages that cannot be read" if bad else "")


def _plain(text: str) -> str:
    # PDFium writes a hyphen at a line's end as one of two signs that are no text.
    return text.replace("\r\n", "\n").replace("\x02", "-").replace("\ufffe", "-").replace("\0", "")
