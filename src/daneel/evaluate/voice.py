"""The proof that a model learned one author's voice, not only old prose in general.

Training on any prose lowers the bits per byte of other prose of its kind, so a gain on the author's held-out
text alone proves nothing. The headline is

    (gain on the author's held-out text) - (gain on a stranger's text of the same kind)

with gain = bits per byte of the base model - bits per byte of the tuned model. Both models read the same
paragraphs, so a gain is a paired difference: what makes a paragraph hard for both falls out. Author and
stranger are different texts, so their paragraphs are drawn independently.

What the interval covers: other paragraphs from texts like these. What it does not:

- Paragraphs of one document share names, topic and scene, so their gains are not quite independent. Pairing
  takes out the document's difficulty and short paragraphs are joined, but a topic that the tuned model has
  met helps all its paragraphs at once; the interval is then too narrow. The correlation of neighbouring
  paragraphs' gains is reported for that: r near 0 says that the interval is honest, at r = 0.2 it should be
  about a fifth wider.
- Another training seed would give another model.
- One stranger is one stranger: a nearer one would gain more.

Beside it stands the base model with 1,000 words of the author as its prompt, which is the voice one gets
without training.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from daneel.corpus.document import Document
from daneel.evaluate.bootstrap import Estimate, difference, ratio
from daneel.evaluate.copying import unit_spans
from daneel.evaluate.likelihood import Likelihood, evaluate
from daneel.lm.base import HAN_SIGN, LanguageModel

# A bootstrap over fewer paragraphs gives intervals that are far too narrow.
ENOUGH = 10
# Chinese has about so many characters a word.
CHARACTERS_PER_WORD = 1.6


@dataclass(frozen=True)
class Scores:
    """What one model, with or without a prompt, makes of both held-out texts."""

    author: Likelihood
    stranger: Likelihood | None


@dataclass(frozen=True)
class Gain:
    """Bits per byte saved against the base model."""

    author: Estimate
    stranger: Estimate | None
    headline: Estimate | None
    """The author's gain minus the stranger's."""


@dataclass(frozen=True)
class Voice:
    """The comparison, and what it says."""

    base: Scores
    prompted: Scores | None
    tuned: Scores
    tuning: Gain
    prompting: Gain | None
    over_prompt: Estimate | None
    """On the author: bits per byte that the tuned model saves against the base model with the prompt."""
    neighbours: float
    """Correlation of neighbouring paragraphs' gains on the author; see the module."""
    learned: bool
    sentence: str


def opening_words(documents: Sequence[Document], words: int = 1000) -> str:
    """The first words of some documents, as a prompt; Chinese counts 1.6 characters a word."""
    taken: list[str] = []
    left = float(words)
    for document in documents:
        end = 0
        for begin, end in unit_spans(document.text):  # noqa: B007 - the last one is needed below
            left -= 1 / CHARACTERS_PER_WORD if HAN_SIGN.match(document.text, begin) else 1
            if left <= 0:
                break
        taken.append(document.text[:end])
        if left <= 0:
            break
    return "\n\n".join(taken)


def measure(
    lm: LanguageModel,
    author: Sequence[Document],
    stranger: Sequence[Document] = (),
    prompt: str = "",
    progress: Callable[[int], None] = lambda done: None,
) -> Scores:
    """Score both held-out texts with one model."""
    return Scores(
        evaluate(lm, author, prompt, progress), evaluate(lm, stranger, prompt, progress) if stranger else None
    )


def compare(base: Scores, tuned: Scores, prompted: Scores | None = None) -> Voice:
    """Set the measurements of a base model and of what was trained from it side by side."""
    tuning = _gain(base, tuned)
    prompting = _gain(base, prompted) if prompted else None
    over_prompt = _saved(prompted.author, tuned.author) if prompted else None
    fewest = min(len(side.paragraphs) for side in (base.author, base.stranger) if side is not None)
    learned, sentence = _judge(tuning.headline, fewest)
    neighbours = _neighbours(base.author, tuned.author)
    return Voice(base, prompted, tuned, tuning, prompting, over_prompt, neighbours, learned, sentence)


def _saved(before: Likelihood, after: Likelihood) -> Estimate:
    return ratio(before.column("bits") - after.column("bits"), before.column("bytes"))


def _gain(base: Scores, other: Scores) -> Gain:
    author = _saved(base.author, other.author)
    if base.stranger is None or other.stranger is None:
        return Gain(author, None, None)
    first, second = (
        (before.column("bits") - after.column("bits"), before.column("bytes"))
        for before, after in ((base.author, other.author), (base.stranger, other.stranger))
    )
    return Gain(author, _saved(base.stranger, other.stranger), difference(first, second))


def _judge(headline: Estimate | None, fewest: int) -> tuple[bool, str]:
    if headline is None:
        return False, "Whether the voice was learned cannot be told: no stranger's text to compare with."
    if headline.low is None or headline.high is None or fewest < ENOUGH:
        return False, (
            f"Whether the voice was learned cannot be told: {fewest} held-out paragraphs are too few "
            f"({ENOUGH} are needed of author and stranger each)."
        )
    span = f"{headline.value:+.3f} bits per byte, 95 % interval {headline.low:+.3f} to {headline.high:+.3f}"
    span = span.replace("-", "−")
    if headline.low > 0:
        return True, f"The voice was learned: the author gained more than the stranger ({span})."
    if headline.high < 0:
        return False, f"The voice was not learned: the stranger gained more than the author ({span})."
    return False, f"The voice was not learned: the interval includes 0 ({span})."


def _neighbours(before: Likelihood, after: Likelihood) -> float:
    """Correlation of the gain per byte of each paragraph with that of the next in its document."""
    gains = (before.column("bits") - after.column("bits")) / before.column("bytes")
    owner = np.array([p.document for p in before.paragraphs])
    same = owner[:-1] == owner[1:]
    first, second = gains[:-1][same], gains[1:][same]
    if len(first) < 3 or first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
