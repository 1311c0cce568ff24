"""Clean, deduplicate and tokenise whole books, beside datatrove doing the same steps with two tasks.

    .venv-bench/bin/python bench/corpus.py [--english texts/ --chinese texts/] [--scale 1000] [--json]

Steps of both: Gopher's two sets of rules, C4's and FineWeb's, near duplicates by MinHash, ids by the same tokenizer on
disk. Ours does more in the same time: encoding damage is looked for, exact duplicates and personal data are found; the
second figure is without these steps. Manifest, card and copy index are made in both. datatrove reads the same texts as
JSON Lines, whose making is not counted, and cuts them into words with spaCy's rules (English) and jieba (Chinese), as
it does by itself. Seconds are wall time for all of it, the start of processes included.

--scale builds a corpus of so many MB (the words of the English texts drawn anew) with the recipe `books`, and tells the
most memory that all processes held together.
"""

import argparse
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from common import ROOT, Contender, Row, answer, in_turn, installed, parser, pulled, report, say, spread

TASKS = 2
LENGTH = 2048
MEGABYTE = 1e6
RULES = ("gopher_repetition", "gopher_quality", "c4", "fineweb")
BARE = "[language]\n" + "".join(f"[{name}]\n" for name in RULES) + "[near_duplicates]\n"
FULL = "[unicode]\n[whitespace]\n" + BARE + '[exact_duplicates]\n[privacy]\naction = "report"\n'


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--english", type=Path, default=ROOT / "samples" / "keeper", help="a folder of .txt")
    arguments.add_argument("--chinese", type=Path, default=ROOT / "samples" / "chinese", help="a folder of .txt")
    arguments.add_argument("--rounds", type=int, default=3, help="0 leaves the comparison out")
    arguments.add_argument("--scale", type=int, default=0, metavar="MB", help="memory of a build of this size")
    arguments.add_argument("--contender", help="used by the script")
    args = arguments.parse_args()
    if args.contender:
        answer(lambda: CONTENDERS[args.contender](args))
        return
    size = sum(file.stat().st_size for _, file in texts(args)) / MEGABYTE
    say(f"{size:.1f} MB of text")
    have = installed("datatrove", "datatrove", "spacy", "jieba")
    labels = [name for name in CONTENDERS if args.rounds and (name != "datatrove" or have)]
    extra = ("--english", str(args.english), "--chinese", str(args.chinese))
    found = in_turn([Contender(label, label, *extra) for label in labels], args.rounds, warmup=0)
    rows: list[Row] = []
    speed: dict[str, float] = {}
    for label, figures in zip(labels, found, strict=True):
        rates = spread([size / seconds for seconds in figures["seconds"]], 2)
        speed[label] = rates["median"]
        rows.append({"what": label, "MB/s": rates["median"], "low": rates["low"], "high": rates["high"]})
        rows[-1] |= {"documents kept": int(figures["kept"][0]), "tokens": int(figures["tokens"][0])}
    if args.scale:
        rows.append(scaled(args))
    ratios = {}
    if "datatrove" in speed:
        ratios["pipeline_vs_datatrove"] = speed["daneel"] / speed["datatrove"]
        ratios["bare_vs_datatrove"] = speed["daneel, the same steps only"] / speed["datatrove"]
    report(rows, ratios, ("daneel", "datatrove", "tokenizers", "pyarrow"), args.json)


def texts(args: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Language and file of each book."""
    for language, folder in (("en", args.english), ("zh", args.chinese)):
        for file in sorted(folder.glob("*.txt")):
            yield language, file


def ours(args: argparse.Namespace, recipe: str) -> Row:
    """A build and the encoding of what it keeps."""
    from daneel.corpus.build import build, documents
    from daneel.corpus.recipe import load_recipe
    from daneel.data.encode import encode
    from daneel.data.packing import Document, write_shards
    from daneel.tokenizer.load import Tokenizer

    tokenizer = pulled("smollm2")
    assert tokenizer
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "recipe.toml").write_text(recipe)
        begin = time.perf_counter()
        chosen = load_recipe(str(place / "recipe.toml"))
        paths = [file for _, file in texts(args)]
        manifest = build(paths, place / "corpus", recipe=chosen, processes=TASKS, heldout=0.0, alone=0)
        kept = (document.text for batch in documents(place / "corpus", "train") for document in batch)
        # So little text is encoded here before another process has started.
        ids = encode(kept, Tokenizer.load(tokenizer))
        shards = write_shards(map(Document, ids), place / "shards", LENGTH, whole=False)
        seconds = time.perf_counter() - begin
        return {"seconds": seconds, "kept": manifest["kept"], "tokens": shards.tokens}


def datatrove(args: argparse.Namespace) -> Row:
    """Its own pipeline: filters and signatures, buckets, clusters, the filter of duplicates with the tokenizer."""
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.tokens import DocumentTokenizer
    from datatrove.pipeline.writers import JsonlWriter

    tokenizer = pulled("smollm2")
    assert tokenizer
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for language, file in texts(args):
            folder = place / "in" / language
            folder.mkdir(parents=True, exist_ok=True)
            row = {"text": file.read_text(encoding="utf-8"), "id": file.name}
            (folder / f"{file.stem}.jsonl").write_text(json.dumps(row, ensure_ascii=False))
        begin = time.perf_counter()
        kept = tokens = 0
        config = MinhashConfig()
        for language, code in (("en", "eng"), ("zh", "zho")):
            if not (place / "in" / language).exists():
                continue
            own = place / language

            def run(stage: str, steps: list[object], tasks: int, own: Path = own) -> None:
                LocalPipelineExecutor(steps, tasks=tasks, workers=tasks, logging_dir=str(own / "log" / stage)).run()

            clean, signs = str(own / "clean"), str(own / "signatures")
            rules = [
                GopherRepetitionFilter(language=code),
                GopherQualityFilter(language=code),
                C4QualityFilter(language=code),
                FineWebQualityFilter(language=code),
            ]
            writer = JsonlWriter(clean, compression=None)
            run("clean", [JsonlReader(str(place / "in" / language)), *rules, writer], TASKS)
            # By the thresholds of English no Chinese book may be left.
            if not any(Path(clean).rglob("*.jsonl")):
                continue
            run("sign", [JsonlReader(clean), MinhashDedupSignature(signs, config=config, language=code)], TASKS)
            run("buckets", [MinhashDedupBuckets(signs, str(own / "buckets"), config=config)], config.num_buckets)
            run("cluster", [MinhashDedupCluster(str(own / "buckets"), str(own / "remove"), config=config)], 1)
            encode = DocumentTokenizer(
                str(own / "tokens"),
                str(tokenizer / "tokenizer.json"),
                eos_token="<|endoftext|>",
                shuffle_documents=False,
            )
            run("encode", [JsonlReader(clean), MinhashDedupFilter(str(own / "remove")), encode], TASKS)
            tokens += sum(file.stat().st_size for file in (own / "tokens").glob("*.ds")) // 2
            kept += sum(file.stat().st_size for file in (own / "tokens").glob("*.index")) // 8
        return {"seconds": time.perf_counter() - begin, "kept": kept, "tokens": tokens}


CONTENDERS = {
    "daneel": lambda args: ours(args, FULL),
    "daneel, the same steps only": lambda args: ours(args, BARE),
    "datatrove": datatrove,
}


def scaled(args: argparse.Namespace) -> Row:
    """A build of much text: its speed, and the most memory that this process and its workers held together."""
    from daneel.corpus.build import build
    from daneel.corpus.recipe import load_recipe

    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        size = _grown(args.english, place / "in", args.scale * 10**6)
        say(f"building a corpus of {size / MEGABYTE:.0f} MB")
        with Memory() as memory:
            begin = time.perf_counter()
            manifest = build([place / "in"], place / "out", recipe=load_recipe("books"), processes=TASKS)
            seconds = time.perf_counter() - begin
        disk = sum(file.stat().st_size for file in (place / "out").rglob("*") if file.is_file())
    return {
        "what": f"recipe books, {size / MEGABYTE:.0f} MB",
        "MB/s": round(size / MEGABYTE / seconds, 2),
        "documents kept": manifest["kept"],
        "peak MB": round(memory.peak / MEGABYTE),
        "disk per byte": round(disk / size, 2),
    }


def _grown(source: Path, out: Path, size: int) -> int:
    """Books of the same words drawn anew, so many bytes in all: paragraphs like those of the source, no two alike."""
    out.mkdir()
    rng = random.Random(0)
    books = [file.read_text(encoding="utf-8") for file in sorted(source.glob("*.txt"))]
    words = [word for book in books for word in book.split()]
    lengths = [len(paragraph.split()) for book in books for paragraph in book.split("\n\n") if paragraph.strip()]
    written = number = 0
    while written < size:
        text = "\n\n".join(" ".join(rng.choices(words, k=k)) for k in rng.choices(lengths, k=400))
        (out / f"{number:05}.txt").write_text(text, "utf-8")
        written += len(text.encode())
        number += 1
    return written


class Memory:
    """Looks, ten times a second, at the private memory of this process and all below it."""

    def __enter__(self) -> "Memory":
        self.peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process(os.getpid())
        while not self._done.wait(0.1):
            total = 0
            for process in [own, *own.children(recursive=True)]:
                try:
                    total += process.memory_full_info().uss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total)


if __name__ == "__main__":
    main()
