import pytest

from daneel.corpus.document import Document
from daneel.corpus.excerpt import beginning, excerpts
from daneel.corpus.fields import join


def excerpt(text: str, title: str = "", author: str = "") -> tuple[str, ...]:
    (found,) = excerpts([Document(text, "a.txt", title, author, "en", "", "")])
    return found.texts


@pytest.mark.parametrize(
    ("text", "title", "author"),
    [
        ("As Easy as A.B.C.\nby Rudyard Kipling\n\nIt began.", "As Easy as A.B.C.", "Rudyard Kipling"),
        ("# The Lamp\n\nIt began.", "The Lamp", ""),
        ("铁鱼的鳃\n作者：许地山\n\nIt began.", "铁鱼的鳃", "许地山"),
        ("It began.", "", ""),
        ("THE LAMP\nA. Writer\nIt began.", "The Lamp", "A. Writer"),
    ],
)
def test_title_and_author_are_not_said_again(text, title, author):
    assert excerpt(text, title, author) == ("It began.",)


def test_a_text_that_is_its_title_is_kept():
    assert excerpt("The Lamp", "The Lamp") == ("The Lamp",)
    assert excerpt("The Lamp burned.", "The Lamp") == ("The Lamp burned.",)


def test_each_text_of_a_record_stands_alone():
    assert excerpt(join(["The lamp\nburned.", "灯亮着。"])) == ("The lamp burned.", "灯亮着。")


def test_a_beginning_has_so_many_columns():
    assert beginning("灯" * 300) == "灯" * 200 + "…"
    assert beginning("a" * 401) == "a" * 400 + "…"
    assert beginning("a" * 400) == "a" * 400
    assert beginning(" a \n\n b ", 3) == "a b"
