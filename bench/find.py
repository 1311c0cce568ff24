"""What a text shares with a corpus: how fast the copy index is built, how large it is, how fast and right it answers.

    python bench/find.py [--english texts/ --chinese texts/] [--scale 1000] [--json]

Every tenth document is left out of the index. Texts of 200 words (a Chinese character is one) are asked for: excerpts
of the corpus; excerpts with 5 % of their words replaced, deleted or put in; and pieces of what was left out. The truth
are the passages of eight words or more, found with Python strings alone: recall and precision count passages that
agree in both ends. Beside ours, each in a process of its own:

- infini-gram: a suffix array over numbers of words (the making of which is counted), asked with `creativity`;
- pydivsufsort: a suffix array over the bytes of the words in small letters, searched with Python's bisect;
- str.find: such a string, searched for each eight words (five texts of a kind).

None of these three tells source and context. --scale builds an index of so many MB too: the English texts, then the
same with their words in another order, again and again.
"""

import argparse
import json
import os
import random
import re
import resource
import tempfile
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from common import ROOT, Contender, Row, answer, in_turn, installed, parser, report, say, spread

from daneel.corpus.document import HAN, Document
from daneel.corpus.index import CopyIndex
from daneel.corpus.index_build import write_index

WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
PIECE = re.compile(rf"[{HAN}]|[^\s{HAN}]+\s*|\s+")
WORDS, LEAST, FEW = 200, 8, 5
# The number of words that a corpus does not have, for infini-gram.
UNKNOWN = 0xFFFD
KINDS = ("excerpts", "edited", "new")
Spans = list[tuple[int, int]]
Search = Callable[[str], Spans]


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--english", type=Path, default=ROOT / "samples" / "keeper", help="a folder of .txt")
    arguments.add_argument("--chinese", type=Path, default=ROOT / "samples" / "chinese", help="a folder of .txt")
    arguments.add_argument("--texts", type=int, default=200, help="of each kind")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--scale", type=int, default=0, metavar="MB", help="build an index of this size too")
    arguments.add_argument("--contender", nargs=2, metavar=("NAME", "FOLDER"), help="used by the script")
    args = arguments.parse_args()
    if args.contender:
        name, folder = args.contender[0], Path(args.contender[1])
        answer(lambda: scaled(folder, args.scale, args.texts) if name == "scale" else measured(name, folder))
        return
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    names = ["daneel", *(m for m in ("infini_gram", "pydivsufsort") if installed(m, m)), "str.find"]
    for language, path in (("english", args.english), ("chinese", args.chinese)):
        with tempfile.TemporaryDirectory() as folder:
            prepare(path, Path(folder), args.texts)
            found = in_turn([Contender(name, name, folder) for name in names], args.rounds, warmup=0)
        for name, figures in zip(names, found, strict=True):
            shown = {key: spread(values, 3)["median"] for key, values in figures.items()}
            if "more_memory_MB" in shown:  # it rises in the first round
                shown["more_memory_MB"] = spread(figures["more_memory_MB"], 1)["high"]
            rows.append({"corpus": language, "index": name, **shown})
        ours, *peers = (row for row in rows if row["corpus"] == language)
        for peer in peers:
            ratios[f"{language}_lookup_vs_{peer['index']}"] = peer["edited_ms"] / ours["edited_ms"]
            if "MB_per_s" in peer:
                ratios[f"{language}_build_vs_{peer['index']}"] = ours["MB_per_s"] / peer["MB_per_s"]
    if args.scale:
        size_, texts = str(args.scale), str(args.texts)
        contender = Contender("scale", "scale", str(args.english), "--scale", size_, "--texts", texts)
        (found,) = in_turn([contender], 1, warmup=0)
        shown = {key: round(value[0], 3) for key, value in found.items()}
        rows.append({"corpus": f"{args.scale} MB", "index": "daneel", **shown})
    report(rows, ratios, ("numpy", "infini-gram", "pydivsufsort"), args.json)


def prepare(path: Path, folder: Path, number: int) -> None:
    """Write what the contenders read: the documents, and the texts with the truth."""
    texts = [file.read_text("utf-8") for file in sorted(path.rglob("*.txt"))]
    left_out = texts[9::10] or texts[-1:]
    kept = [text for text in texts if text not in left_out]
    rng = random.Random(0)
    asked = {
        "excerpts": [excerpt(kept, rng) for _ in range(number)],
        "edited": [edited(excerpt(kept, rng), kept, rng) for _ in range(number)],
        "new": [excerpt(left_out, rng) for _ in range(number)],
    }
    say(f"{path}: {len(kept)} documents, {size(kept) / 1e6:.1f} MB; finding the truth")
    found = truth([text for kind in KINDS for text in asked[kind]], kept)
    (folder / "corpus.json").write_text(json.dumps(kept))
    (folder / "texts.json").write_text(json.dumps({"texts": asked, "truth": found}))


def size(texts: list[str]) -> int:
    return sum(len(text.encode()) for text in texts)


def excerpt(texts: list[str], rng: random.Random) -> str:
    """A run of 200 words as they stand."""
    (text,) = rng.choices(texts, map(len, texts))
    # So many characters have at least so many words, in any language.
    start = rng.randrange(max(1, len(text) - WORDS * 8))
    part = text[start : start + WORDS * 20]
    words = list(WORD.finditer(part))[:WORDS]
    return part[: words[-1].end()]


def edited(text: str, texts: list[str], rng: random.Random) -> str:
    """A text with 5 % of its words replaced, deleted or followed by another."""
    out = []
    for piece in PIECE.findall(text):
        if rng.random() >= 0.05:
            out.append(piece)
        elif kind := rng.randrange(3):
            other = rng.choice(texts)
            place = rng.randrange(len(other))
            word = WORD.search(other, place) or WORD.search(other)
            assert word
            space = " " if piece.endswith(tuple(" \n")) else ""
            out.append((piece if kind == 2 else "") + word[0] + space)
    return "".join(out)


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())


def maximal(ends: Sequence[int]) -> Spans:
    """Of the longest match at each word, given its end, those of eight words or more that lie in no other."""
    spans, reach = [], 0
    for start, end in enumerate(ends):
        if end - start >= LEAST and end > reach:
            spans.append((start, end))
        reach = max(reach, end)
    return spans


def truth(texts: list[str], corpus: list[str]) -> list[Spans]:
    """The maximal shared passages of each text: every eight words looked up as strings, and followed."""
    asked = [words_of(text) for text in texts]
    wanted: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for number, words in enumerate(asked):
        for at in range(len(words) - LEAST + 1):
            wanted.setdefault(tuple(words[at : at + LEAST]), []).append((number, at))
    ends = [list(range(len(words))) for words in asked]
    for text in corpus:
        there = words_of(text)
        for place in range(len(there) - LEAST + 1):
            for number, at in wanted.get(tuple(there[place : place + LEAST]), ()):
                words, length = asked[number], LEAST
                while at + length < len(words) and there[place + length : place + length + 1] == [words[at + length]]:
                    length += 1
                ends[number][at] = max(ends[number][at], at + length)
    return [maximal(each) for each in ends]


def measured(name: str, folder: Path) -> Row:
    """One contender: build, then ask for every text."""
    corpus = json.loads((folder / "corpus.json").read_text())
    asked = json.loads((folder / "texts.json").read_text())
    before = peaks()
    CopyIndex.of(documents(["The first text fills tables of all of Unicode."]))
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        search, index_bytes = CONTENDERS[name](corpus, Path(place))
        seconds = time.perf_counter() - began
        row: Row = {}
        if index_bytes:
            row = {
                "MB_per_s": size(corpus) / 1e6 / seconds,
                "bytes_per_byte": index_bytes / size(corpus),
                "more_memory_MB": more_memory(before),
            }
        search(asked["texts"]["new"][0])
        right = found = known = 0
        for k, kind in enumerate(KINDS):
            times = []
            texts = asked["texts"][kind]
            for n, text in enumerate(texts[: None if index_bytes else FEW]):
                began = time.perf_counter()
                spans = search(text)
                times.append(1000 * (time.perf_counter() - began))
                true = {tuple(span) for span in asked["truth"][k * len(texts) + n]}
                right += len(true & set(spans))
                found += len(spans)
                known += len(true)
            row |= {f"{kind}_ms": median(times), f"{kind}_p99_ms": float(np.quantile(times, 0.99))}
        return row | {"recall": right / known, "precision": right / found}


def peaks() -> tuple[int, int]:
    """KB: of this process, and the largest of those it started."""
    own, others = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own, others


def more_memory(before: tuple[int, int]) -> float:
    """MB by which the peak has risen, or that of a process started meanwhile, if it is larger."""
    own, others = peaks()
    return max(own - before[0], others if others > before[1] else 0) / 1e3


def documents(corpus: list[str]) -> list[Document]:
    return [Document(text, f"{n}.txt", "", "", "", "", "") for n, text in enumerate(corpus)]


def ours(corpus: list[str], place: Path) -> tuple[Search, int]:
    write_index([documents(corpus)], place / "index")
    index = CopyIndex.open(place / "index")

    def search(text: str) -> Spans:
        passages = index.passages(text)
        return [(first, first + p.units) for p in passages for first in [len(WORD.findall(text, 0, p.start))]]

    return search, sum(file.stat().st_size for file in (place / "index").iterdir())


def infini_gram(corpus: list[str], place: Path) -> tuple[Search, int]:
    from infini_gram import indexing
    from infini_gram.engine import InfiniGramEngine

    # It takes 16 bits a word here: with 32 its builder asks for 32 GB. The rarest words share a number if need be.
    counts = Counter(word for text in corpus for word in words_of(text))
    numbers = {word: min(n, UNKNOWN - 1) for n, (word, _) in enumerate(counts.most_common())}
    parts, starts, done = [], [], 0
    end = np.array([0xFFFF], np.uint16)
    for text in corpus:
        ids = np.array([numbers[word] for word in words_of(text)], np.uint16)
        parts += [end, ids]
        starts.append(2 * done)
        done += 1 + len(ids)
    np.concatenate(parts).tofile(place / "tokenized.0")
    np.array(starts, np.uint64).tofile(place / "offset.0")
    folder = str(place)
    # Two parts of a small file overlap wholly, and its answers are then wrong.
    jobs = 2 if done > 1_000_000 else 1
    here = os.getcwd()  # which it changes
    indexing.build_sa(
        argparse.Namespace(save_dir=folder, temp_dir=folder, worker_id=0, shards=1, workers=1, cpus=jobs, mem=4,
                           token_width=2)
    )  # fmt: skip
    os.chdir(here)
    engine = InfiniGramEngine(folder, eos_token_id=UNKNOWN + 1, vocab_size=UNKNOWN + 2, token_dtype="u16")

    def search(text: str) -> Spans:
        return maximal(engine.creativity([numbers.get(word, UNKNOWN) for word in words_of(text)])["rs"])

    return search, sum(file.stat().st_size for file in place.iterdir() if file.is_file())


def normal(text: str) -> bytes:
    """Words in small letters with one space before and after each, but none between Chinese characters."""
    return re.sub(rf"(?<=[{HAN}]) (?=[{HAN}])", "", f" {' '.join(words_of(text))} ").encode()


def steps(text: str) -> tuple[bytes, list[int], list[int]]:
    """A text for a search in `normal`: where each word's bytes begin and end, with the spaces that bound it."""
    words = words_of(text)
    data, begins, ends = b" ", [], []
    for n, word in enumerate(words):
        han = len(word) == 1 and re.match(f"[{HAN}]", word)
        begins.append(len(data) - (0 if han else 1))
        data += word.encode()
        follows = words[n + 1] if n + 1 < len(words) else " "
        ends.append(len(data) if han else len(data) + 1)
        data += b"" if han and re.match(f"[{HAN}]", follows) else b" "
    return data, begins, ends


def suffix_array(corpus: list[str], place: Path) -> tuple[Search, int]:
    from pydivsufsort import divsufsort

    data = b"\n".join(map(normal, corpus))
    array = divsufsort(data)

    def search(text: str) -> Spans:
        asked, begins, ends = steps(text)
        found = []
        for n, begin in enumerate(begins):
            pattern = asked[begin : begin + 4096]
            at = bisect_left(array, pattern, key=lambda place: data[place : place + len(pattern)])
            most = max(common(pattern, data[p : p + len(pattern)]) for p in array[max(0, at - 1) : at + 1].tolist())
            found.append(bisect_left(ends, begin + most + 1, n))
        return maximal(found)

    return search, len(data) + array.nbytes


def common(one: bytes, other: bytes) -> int:
    """Bytes that two strings begin with alike."""
    size = min(len(one), len(other))
    differ = np.flatnonzero(np.frombuffer(one[:size], np.uint8) != np.frombuffer(other[:size], np.uint8))
    return int(differ[0]) if len(differ) else size


def str_find(corpus: list[str], place: Path) -> tuple[Search, int]:
    data = b"\n".join(map(normal, corpus))

    def search(text: str) -> Spans:
        asked, begins, ends = steps(text)
        found, end = [], 0
        for n, begin in enumerate(begins):
            # What begins a word later ends no earlier.
            end = max(end, n)
            while end < len(ends) and (end - n + 1 < LEAST or asked[begin : ends[end]] in data):
                end += 1
            found.append(end if end - n >= LEAST and asked[begin : ends[end - 1]] in data else n)
        return maximal(found)

    return search, 0


CONTENDERS = {"daneel": ours, "infini_gram": infini_gram, "pydivsufsort": suffix_array, "str.find": str_find}


def scaled(path: Path, megabytes: int, number: int) -> Row:
    """An index of many MB: how fast it is built, its peak of memory, and how fast it answers."""
    texts = [file.read_text("utf-8") for file in sorted(path.rglob("*.txt"))]
    rng = random.Random(0)
    total, making = size(texts), 0.0

    def batches() -> Iterator[list[Document]]:
        nonlocal total, making
        yield documents(texts)
        while total < megabytes * 1e6:
            began = time.perf_counter()
            pieces = PIECE.findall(rng.choice(texts))
            rng.shuffle(pieces)
            made = documents(["".join(pieces)])
            total += size([made[0].text])
            making += time.perf_counter() - began
            yield made

    before = peaks()
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        write_index(batches(), Path(place) / "index")
        seconds = time.perf_counter() - began - making
        row: Row = {
            "MB_per_s": total / 1e6 / seconds,
            "bytes_per_byte": sum(file.stat().st_size for file in (Path(place) / "index").iterdir()) / total,
            "more_memory_MB": more_memory(before),
        }
        index = CopyIndex.open(Path(place) / "index")
        index.passages(texts[0][:1000])
        for kind in ("excerpts", "edited"):
            times = []
            for _ in range(number):
                text = excerpt(texts, rng)
                text = edited(text, texts, rng) if kind == "edited" else text
                began = time.perf_counter()
                index.passages(text)
                times.append(1000 * (time.perf_counter() - began))
            row |= {f"{kind}_ms": median(times), f"{kind}_p99_ms": float(np.quantile(times, 0.99))}
        return row


if __name__ == "__main__":
    main()
