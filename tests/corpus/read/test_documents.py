"""Pages, books, papers: what is kept of each kind, and what a hostile one comes to."""

import io
import time
from pathlib import Path

import docx
import pytest
from corpus.read.samples import (
    ENGLISH,
    epub,
    one,
    package,
    pdf,
    reasons,
    texts,
    xhtml,
    zipped,
)

from daneel.corpus.read import ReadSettings, sandbox

MENU = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/shop'>Shop</a></li></ul></nav>"
FOOT = "<footer>Copyright. <a rel='license' href='https://creativecommons.org/licenses/by/4.0/'>CC BY 4.0</a></footer>"


def page(article: str, head: str = "<title>Story - Site</title>") -> str:
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{MENU}<main>{article}</main>{FOOT}</body></html>"


def test_a_page_keeps_its_article_and_loses_its_navigation(tmp_path: Path) -> None:
    paragraphs = "".join(f"<p>{n}. {ENGLISH}</p>" for n in range(8))
    head = "<title>Story - Site</title><meta name='author' content='Ann Writer'><script>var x = 'no';</script>"
    (tmp_path / "a.html").write_text(page(f"<h1>The Lamp</h1>{paragraphs}<h2>Two</h2><p>{ENGLISH}</p>", head))
    raw = one(tmp_path / "a.html")
    blocks = raw.text.split("\n\n")
    assert blocks[0] == "# The Lamp"
    assert blocks[1] == f"0. {ENGLISH}"
    assert blocks[-2:] == ["## Two", ENGLISH]
    assert raw.about == {"title": "The Lamp", "author": "Ann Writer", "language": "en", "licence": "CC BY 4.0"}
    assert not any(word in raw.text for word in ("Home", "Shop", "Copyright", "var x"))


def test_a_page_without_an_article_gives_all_its_text_and_says_so(tmp_path: Path) -> None:
    poem = "<h1>静夜思</h1><p>床前明月光，<br>疑是地上霜。</p><p>举头望\n明月，<ruby>低<rt>dī</rt></ruby>头思故乡。</p>"
    (tmp_path / "a.html").write_text(page(poem, "<meta charset='utf-8'><title>诗</title>"), "utf-8")
    raw = one(tmp_path / "a.html")
    assert raw.text == "# 静夜思\n\n床前明月光，\n疑是地上霜。\n\n举头望明月，低头思故乡。"
    assert raw.note == "no article found, so all text of the page"


def test_declarations_before_an_xhtml_page_are_no_text(tmp_path: Path) -> None:
    head = """<?xml version="1.0"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd" [
<!ENTITY nbsp "&#160;"> <!ENTITY odd "a[1]b"> ]>
"""
    (tmp_path / "a.xhtml").write_text(f"{head}<html><body><p>灯塔的灯亮着。</p><p>[1]>2</p></body></html>", "utf-8")
    raw = one(tmp_path / "a.xhtml")
    assert raw.text == "灯塔的灯亮着。\n\n[1]>2"
    assert "title" not in raw.about or "]" not in raw.about["title"]


@pytest.mark.parametrize(
    ("charset", "encoding"), [("gb2312", "gb18030"), ("big5", "big5hkscs"), ("shift_jis", "cp932")]
)
def test_the_charset_of_a_page_is_believed(tmp_path: Path, charset: str, encoding: str) -> None:
    text = ("鑛" if charset == "shift_jis" else "鑫") * 12  # no frequent sign, so that the bytes alone tell nothing
    head = f"<meta http-equiv='Content-Type' content='text/html; charset={charset}'><title>x</title>"
    (tmp_path / "a.htm").write_bytes(page(f"<p>{text}</p>", head).encode(encoding))
    raw = one(tmp_path / "a.htm")
    assert (raw.text, raw.encoding) == (text, encoding)


BOOK = package(
    "<dc:title>灯塔</dc:title><dc:creator>王</dc:creator><dc:creator>李</dc:creator><dc:language>zh</dc:language>"
    "<dc:rights>CC0</dc:rights>",
    '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    '<item id="one" href="text/1%20a.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="two" href="text/2.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="notes" href="notes.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="cover" href="c.png" media-type="image/png"/>'
    '<item id="gone" href="gone.xhtml" media-type="application/xhtml+xml"/>',
    '<itemref idref="nav"/><itemref idref="cover"/><itemref idref="two"/><itemref idref="one"/>'
    '<itemref idref="notes" linear="no"/><itemref idref="gone"/><itemref idref="nowhere"/>',
)
NAV = xhtml('<nav><ol><li><a href="text/1%20a.xhtml#top">尾声</a></li><li><a href="text/2.xhtml">x</a></li></ol></nav>')
PAGES: dict[str, str | bytes] = {
    "nav.xhtml": NAV,
    "text/1 a.xhtml": xhtml("<p>他走了，\n再没有回来。<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby></p>"),
    "text/2.xhtml": xhtml("<h1>第一章<br/>海</h1><p>a&nbsp;b &amp; c</p><pre> line\n  line</pre>"),
    "notes.xhtml": xhtml("<p>notes</p>"),
    "c.png": b"\x89PNG",
}


def test_a_book_keeps_title_author_language_rights_and_chapters_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "b.epub").write_bytes(epub(BOOK, PAGES))
    raw = one(tmp_path / "b.epub")
    assert raw.about == {"title": "灯塔", "author": "王, 李", "language": "zh", "licence": "CC0"}
    assert raw.text == "# 第一章 海\n\na\xa0b & c\n\n line\n  line\n\n\n# 尾声\n\n他走了，再没有回来。漢"
    assert raw.note == "1 chapters that cannot be read"


def test_books_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.epub").write_bytes(zipped({"x.txt": "x"}))
    (tmp_path / "b.epub").write_bytes(epub(BOOK, PAGES)[:700])
    big = xhtml("<p>" + "a" * (3 << 20) + "</p>")
    (tmp_path / "c.epub").write_bytes(epub(BOOK, PAGES | {"text/2.xhtml": big}))
    bomb = (
        '<!DOCTYPE p [<!ENTITY a "'
        + "x" * 1000
        + '">'
        + "".join(f'<!ENTITY {new} "{("&" + old + ";") * 20}">' for old, new in zip("abcdef", "bcdefg", strict=True))
    )
    entities = bomb + "]>" + xhtml("<p>before &g; after</p>")
    (tmp_path / "d.epub").write_bytes(epub(BOOK, {"text/2.xhtml": entities, "text/1 a.xhtml": xhtml("<p>ok</p>")}))
    found = reasons(tmp_path, ReadSettings(document_bytes=1 << 20))
    assert found["a.epub"] == "not an EPUB: no package file in it"
    assert found["b.epub"] == "not an EPUB: its zip container is damaged"
    assert found["c.epub"] == "unpacks to more than 1 MB"
    text = texts(tmp_path, ReadSettings(document_bytes=1 << 20))["d.epub"]
    assert "ok" in text
    assert "xxx" not in text


def test_the_pages_of_a_pdf_are_parted_by_form_feeds(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("Page one", "", "Page three", title="Lamp"))
    raw = one(tmp_path / "a.pdf")
    assert (raw.text, raw.about) == ("Page one\f\fPage three", {"title": "Lamp"})


def test_pdfs_that_give_nothing_say_why(tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(pdf("Page one")[:120])
    (tmp_path / "scan.pdf").write_bytes(pdf("", ""))
    (tmp_path / "text.pdf").write_bytes(b"only text")
    assert reasons(tmp_path) == {
        "broken.pdf": "not a PDF, or damaged",
        "scan.pdf": "no text layer: a scan needs recognition (OCR) first",
        "text.pdf": "not a PDF, or damaged",
    }


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title, document.core_properties.author = "灯塔", "王"
    document.add_heading("灯塔", 0)
    document.add_heading("第一章", 1)
    document.add_paragraph("公元2042年。")
    document.add_paragraph("")
    table = document.add_table(2, 2)
    for place, text in enumerate(("a", "b", "c", "d")):
        table.cell(place // 2, place % 2).text = text
    table.add_row().cells[0].merge(table.rows[2].cells[1]).text = "wide"
    document.add_heading("Small", 3)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_word_document_keeps_headings_and_tables(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(word())
    raw = one(tmp_path / "a.docx")
    assert raw.text == "# 灯塔\n\n# 第一章\n\n公元2042年。\n\na\tb\nc\td\nwide\n\n### Small"
    assert raw.about == {"title": "灯塔", "author": "王"}


def test_word_documents_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(zipped({"[Content_Types].xml": "<x/>", "word/document.xml": "<x/>"}))
    (tmp_path / "b.docx").write_bytes(b"not a zip")
    (tmp_path / "c.docx").write_bytes(word() + b"")
    found = reasons(tmp_path, ReadSettings(document_bytes=30_000))
    assert found["a.docx"].startswith("damaged: ")
    assert found["b.docx"] == "not a Word document, or damaged"
    assert found["c.docx"].startswith(("unpacks to more", "larger than"))


PAPER = r"""
\documentclass{article} % a comment
\newcommand{\ours}{MegaNet}
\title{On \emph{Lamps}\thanks{money}}
\author{A. Writer \and 王小明}
\begin{document}
\maketitle
\section{Intro}
We \textbf{propose} \ours{} as in~\cite{x}, 50\% better % not this
than $x^2$.
\input{parts/one} \include{parts/two.tex}
\input{../secret} \input{parts/link} \input{/etc/passwd} \input{gone}
\begin{thebibliography}{9}\bibitem{x} Someone\end{thebibliography}
\end{document}
after
"""


def test_a_paper_is_one_text_with_what_it_includes(tmp_path: Path) -> None:
    (tmp_path / "secret.tex").write_text("SECRET")
    top = tmp_path / "paper"
    (top / "parts").mkdir(parents=True)
    (top / "main.tex").write_text(PAPER, "utf-8")
    (top / "parts/one.tex").write_text("First part. \\input{parts/one}\\input{main}", "utf-8")
    (top / "parts/two.tex").write_text("第二部分。", "utf-8")
    (top / "alone.tex").write_text("Nobody includes me.")
    (top / "parts/link.tex").symlink_to(tmp_path / "secret.tex")
    raw = texts(top)
    assert "parts/link.tex" not in raw  # it leads out of the folder, by inclusion too
    assert raw["alone.tex"] == "Nobody includes me."
    text = raw["main.tex"]
    assert text.startswith("## Intro\n\n")
    for words in ("We propose MegaNet as in, 50% better", "$x^2$", "First part.", "第二部分。"):
        assert words in text
    for words in ("SECRET", "root:", "Someone", "not this", "after", "documentclass"):
        assert words not in text
    assert one(top / "main.tex").about == {"title": "On Lamps", "author": "A. Writer, 王小明"}
    part = "a part of another .tex file, read with it"
    outside = "a link that leads out of the folder: name what it leads to"
    assert reasons(top) == {"parts/one.tex": part, "parts/two.tex": part, "parts/link.tex": outside}


def test_sources_that_include_each_other_without_end_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "main.tex").write_text("\\documentclass{a}\\begin{document}\\input{a}\\end{document}")
    for name, other in zip("abcdefghijklmno", "bcdefghijklmnop", strict=True):
        (tmp_path / f"{name}.tex").write_text(f"\\input{{{other}}}" * 20)
    (tmp_path / "p.tex").write_text("x" * 100)
    start = time.monotonic()
    found = reasons(tmp_path / "main.tex", ReadSettings(document_bytes=1 << 20))
    assert found == {"main.tex": "includes more than 2,000 files"}
    assert time.monotonic() - start < 20


def test_the_content_tells_what_a_file_is_where_its_name_lies(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(pdf("In truth a PDF"))
    (tmp_path / "b.txt").write_text(page("".join(f"<p>{n}. {ENGLISH}</p>" for n in range(9))))
    (tmp_path / "c.pdf").write_text(page("".join(f"<p>{n}. {ENGLISH}</p>" for n in range(9))))
    (tmp_path / "d.html").write_bytes(epub(BOOK, PAGES))
    (tmp_path / "e.txt").write_bytes(zipped({"x": "x"}))
    (tmp_path / "f.md").write_text("# <html> in Markdown\n")
    assert texts(tmp_path)["a.txt"] == "In truth a PDF"
    assert one(tmp_path / "a.txt").note == "is a PDF, whatever its name says"
    assert [one(tmp_path / name).note for name in ("b.txt", "c.pdf")] == ["is HTML, whatever its name says"] * 2
    assert one(tmp_path / "d.html").about["title"] == "灯塔"
    assert texts(tmp_path)["f.md"] == "# <html> in Markdown\n"
    assert reasons(tmp_path) == {"e.txt": "is a zip archive, whatever its name says: unpack or rename it"}


def test_markup_nested_without_end_is_no_end(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<html><body>" + "<div>" * 200_000 + "deep" + "</div>" * 200_000)
    (tmp_path / "b.html").write_text("<html><body><p>" + "<b>" * 50_000 + "bold")
    found = texts(tmp_path), reasons(tmp_path)
    assert set(found[0]) | set(found[1]) == {"a.html", "b.html"}


def test_a_parser_that_hangs_or_dies_is_a_reason_and_the_next_document_is_read(tmp_path: Path) -> None:
    slow = ReadSettings(parse_seconds=0.001)
    (tmp_path / "a.pdf").write_bytes(pdf("Page one"))
    sandbox._close()  # so that it must start first
    assert reasons(tmp_path / "a.pdf", slow) == {"a.pdf": "takes longer than 0.001 s to read"}
    assert texts(tmp_path / "a.pdf") == {"a.pdf": "Page one"}
    (process,) = sandbox._running.values()
    process._process.kill()
    process._process.wait()
    assert reasons(tmp_path / "a.pdf") == {"a.pdf": "its reader crashed"}
    assert texts(tmp_path / "a.pdf") == {"a.pdf": "Page one"}


def test_a_parser_that_wants_too_much_memory_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<html><body>" + "<p>x</p>" * 4_000_000)
    found = reasons(tmp_path / "a.html", ReadSettings(parse_memory=400 << 20))
    assert found["a.html"].startswith(("needs more memory than it may take", "its reader crashed", "damaged: "))
