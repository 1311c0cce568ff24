import pytest

from daneel.corpus.naming import name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Lamp\nby A. Writer\n\nIt was late.", ("The Lamp", "A. Writer")),
        ("# The Lamp\n\n*by A. Writer*\n\nIt", ("The Lamp", "")),
        ("The Lamp\n\nIt was late.", ("The Lamp", "")),
        ("As Easy as A.B.C.\nby Rudyard Kipling\n\nThe A.B.C.", ("As Easy as A.B.C.", "Rudyard Kipling")),
        ("谁在那里？\n作者：许地山\n\n那天", ("谁在那里？", "许地山")),
        ("西游补\n董说\n\n话说", ("西游补", "")),
        ("铁鱼的鳃\n作者：许地山\n\n那天", ("铁鱼的鳃", "许地山")),
        ("It was late.\n\nHe went.", ("stem", "")),
        ("It was late and the line goes on\nand on and on\nand on\n\nHe", ("stem", "")),
        ("word", ("stem", "")),
    ],
)
def test_titles(text: str, expected: tuple[str, str]) -> None:
    assert name(text, "folder/stem.txt#3") == expected
