"""The same questions to a model before and after: held-out text of the author and of a stranger, and a prompt."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daneel.corpus.document import Document
from daneel.evaluate.likelihood import first_bytes
from daneel.evaluate.paragraphs import paragraphs
from daneel.evaluate.voice import Scores, measure, opening_words
from daneel.generate.sampling import Sampling
from daneel.lm.base import Generation, LanguageModel, Request

SEEDS = (1, 2, 3, 4, 5)
SAMPLE_TOKENS = 120
PROMPTS = {
    "en": "The year is 2042. AI has advanced to the point where",
    "zh": "公元2042年，人工智能已经发展到",
}
# A paragraph that fits on a screen, and gives the model something to be surprised by.
SHOWN = (300, 900)
# Tokens of a prompt beside which a window of text is still read in one pass.
ROOM = 2048
# Tokens enough to time how fast samples are written; and what windows that overlap read twice.
FEW, REREAD = 8, 4 / 3
# Bytes of a document that say something about it.
PAGE = 2000


@dataclass(frozen=True)
class Sitting:
    """What one model did."""

    scores: Scores
    prompted: Scores | None
    words: int
    """Of the author, in the prompt of the prompted."""
    samples: list[str]
    """Continuations of the prompt, one a seed, unpicked."""


def fitting_words(lm: LanguageModel, train: Sequence[Document], words: int = 1000) -> tuple[int, str]:
    """1,000 words of the author, or as many as leave half of a small model's context to what is measured."""
    while lm.count(opening := opening_words(train, words)) > min(lm.context // 2, ROOM) and words > 1:
        words //= 2
    return words, opening


@dataclass(frozen=True)
class Exam:
    """The questions."""

    train: Sequence[Document]
    author: list[Document]
    stranger: list[Document]
    prompt: str

    def sit(self, lm: LanguageModel, prompted: bool, say: Callable[[str], None]) -> Sitting:
        """Answer them all. With `prompted` once more with 1,000 words of the author's training text as prompt."""
        say(f"measuring {lm.name} on {sum(len(d.text.encode()) for d in self.author + self.stranger):,} bytes")
        scores = measure(lm, self.author, self.stranger)
        with_words, words = None, 0
        if prompted:
            words, opening = fitting_words(lm, self.train)
            say(f"measuring {lm.name} with {words:,} words of the author as its prompt")
            with_words = measure(lm, self.author, self.stranger, opening)
        requests = [Request(self.prompt, seed) for seed in SEEDS]
        room = max(1, min(SAMPLE_TOKENS, lm.context - lm.count(self.prompt)))
        answers = lm.complete(requests, Generation(room, Sampling()))
        return Sitting(scores, with_words, words, [answer.text for answer in answers])

    def cost(self, lm: LanguageModel) -> float:
        """About how many seconds two sittings take, the first of them prompted: told from a page and a few words."""
        page = first_bytes(self.author, PAGE)[0].text
        lm.score("", self.prompt)  # reads the weights
        clock = time.perf_counter()
        read = len(lm.score("", page).tokens) / (time.perf_counter() - clock)
        tokens = sum(lm.count(d.text) for d in self.author + self.stranger)
        requests = [Request(self.prompt, seed) for seed in SEEDS]
        times = []
        for count in (1, 1, 1 + FEW):  # the first for warmth; the second is the prompts'
            clock = time.perf_counter()
            lm.complete(requests, Generation(count, Sampling()))
            times.append(time.perf_counter() - clock)
        write = (times[2] - times[1]) / FEW
        return 3 * tokens * REREAD / read + 2 * SAMPLE_TOKENS * write

    @property
    def passage(self) -> tuple[str, str]:
        """The first held-out paragraph of a size to look at, or the first of all, after what stands before it."""
        parts = [paragraphs(document.text) for document in self.author]
        fits = ((d, i) for d, p in enumerate(parts) for i in range(len(p)) if SHOWN[0] <= _size(p[i]) <= SHOWN[1])
        document, i = next(fits, (0, 0))
        return "".join(parts[document][:i])[-PAGE:], parts[document][i].rstrip()


def _size(text: str) -> int:
    return len(text.encode())


def make_exam(
    train: Sequence[Document],
    author: Sequence[Document],
    stranger: Sequence[Document],
    eval_bytes: int,
    prompt: str | None,
) -> Exam:
    """Questions from the beginnings of the held-out documents, `eval_bytes` of each side, shared equally."""
    chosen = prompt or PROMPTS["zh" if author[0].language == "zh" else "en"]
    return Exam(train, _beginnings(author, eval_bytes), _beginnings(stranger, eval_bytes), chosen)


def _beginnings(documents: Sequence[Document], limit: int) -> list[Document]:
    """Of many documents every n-th, so that each gives a page at least."""
    step = max(1, len(documents) * PAGE // limit)
    taken = documents[::step]
    return [part for document in taken for part in first_bytes([document], limit // len(taken))]
