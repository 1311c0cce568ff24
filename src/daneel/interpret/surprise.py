"""Which tokens of a text a model did not expect."""

import math

from daneel.lm.base import LanguageModel
from daneel.report import TokenText


def surprise(lm: LanguageModel, text: str, context: str = "", label: str = "") -> TokenText:
    """Each token of a text with -log2 of its probability after all that stands before it.

    Tokens that hold only a part of a character, as rare Chinese ones do, are joined until they can be shown;
    their bits add up.
    """
    scored = lm.score(context, text)
    pieces: list[str] = []
    bits: list[float] = []
    waiting, cost = b"", 0.0
    for token, logprob in zip(scored.tokens, scored.logprobs.tolist(), strict=True):
        waiting += token
        cost -= logprob / math.log(2)
        try:
            piece = waiting.decode()
        except UnicodeDecodeError as error:
            # A character still open at the end may be completed; anything else never will be.
            if error.reason == "unexpected end of data":
                continue
            piece = waiting.decode(errors="replace")
        pieces.append(piece)
        bits.append(cost)
        waiting, cost = b"", 0.0
    if waiting:
        pieces.append(waiting.decode(errors="replace"))
        bits.append(cost)
    return TokenText(label or lm.name, pieces, bits)
