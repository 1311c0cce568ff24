import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.markdown import code, inline, one_line, paragraph, table

HOSTILE = [
    "# a heading", "> a quotation", "- a list", "1. a list", "2) a list", "```", "---", "===", "+ a", "* a", "~~~",
    "| a | b |", "<script>alert(1)</script>", "![x](http://x)", "[x]: http://x", "**bold**", "a\n\n# b", "a\x1b[31mb",
    "&lt;", "a\u202eb",
    "$x$", "灯\u2028塔",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_paragraph_is_nothing_but_text(text):
    shown = paragraph(text)
    assert "\n" not in shown
    assert not re.match(r"[#>+=~:|*-]|\d+[.)]|```", shown)
    assert not re.search(r"(?<!\\)[`*_\[\]|~$<>]", shown)
    assert all(sign.isprintable() for sign in shown)


@given(st.text())
def test_what_is_shown_reads_as_the_text(text):
    shown = paragraph(text)
    shown = re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), shown)
    shown = re.sub(r"\\(.)", r"\1", shown).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    # A backslash of the text stands as two.
    assert shown == one_line(text)


def test_inline_leaves_plain_text_alone():
    assert inline("镜花缘, by H.G. Wells (1895) - no. 3") == "镜花缘, by H.G. Wells (1895) - no. 3"


def test_code_cannot_be_left():
    assert code("a`b\n```c") == "`a’b ’’’c`"


@given(st.lists(st.text(), min_size=2, max_size=2))
def test_a_cell_cannot_be_left(cells):
    lines = table(("a", "b"), [[inline(cell) for cell in cells], ("x", 1234)]).splitlines()
    assert len(lines) == 4
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines} == {3}
    assert lines[3] == "| x | 1,234 |"


def test_columns_of_numbers_stand_right():
    head = table(("a", "b", "c", "d"), [("x", 1, "**2.5**", "< 0.1 %"), ("y", 20, "3.0", "12.0 %")]).splitlines()[1]
    assert head == "| --- | --: | --: | --: |"
