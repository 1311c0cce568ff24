import pytest

from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.show import bracketed, pieces, visible


def test_tokens_join_to_the_text_and_special_ones_are_marked(byte_level: Tokenizer) -> None:
    text = "The year is 2042. 公元<|im_end|>\n鑫"
    found = pieces(byte_level, text)
    assert b"".join(piece.bytes for piece in found).decode() == text
    assert [piece.bytes for piece in found if piece.special] == [b"<|im_end|>"]
    assert [piece.id for piece in found] == byte_level.encode(text, special=True)
    assert not any(piece.special for piece in pieces(byte_level, text, special=False))


def test_brackets_and_ids(byte_level: Tokenizer) -> None:
    found = pieces(byte_level, "The year<|im_end|>\n鑫")
    shown = bracketed(found)
    assert shown.startswith("⟦The⟧⟦ year⟧⟪<|im_end|>⟫⟦↵⟧\n")
    assert shown.split("\n")[1].replace("⟦", "").replace("⟧", "") == "⟨E9⟩⟨91⟩⟨AB⟩"
    assert bracketed(found[2:3], ids=True) == "⟪<|im_end|> 2⟫"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("，".encode() + b"\xe4\xb8", "，⟨E4⟩⟨B8⟩"),
        (b"\xad!", "⟨AD⟩!"),
        (b"\x1b[31m\r\t\x00\x7f", "␛[31m␍→␀␡"),
        ("\u202e\u0085x".encode(), "⟨U+202E⟩⟨U+0085⟩x"),
        ("👩‍🚀 ".encode(), "👩‍🚀 "),
    ],
)
def test_nothing_invisible_reaches_the_terminal(data: bytes, shown: str) -> None:
    assert visible(data) == shown
