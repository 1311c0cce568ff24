"""Tang quatrains: a model from scratch beside 5-grams, gzip and xz, in bits per character of held-out poems.

    .venv/bin/python bench/poems.py --poems poems.jsonl [--sizes 3m 10m] [--budget 10m] [--out runs/tang] [--json]

`--poems` is a JSONL file with the lines of a poem as `lines`. A corpus is built of it, then a model of each size is
trained within the budget; the size with the fewest bits on the held-out poems is chosen. Its peers: 5-grams of
characters with interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999), and what gzip and xz add for the
held-out poems once they have read the training poems (gzip looks back 32 KB only). Every character of a held-out poem
counts, line ends too; that a poem ends does not. Then ten poems, seeds 1 to 10, each with the longest passage that it
shares with a training poem.
"""

import gzip
import lzma
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from common import Row, parser, report, say

from daneel.config import TrainConfig
from daneel.corpus.build import build, read_corpus
from daneel.corpus.index import CopyIndex
from daneel.corpus.recipe import load_recipe
from daneel.generate.sampling import Sampling
from daneel.lm.base import Generation, Request
from daneel.lm.local import LocalModel
from daneel.road import Journey, arrive, set_out

ORDER = 5
BEGIN, END = "\x02", "\x03"


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--poems", type=Path, required=True)
    arguments.add_argument("--sizes", nargs="+", default=["3m", "10m"])
    arguments.add_argument("--budget", default="10m")
    arguments.add_argument("--out", type=Path, default=Path("runs") / "tang")
    args = arguments.parse_args()
    corpus = args.out / "corpus"
    if not corpus.exists():
        build([args.poems], corpus, recipe=load_recipe("default", ["read.text_column=lines"]))
    parts = read_corpus(corpus)
    train, heldout = ([document.text for document in part] for part in (parts.train, parts.heldout))
    characters = sum(map(len, heldout))
    say(f"{len(train):,} poems to learn from, {len(heldout):,} held out with {characters:,} characters")
    rows: list[Row] = []
    ngrams = KneserNey(train, ORDER)
    rows.append({"by": f"{ORDER}-grams, Kneser-Ney", "bits/character": ngrams.bits(heldout) / characters})
    for name, size in (("gzip", gzipped), ("xz", xzed)):
        both = size("\n\n".join(train + heldout))
        rows.append({"by": name, "bits/character": 8 * (both - size("\n\n".join(train))) / characters})
    best: tuple[float, Path] | None = None
    for size_name in args.sizes:
        run = args.out / size_name
        if not (run / "model.safetensors").exists():
            config = TrainConfig(budget=args.budget, batch=8, length=256, optimiser="muon", lr=3e-3, schedule="wsd")
            stage = set_out(Journey((str(corpus),), str(run), "scratch", size_name, config=config), say)
            arrive(stage, lambda event: None, say)
        bits = model_bits(run, heldout) / characters
        rows.append({"by": f"daneel, {size_name}", "bits/character": bits})
        if best is None or bits < best[0]:
            best = bits, run
    assert best is not None
    page(best[1], corpus)
    report(rows, {"bits_vs_5grams": rows[0]["bits/character"] / best[0]}, ("daneel", "torch"), args.json)


def model_bits(run: Path, poems: Sequence[str]) -> float:
    lm = LocalModel(run, run.name, "float32")
    return -sum(float(lm.score("", poem).logprobs.sum()) for poem in poems) / math.log(2)


def page(run: Path, corpus: Path) -> None:
    """Ten poems, unpicked."""
    lm, index = LocalModel(run, run.name, "float32"), CopyIndex.open(corpus)
    params = Generation(80, Sampling(temperature=0.8, top_p=0.95))
    answers = lm.complete([Request("", seed) for seed in range(1, 11)], params)
    for seed, answer in enumerate(answers, 1):
        longest = max(index.passages(answer.text, 4), key=lambda passage: passage.end - passage.start, default=None)
        shared = "nothing of four characters" if longest is None else answer.text[longest.start : longest.end]
        say(f"seed {seed}\n{answer.text}\n  longest passage of the training poems: {shared}\n")


def gzipped(text: str) -> int:
    return len(gzip.compress(text.encode(), 9, mtime=0))


def xzed(text: str) -> int:
    return len(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


class KneserNey:
    """Interpolated modified Kneser-Ney over characters: three discounts an order, from the counts of counts."""

    def __init__(self, texts: Sequence[str], order: int) -> None:
        self.order = order
        counts: list[Counter[str]] = [Counter() for _ in range(order + 1)]
        for text in texts:
            padded = BEGIN * (order - 1) + text + END
            for end in range(order - 1, len(padded)):
                counts[order][padded[end - order + 1 : end + 1]] += 1
        # Below the highest order a gram counts as often as different characters stand before it.
        for n in range(order - 1, 0, -1):
            counts[n] = Counter(gram[1:] for gram in counts[n + 1])
        self.counts = counts
        self.vocabulary = len({gram for gram in counts[1]}) + 1  # one for all characters never seen
        self.discounts = [[0.0] * 4, *(discounts(level) for level in counts[1:])]
        self.totals: list[dict[str, int]] = []
        self.backoffs: list[dict[str, float]] = []
        for n in range(order + 1):
            total: dict[str, int] = defaultdict(int)
            left: dict[str, float] = defaultdict(float)
            for gram, count in counts[n].items():
                total[gram[:-1]] += count
                left[gram[:-1]] += self.discounts[n][min(count, 3)]
            self.totals.append(total)
            self.backoffs.append(left)

    def probability(self, context: str, character: str) -> float:
        """Of a character after a context."""
        p = 1 / self.vocabulary
        for n in range(1, self.order + 1):
            history = context[len(context) - n + 1 :] if n > 1 else ""
            total = self.totals[n].get(history, 0)
            if not total:
                break
            count = self.counts[n].get(history + character, 0)
            kept = max(count - self.discounts[n][min(count, 3)], 0) / total
            p = kept + self.backoffs[n][history] / total * p
        return p

    def bits(self, texts: Sequence[str]) -> float:
        """Of all characters of some texts."""
        total = 0.0
        for text in texts:
            padded = BEGIN * (self.order - 1) + text
            for at in range(self.order - 1, len(padded)):
                total -= math.log2(self.probability(padded[at - self.order + 1 : at], padded[at]))
        return total


def discounts(counts: Counter[str]) -> list[float]:
    """Chen and Goodman's discounts of counts 0, 1, 2, and 3 or more."""
    n = Counter(min(count, 5) for count in counts.values())
    if not (n[1] and n[2] and n[3]):
        return [0.0, 0.5, 0.5, 0.5]
    y = n[1] / (n[1] + 2 * n[2])
    return [0.0, 1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]]


if __name__ == "__main__":
    main()
