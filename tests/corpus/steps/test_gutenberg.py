import pytest

from daneel.corpus.document import Document
from daneel.corpus.step import Note
from daneel.corpus.steps.gutenberg import Gutenberg

BODY = "Chapter 1\n\nThe lamp was lit at dusk.\n\nIt was late."
STORY = f"{BODY}\n\n" + "He walked on, and nobody asked. " * 40


def after(text: str) -> tuple[Document, list[Note]]:
    result = Gutenberg().apply([Document(text, "a.txt", "", "", "", "", "")])
    assert result.documents[0]
    return result.documents[0], [note for _, note in result.notes]


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
    cleaned, notes = after(form.format(story=STORY))
    assert cleaned.text.strip() == STORY.rstrip()
    assert [note.what for note in notes] == ["Project Gutenberg header and licence cut"]
    assert (cleaned.title, cleaned.author) == (("The Lamp", "A. Writer") if form is MODERN else ("", ""))


def test_a_story_about_gutenberg_is_not_cut() -> None:
    text = "He read a Project Gutenberg book.\n\nProduced by nobody. The end of Project Gutenberg was near."
    assert after(text)[0].text == text
