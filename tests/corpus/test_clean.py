import pytest

from daneel.corpus.clean import clean, name

BODY = "Chapter 1\n\nThe lamp was lit at dusk.\n\nIt was late."
STORY = f"{BODY}\n\n" + "He walked on, and nobody asked. " * 40


@pytest.mark.parametrize(
    "text",
    [
        "“Curly”, ‘quotes’ — and… dashes, ﬁne ligatures",
        "他说：“你好！”（全角，ＡＢＣ）『引』、　　缩进",
        "a &lt;b&gt; &amp; c",
        "👩‍🚀 café e\n\n\nnext",
        "    code\n\tmore",
    ],
)
def test_good_text_stays(text: str) -> None:
    assert clean(text).text == text
    assert clean(text).fixes == {}


@pytest.mark.parametrize(
    ("text", "fixed", "kind"),
    [
        ("the cafÃ© was â€œopenâ€\x9d", "the café was “open”", "encoding damage"),
        ("cafe\u0301", "café", "Unicode composed"),
        ("a\r\nb\rc\n", "a\nb\nc", "line ends"),
        ("a  \nb\u3000\n\n\n\n\n\nc", "a\nb\n\n\nc", "spaces at line ends"),
        ("\n\n\ta\n", "\ta", ""),
        ("a\x00\x07b\ufeff", "ab", "encoding damage"),
        ("a\x0cb", "a\nb", "line ends"),
    ],
)
def test_damage_is_repaired_and_named(text: str, fixed: str, kind: str) -> None:
    cleaned = clean(text)
    assert cleaned.text == fixed
    assert [fix[: len(kind)] for fix in cleaned.fixes] == ([kind] if kind else [])


def test_an_example_shows_the_place() -> None:
    assert clean("The little cafÃ© there").fixes == {
        "encoding damage repaired": "'little cafÃ© there' → 'little café there'"
    }


MODERN = """The Project Gutenberg eBook of The Lamp

Title: The Lamp
Author: A. Writer

*** START OF THE PROJECT GUTENBERG EBOOK THE LAMP ***

Produced by Somebody and the Online
Distributed Proofreading Team

{story}

*** END OF THE PROJECT GUTENBERG EBOOK THE LAMP ***

Updated editions will replace the previous one. *** START: FULL LICENSE ***
"""
OLDER = """The Project Gutenberg Etext of The Lamp, by A. Writer
***START OF THE PROJECT GUTENBERG EBOOK THE
LAMP***
{story}

End of Project Gutenberg's The Lamp, by A. Writer

***END OF THE PROJECT GUTENBERG EBOOK***
"""
OLDEST = """**Welcome To The World of Free Plain Vanilla Electronic Texts** Project Gutenberg

*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*

{story}

End of The Project Gutenberg Etext of The Lamp
"""


@pytest.mark.parametrize("form", [MODERN, OLDER, OLDEST])
def test_gutenberg_is_cut(form: str) -> None:
    cleaned = clean(form.format(story=STORY).replace("\n", "\r\n"))
    assert cleaned.text == STORY.rstrip()
    assert any(fix.startswith("Project Gutenberg") for fix in cleaned.fixes)
    assert (cleaned.title, cleaned.author) == (("The Lamp", "A. Writer") if form is MODERN else ("", ""))


def test_a_story_about_gutenberg_is_not_cut() -> None:
    text = "He read a Project Gutenberg book.\n\nProduced by nobody. The end of Project Gutenberg was near."
    assert clean(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Lamp\nby A. Writer\n\nIt was late.", ("The Lamp", "A. Writer")),
        ("# The Lamp\n\n*by A. Writer*\n\nIt", ("The Lamp", "")),
        ("The Lamp\n\nIt was late.", ("The Lamp", "")),
        ("西游补\n董说\n\n话说", ("西游补", "")),
        ("铁鱼的鳃\n作者：许地山\n\n那天", ("铁鱼的鳃", "许地山")),
        ("It was late.\n\nHe went.", ("stem", "")),
        ("It was late and the line goes on\nand on and on\nand on\n\nHe", ("stem", "")),
        ("word", ("stem", "")),
    ],
)
def test_titles(text: str, expected: tuple[str, str]) -> None:
    assert name(text, "stem") == expected
