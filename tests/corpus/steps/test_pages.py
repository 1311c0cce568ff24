from daneel.corpus.document import Document
from daneel.corpus.step import Note
from daneel.corpus.steps.licences import LicenceBlocks
from daneel.corpus.steps.pages import Pages
from daneel.corpus.steps.script import Script


def after(text: str, step: Pages | LicenceBlocks) -> tuple[str, dict[str, Note]]:
    result = step.apply([Document(text, "a.pdf", "", "", "", "", "")])
    assert result.documents[0]
    return result.documents[0].text, {note.what: note for _, note in result.notes}


NAMES = ["keeper", "sailor", "doctor", "writer", "farmer", "singer"]
LINES = [
    "The {name} climbed the stairs with the lamp in his hand and said",
    "nothing of the ship, for he had not been asked about it, and the ex-",
    "traordinary light that he had seen stood over the sea like a well-",
    "known friend of {name}s. It was late.",
]


def book() -> str:
    pages = [[line.format(name=name) for line in LINES] for name in NAMES]
    heads = ["THE LAMP" if n % 2 else f"A. WRITER {n}" for n in range(len(pages))]
    return "\f".join("\n".join([heads[n], "", *page, "", f"- {n} -"]) for n, page in enumerate(pages))


def test_a_printed_book_becomes_paragraphs() -> None:
    text, notes = after(book() + "\n\nA well-known end.", Pages())
    assert "THE LAMP" not in text
    assert "WRITER" not in text
    assert "- 3 -" not in text
    assert notes["page numbers removed"].times == 6
    assert notes["running heads removed"].times == 6
    assert notes["words broken over lines joined"].times == 6
    paragraph = text.split("\n")[0]
    assert paragraph.startswith("The keeper climbed the stairs with the lamp in his hand and said nothing")
    assert "the extraordinary light" in paragraph
    assert "like a well-known friend of keepers. It was late." in paragraph


def test_chinese_lines_are_joined_without_a_space() -> None:
    line = "灯塔的看守人写下了最后一页日志然后走下楼梯去看那条从来没有人见过的船"
    pages = [f"{who}看{line}\n{who}听{line[:20]}。\n第{n}页" for n, who in enumerate("甲乙丙丁", 1)]
    text, notes = after("\f".join(pages), Pages())
    assert text.split("\n")[0] == f"甲看{line}甲听{line[:20]}。"
    assert notes["page numbers removed"].times == 4


def test_numbers_that_count_up_are_pages_and_others_are_the_story_s() -> None:
    prose = "He said it was late.\nNobody asked why."
    text, notes = after("\n".join(f"{prose}\n{n}" for n in range(7, 15)), Pages())
    assert text == "\n".join([prose] * 8)
    assert notes["page numbers removed"].times == 8
    years = "\n".join(f"{prose}\n{n}" for n in (1984, 2001, 1999, 42, 7))
    assert after(years, Pages()) == (years, {})
    chapters = "\n".join(f"{n}\n" + f"{prose}\n" * 80 for n in range(1, 12))
    assert after(chapters, Pages()) == (chapters, {})


def test_a_word_is_joined_only_where_the_text_knows_it() -> None:
    assert after("a lighthouse. The light-\nhouse, then, was dark.", Pages())[0] == (
        "a lighthouse. The lighthouse,\nthen, was dark."
    )
    for stays in ("The light-\nhouse was dark.", "well-known and well-\nknown", "Jean-\nPaul", "a dash -\nthen"):
        assert after(stays, Pages())[0] == stays


def test_notices_of_rights_go_from_the_ends_only() -> None:
    story = "\n\n".join(f"Paragraph {n} of the story, in which it rained." for n in range(60))
    notice = "Copyright © 1999 by A. Writer. All rights reserved.\nNo part of this book may be reproduced."
    text, notes = after(f"The Lamp\n\n{notice}\n\n{story}\n\n版权所有，未经许可不得转载。", LicenceBlocks())
    assert text == f"The Lamp\n\n{story}\n\n"
    assert notes["notices of rights removed"].times == 2
    inside = story.replace("Paragraph 30", "“All rights reserved,” he said. Paragraph 30")
    assert after(inside, LicenceBlocks()) == (inside, {})


def test_chinese_in_one_script() -> None:
    zh = Document("头发发展", "a", "", "", "zh", "", "")
    ja = Document("発展", "b", "", "", "ja", "", "")
    result = Script(to="traditional").apply([zh, ja])
    assert [document and document.text for document in result.documents] == ["頭髮發展", "発展"]
    assert [(place, note.what) for place, note in result.notes] == [(0, "made traditional Chinese")]
    back = Script(to="simplified").apply([document for document in result.documents if document])
    assert back.documents[0]
    assert back.documents[0].text == "头发发展"
    assert Script().apply([zh]).documents == [zh]
