import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.document import Document
from daneel.corpus.step import LocalStep, Note
from daneel.corpus.steps.unicode import Unicode
from daneel.corpus.steps.whitespace import Whitespace


def after(text: str, *steps: LocalStep) -> tuple[str, list[Note]]:
    document, notes = Document(text, "a.txt", "", "", "", "", ""), []
    for step in steps:
        result = step.apply([document])
        assert result.documents[0]
        document = result.documents[0]
        notes += [note for _, note in result.notes]
    return document.text, notes


@pytest.mark.parametrize(
    "text",
    [
        "“Curly”, ‘quotes’ — and… dashes, ﬁne ligatures",
        "他说：“你好！”——（全角，ＡＢＣ）『引』、　　缩进",
        "a &lt;b&gt; &amp; c",
        "👩‍🚀 café e\n\n\nnext",
        "    code\n\tmore",
        "Это было поздно, ёлка. Ça alors, Ürzig, œuvre.",
    ],
)
def test_good_text_stays(text: str) -> None:
    assert after(text, Unicode(), Whitespace()) == (text, [])


@pytest.mark.parametrize(
    ("text", "fixed", "kind"),
    [
        ("the cafÃ© was â€œopenâ€\x9d", "the café was “open”", "encoding damage"),
        ("è¿\x99æ\x98¯ä¸\xadæ\x96\x87", "这是中文", "encoding damage"),
        ("РџСЂРёРІРµС‚", "Привет", "encoding damage"),
        ("cafe\u0301", "café", "Unicode composed"),
        ("a\r\nb\rc\n", "a\nb\nc", "line ends"),
        ("a\u2028b\u2029c", "a\nb\n\nc", "line ends"),
        ("a  \nb\u3000\n\n\n\n\n\nc", "a\nb\n\n\nc", "spaces at line ends"),
        ("\n\n\ta\n", "\ta", ""),
        ("a\x00\x07b\ufeff", "ab", "encoding damage"),
        ("a\x0cb", "a\nb", "spaces at line ends"),
        ("Raum\u00adschiff", "Raumschiff", "soft hyphens"),
    ],
)
def test_damage_is_repaired_and_named(text: str, fixed: str, kind: str) -> None:
    text, notes = after(text, Unicode(), Whitespace())
    assert text == fixed
    assert [note.what[: len(kind)] for note in notes] == ([kind] if kind else [])


def test_an_example_shows_the_place() -> None:
    assert after("One line.\nThe little cafÃ© there", Unicode())[1] == [
        Note("encoding damage repaired", "'le cafÃ© there' → 'le café there'".replace("'le", "'little"))
    ]


@given(st.text(max_size=60))
def test_nothing_but_form_feeds_and_tabs_is_left_to_break_a_line(text: str) -> None:
    cleaned, _ = after(text, Unicode())
    assert not set(cleaned) & {"\r", "\0", "\x1b", "\u2028", "\ufeff", "\x7f"}
    tidy, _ = after(cleaned, Whitespace())
    assert after(tidy, Unicode(), Whitespace())[0] == tidy
