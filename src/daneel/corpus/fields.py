"""Records of several texts (a sentence and its translation, the turns of a conversation) as one document.

So the steps that clean books clean them too. The texts stand one below the other with a line between them that holds
nothing but a sign; what else the record says is kept as JSON in the batch.
"""

from collections.abc import Sequence

_SIGN = "\u241e"
_LINE = f"\n{_SIGN}\n"


def join(texts: Sequence[str]) -> str:
    """Several texts as one; the sign itself, where a text has it, becomes a space."""
    return _LINE.join(text.replace(_SIGN, " ").strip() for text in texts)


def part(text: str) -> list[str]:
    """The texts that were joined."""
    return [piece.strip() for piece in text.split(_SIGN)]


def split(text: str) -> list[str]:
    """The same, but what is no record stays as it is, to the last space."""
    return part(text) if _SIGN in text else [text]
