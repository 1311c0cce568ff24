"""A text as a model reads it, token by token."""

from collections.abc import Iterable
from dataclasses import dataclass

from daneel.tokenizer.load import Tokenizer

# Signs for what would move the cursor or speak to the terminal.
_SIGNS = {0x0A: "↵\n", 0x0D: "␍", 0x09: "→", 0x7F: "␡"} | {
    code: chr(0x2400 + code) for code in range(32) if code not in (9, 10, 13)
}
_SIGNS |= {code: f"⟨U+{code:04X}⟩" for code in (*range(0x80, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F),
                                               *range(0x2066, 0x206A))}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """One token of a text."""

    id: int
    bytes: bytes
    special: bool

    @property
    def text(self) -> str:
        """What the token says; bytes that are part of a character as ⟨E4⟩, controls as signs."""
        return visible(self.bytes)


def pieces(tokenizer: Tokenizer, text: str, special: bool = True) -> list[Piece]:
    """The tokens of a text; with `special`, the names of special tokens are those tokens."""
    ids = tokenizer.encode(text, special=special)
    return [Piece(id, tokenizer.token_bytes(id), id in tokenizer.special_ids) for id in ids]


def visible(data: bytes) -> str:
    """Bytes for a terminal: nothing invisible, nothing that a terminal obeys."""
    text = data.decode("utf-8", "surrogateescape").translate(_SIGNS)
    # A byte that is no character of its own was decoded to U+DC80 and above.
    return "".join(f"⟨{ord(c) - 0xDC00:02X}⟩" if "\udc80" <= c <= "\udcff" else c for c in text)


def bracketed(found: Iterable[Piece], ids: bool = False) -> str:
    """The tokens in brackets, for where there is no colour: ⟦ ⟧, and ⟪ ⟫ around special ones."""
    out = []
    for piece in found:
        left, right = "⟪⟫" if piece.special else "⟦⟧"
        text = piece.text
        # The bracket closes before the line ends, so that each line stands for itself.
        end = "\n" if text.endswith("\n") else ""
        out.append(f"{left}{text.removesuffix(end)}{f' {piece.id}' if ids else ''}{right}{end}")
    return "".join(out)
