"""Near duplicates: how many planted copies are found, how many of the pairs found are right, and how fast.

    python bench/duplicates.py [--english texts/ --chinese texts/] [--scale 1000000] [--json]

Pieces of the texts are copied with words replaced, deleted, put in and moved, so that copy and original are alike to
every degree. The truth is the exact Jaccard index of their sets of five words (a Chinese character is a word), from
plain Python sets. Beside ours: datasketch, rensa and datatrove's settings (5 words, 14 buckets of 8), which take for a
pair what shares a band; each is left out where it is not installed. --scale adds a corpus of so many short documents.
"""

import argparse
import random
import re
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, Row, installed, parser, read_text, report, say

from daneel.corpus.document import HAN, Document
from daneel.corpus.step import Arrays, JointStep
from daneel.corpus.steps.near import NearDuplicates, NearParagraphs

Pairs = list[tuple[int, int]]
Finder = Callable[[list[str], str], tuple[Pairs, float]]
WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
PIECE = re.compile(rf"[{HAN}]|[^\s{HAN}]+ ?| ")
SHINGLE = 5
BATCH = 1 << 20
# Words of the originals, and how many of each.
CLASSES = {"30 words": (30, 1500), "100 words": (100, 1500), "500 words": (500, 600), "3000 words": (3000, 120)}


def main() -> None:
    arguments = arguments_()
    # The first batch fills tables of all of Unicode.
    NearDuplicates().summarise([document("", 0)])
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    for language, path in (("en", arguments.english), ("zh", arguments.chinese)):
        pieces = PIECE.findall(" ".join(read_text(path).split()))
        tools = finders(language)
        for label, (words, number) in CLASSES.items():
            texts, planted = corpus(pieces, words, number, random.Random(words))
            for tool, find in tools.items():
                rows.append({"language": language, "originals": label, **judged(tool, find, texts, planted, language)})
                say(str(rows[-1]))
        rows.append({"language": language, "originals": "paragraphs", **paragraphs(pieces)})
        say(str(rows[-1]))
        for key, label in (("recall", "recall"), ("precision", "precision")):
            ours = [row[key] for row in rows if row["tool"] == "daneel" and row["language"] == language]
            ratios[f"lowest {label} {language}"] = min(ours)
        rows.append({"language": language, "originals": "whole texts", **whole(path)})
    if arguments.scale:
        rows.append(
            {"language": "en", **scale(PIECE.findall(" ".join(read_text(arguments.english).split())), arguments.scale)}
        )
    report(rows, ratios, ("numpy", "datasketch", "rensa", "datatrove"), arguments.json)


def arguments_() -> argparse.Namespace:
    arguments = parser(__doc__)
    arguments.add_argument("--english", type=Path, default=ROOT / "samples", help="file or folder of .txt")
    arguments.add_argument("--chinese", type=Path, default=ROOT / "samples", help="file or folder of .txt")
    arguments.add_argument("--scale", type=int, default=0, metavar="N", help="decide on N short documents too")
    return arguments.parse_args()


def corpus(pieces: list[str], words: int, number: int, rng: random.Random) -> tuple[list[str], Pairs]:
    """Pieces of a text, then an edited copy of each; and the pairs, the copy first."""
    originals, copies = [], []
    # Originals do not overlap: one that goes would not take its copy with it.
    blocks = range(0, len(pieces) - words, words)
    number = min(number, len(blocks))
    for start in rng.sample(blocks, number):
        own = pieces[start : start + words]
        originals.append("".join(own))
        copies.append("".join(edited(own, pieces, rng)))
    return [*originals, *copies], [(number + n, n) for n in range(number)]


def edited(own: list[str], others: list[str], rng: random.Random) -> list[str]:
    """A copy with edits at a rate of its own, and half the time a part moved."""
    # A shingle survives with (1 - rate)^5, so that the similarity lies between 0.3 and 1.
    rate = rng.uniform(0, 0.1)
    out: list[str] = []
    for piece in own:
        if rng.random() >= rate:
            out.append(piece)
            continue
        match rng.randrange(3):
            case 0:
                out.append(rng.choice(others))
            case 1:
                out += [piece, rng.choice(others)]
            case _:
                pass
    if rng.random() < 0.5:
        first, second, third = sorted(rng.randrange(len(out) + 1) for _ in range(3))
        out = out[:first] + out[second:third] + out[first:second] + out[third:]
    return out


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """The truth's sets."""
    words = WORD.findall(text.lower())
    return frozenset(tuple(words[n : n + SHINGLE]) for n in range(max(1, len(words) - SHINGLE + 1)))


def jaccard(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    return len(one & other) / len(one | other)


def judged(tool: str, find: Finder, texts: list[str], planted: Pairs, language: str) -> Row:
    """Recall among planted pairs at or above the threshold, precision among all pairs found, speed."""
    found, seconds = find(texts, language)
    sets = [shingles(text) for text in texts]
    threshold = NearDuplicates().threshold
    above = [pair for pair in planted if jaccard(sets[pair[0]], sets[pair[1]]) >= threshold]
    hit = {later for later, _ in found}
    right = sum(jaccard(sets[later], sets[earlier]) >= threshold for later, earlier in found)
    return {
        "tool": tool,
        "threshold": threshold,
        "planted above": len(above),
        "recall": round(sum(later in hit for later, _ in above) / len(above), 4),
        "pairs found": len(found),
        "precision": round(right / max(1, len(found)), 4),
        "MB/s": round(sum(len(text.encode()) for text in texts) / 1e6 / seconds, 1),
    }


def document(text: str, number: int) -> Document:
    return Document(text, str(number), "", "", "", "", "")


def batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    size = 0
    for each in documents:
        batch.append(each)
        size += len(each.text)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def decided(step: JointStep, documents: Iterable[Document]) -> tuple[list[list[Document]], Sequence[Arrays], Row]:
    """Batches, their verdicts, and how long it took in one process: to summarise, and to decide."""
    kept = []
    summarising = 0.0
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, batch in enumerate(batches(documents)):
            start = time.perf_counter()
            summary = step.summarise(batch)
            summarising += time.perf_counter() - start
            paths.append(Path(folder, f"{number}.npz"))
            np.savez(paths[-1], **summary)  # type: ignore[arg-type]
            kept.append(batch)
        disk = sum(path.stat().st_size for path in paths)
        start = time.perf_counter()
        verdicts = step.decide(paths, map)  # type: ignore[arg-type]
        deciding = time.perf_counter() - start
    return kept, verdicts, {"summarise s": summarising, "decide s": deciding, "disk MB": disk / 1e6}


def ours(texts: list[str], _: str) -> tuple[Pairs, float]:
    kept, verdicts, times = decided(NearDuplicates(), [document(text, n) for n, text in enumerate(texts)])
    pairs = [
        (int(batch[place].source), int(of))
        for batch, verdict in zip(kept, verdicts, strict=True)
        for place, of in zip(verdict["places"], verdict["of"], strict=True)
    ]
    return pairs, times["summarise s"] + times["decide s"]


def in_buckets(signatures: Iterable[Iterable[Any]]) -> Pairs:
    """Pairs that share a bucket, the later first; a signature is a bucket for each band."""
    buckets = defaultdict(list)
    pairs = set()
    for number, keys in enumerate(signatures):
        for key in enumerate(keys):
            pairs |= {(number, other) for other in buckets[key]}
            buckets[key].append(number)
    return sorted(pairs)


def grams(text: str) -> list[str]:
    return [" ".join(words) for words in shingles(text)]


def datasketch(texts: list[str], _: str) -> tuple[Pairs, float]:
    from datasketch import MinHash, MinHashLSH

    start = time.perf_counter()
    index = MinHashLSH(threshold=NearDuplicates().threshold, num_perm=128)
    pairs = []
    for number, text in enumerate(texts):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([gram.encode() for gram in grams(text)])
        pairs += [(number, other) for other in index.query(sketch)]
        index.insert(number, sketch)
    return pairs, time.perf_counter() - start


def rensa(texts: list[str], _: str) -> tuple[Pairs, float]:
    from rensa import RMinHash, RMinHashLSH

    start = time.perf_counter()
    index = RMinHashLSH(threshold=NearDuplicates().threshold, num_perm=128, num_bands=16)
    pairs = []
    for number, text in enumerate(texts):
        sketch = RMinHash(num_perm=128, seed=42)
        sketch.update(grams(text))
        pairs += [(number, other) for other in index.query(sketch)]
        index.insert(number, sketch)
    return pairs, time.perf_counter() - start


def datatrove(texts: list[str], language: str) -> tuple[Pairs, float]:
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.utils.typeshelper import Languages

    name = {"en": Languages.english, "zh": Languages.mandarin_chinese}[language]
    with tempfile.TemporaryDirectory() as folder:
        config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
        step = MinhashDedupSignature(folder, config=config, language=name)
        step.get_shingles(texts[0])
        start = time.perf_counter()
        # A text with fewer words than a shingle has no signature there.
        some = [step.get_shingles(text) for text in texts]
        signatures = [[tuple(band) for band in step.get_signature(each)] if len(each) else [] for each in some]
        pairs = in_buckets(signatures)
        return pairs, time.perf_counter() - start


def finders(language: str) -> dict[str, Finder]:
    found: dict[str, Finder] = {"daneel": ours}
    if installed("datasketch", "datasketch"):
        found["datasketch"] = datasketch
    if installed("rensa", "rensa"):
        found["rensa"] = rensa
    # datatrove parts words with spaCy, Chinese ones with its Chinese model on jieba.
    if installed("datatrove", "datatrove", "spacy", *(["jieba"] if language == "zh" else [])):
        found["datatrove"] = datatrove
    return found


def paragraphs(pieces: list[str]) -> Row:
    """Documents of five paragraphs; the third of every later one is an edited copy of an earlier one's."""
    rng = random.Random(5)

    number = min(800, len(pieces) // 2000)
    blocks = rng.sample(range(0, len(pieces) - 200, 200), 10 * number - 1)
    starts = iter([*blocks, len(pieces) - 200])
    parts = [[pieces[start : start + rng.randrange(60, 200)] for start in islice(starts, 5)] for _ in range(2 * number)]
    for n in range(number):
        parts[number + n][2] = edited(parts[n][2], pieces, rng)
    documents = [["".join(paragraph).strip() for paragraph in own] for own in parts]
    step = NearParagraphs()
    kept, verdicts, times = decided(step, [document("\n\n".join(own), n) for n, own in enumerate(documents)])
    found = {
        (int(batch[place].source), int(of_number)): int(of)
        for batch, verdict in zip(kept, verdicts, strict=True)
        for place, of_number, of in zip(verdict["places"], verdict["numbers"], verdict["of"], strict=True)
    }
    above = [
        n
        for n in range(number)
        if len(WORD.findall(documents[number + n][2])) >= step.words
        and len(WORD.findall(documents[n][2])) >= step.words
        and jaccard(shingles(documents[n][2]), shingles(documents[number + n][2])) >= step.threshold
    ]
    right = sum(
        max(jaccard(shingles(documents[place][at]), shingles(other)) for other in documents[of]) >= step.threshold
        for (place, at), of in found.items()
    )
    size = sum(len(paragraph.encode()) for own in documents for paragraph in own)
    return {
        "tool": "daneel",
        "threshold": step.threshold,
        "planted above": len(above),
        "recall": round(sum((number + n, 2) in found for n in above) / len(above), 4),
        "pairs found": len(found),
        "precision": round(right / max(1, len(found)), 4),
        "MB/s": round(size / 1e6 / (times["summarise s"] + times["decide s"]), 1),
    }


def whole(path: Path) -> Row:
    """Speed on the texts as they are."""
    files = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
    documents = [document(file.read_text(encoding="utf-8"), n) for n, file in enumerate(files)]
    size = sum(len(each.text.encode()) for each in documents) / 1e6
    times = [decided(NearDuplicates(), documents)[2] for _ in range(5)]
    best = min(each["summarise s"] + each["decide s"] for each in times)
    return {"tool": "daneel", "threshold": NearDuplicates().threshold, "MB/s": round(size / best, 1)}


def scale(pieces: list[str], number: int) -> Row:
    """Many documents of 60 words: a fifth are edited copies, a tenth the same boilerplate with a number."""
    rng = random.Random(7)
    boilerplate = "".join(pieces[:60])
    last: list[str] = pieces[:60]
    size = 0

    def documents() -> Iterator[Document]:
        nonlocal last, size
        for n in range(number):
            chance = rng.random()
            if chance < 0.1:
                own = f"{boilerplate} {n}"
            elif chance < 0.3:
                own = "".join(edited(last, pieces, rng))
            else:
                start = rng.randrange(len(pieces) - 60)
                last = [*pieces[start : start + 30], *(rng.choice(pieces) for _ in range(30))]
                own = "".join(last)
            size += len(own.encode())
            yield document(own, n)

    _, verdicts, times = decided(NearDuplicates(), documents())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "originals": f"{number:,} documents",
        "tool": "daneel",
        "pairs found": sum(len(verdict["of"]) for verdict in verdicts),
        "MB/s": round(size / 1e6 / times["summarise s"], 1),
        "decide s": round(times["decide s"], 1),
        "disk MB": round(times["disk MB"]),
        "peak MB, texts included": round(peak),
    }


if __name__ == "__main__":
    main()
