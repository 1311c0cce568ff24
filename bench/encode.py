"""Text to ids: ours beside `tokenizers` called plainly and tiktoken, on the patterns of GPT-2 and Llama 3.

    .venv-bench/bin/python bench/encode.py [--english texts/ --chinese texts/] [--rounds 5] [--json]

GPT-2's vocabulary is its own (`daneel pull gpt2-tokenizer`). Llama 3's cannot be had without its licence: for its
pattern a byte-level BPE of 32,000 tokens is trained on the texts, the same for all. Every round begins with fresh
objects that know no text yet; "again" is the same texts a second time, as
most of a large corpus is: its words have come before. `tokenizers` is asked for all documents at once,
without offsets, with a thread a core; tiktoken with two threads; ours with one thread and with two. The ids of all are
compared before anything is timed.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import tokenizers
from common import ROOT, Contender, Row, answer, in_turn, installed, parser, report, say, spread

from daneel.store import resolve_tokenizer
from daneel.tokenizer.fast import fast_encoder
from daneel.tokenizer.load import _ALPHABET, Tokenizer
from daneel.tokenizer.train import train_tokenizer

THREADS = 2
LLAMA3_SIZE = 32_000
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
LLAMA3 = (
    r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS = {"gpt2": GPT2, "llama3": LLAMA3}
Encode = Callable[[list[str]], list[list[int]]]


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--english", type=Path, default=ROOT / "samples" / "keeper", help="a folder of .txt")
    arguments.add_argument("--chinese", type=Path, default=ROOT / "samples" / "chinese", help="a folder of .txt")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--contender", nargs=2, metavar=("NAME", "FOLDER"), help="used by the script")
    args = arguments.parse_args()
    sets = {"English": read(args.english), "Chinese": read(args.chinese)}
    sets["both"] = sets["English"] + sets["Chinese"]
    if args.contender:
        name, folder = args.contender
        answer(lambda: measured(name, Path(folder), sets))
        return
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    names = [name for name in CONTENDERS if name != "tiktoken" or installed("tiktoken", "tiktoken")]
    with TemporaryDirectory() as temporary:
        folders = {"gpt2": resolve_tokenizer("gpt2-tokenizer"), "llama3": Path(temporary) / "llama3"}
        say(f"training {LLAMA3_SIZE:,} tokens with Llama 3's pattern")
        train_tokenizer(
            (t for name in ("English", "Chinese") for t in sets[name]), folders["llama3"], LLAMA3_SIZE, pattern="llama3"
        )
        for pattern, folder in folders.items():
            agree(folder, pattern, sets, names)
            extra = ("--english", str(args.english), "--chinese", str(args.chinese))
            found = in_turn([Contender(n, n, str(folder), *extra) for n in names], args.rounds, warmup=0)
            for label, texts in sets.items():
                size = sum(len(text.encode()) for text in texts) / 1e6
                speeds = {}
                for name, figures in zip(names, found, strict=True):
                    rates = spread([size / seconds for seconds in figures[label]])
                    again = spread([size / seconds for seconds in figures[f"{label} again"]])
                    speeds[name] = rates["median"]
                    rows.append({"pattern": pattern, "text": label, "by": name, "MB/s": rates["median"]})
                    rows[-1] |= {"low": rates["low"], "high": rates["high"], "again": again["median"]}
                ours = max(speed for name, speed in speeds.items() if name.startswith("daneel"))
                best = max(speed for name, speed in speeds.items() if not name.startswith("daneel"))
                ratios[f"tokenize_vs_best_{pattern}_{label.lower()}"] = ours / best
                again = {row["by"]: row["again"] for row in rows[-len(names) :]}
                known = max(speed for name, speed in again.items() if name.startswith("daneel"))
                best = max(speed for name, speed in again.items() if not name.startswith("daneel"))
                ratios[f"again_vs_best_{pattern}_{label.lower()}"] = known / best
    report(rows, ratios, ("daneel", "tokenizers", "tiktoken", "numpy"), args.json)


def read(folder: Path) -> list[str]:
    return [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.txt"))]


def agree(folder: Path, pattern: str, sets: dict[str, list[str]], names: list[str]) -> None:
    """Stop where two give different ids for a text."""
    for texts in sets.values():
        expected = CONTENDERS["tokenizers"](folder)(texts)
        for name in names:
            if list(map(list, CONTENDERS[name](folder)(texts))) != list(map(list, expected)):
                raise SystemExit(f"{name} gives other ids than tokenizers with the pattern of {pattern}")
    say(f"{pattern}: all give the same ids")


def measured(name: str, folder: Path, sets: dict[str, list[str]]) -> Row:
    """Seconds of each set with a fresh object, and of the same set again."""
    out: Row = {}
    for label, texts in sets.items():
        encode = CONTENDERS[name](folder)
        for suffix in ("", " again"):
            begin = time.perf_counter()
            encode(texts)
            out[label + suffix] = time.perf_counter() - begin
    return out


def ours(folder: Path, threads: int = THREADS) -> Encode:
    # The encoder is made with the object, as the tables of the peers are.
    encoder = fast_encoder(Tokenizer.load(folder)._raw, _ALPHABET)
    if encoder is None:
        raise SystemExit("the kernel cannot be built here: daneel kernels build")
    return lambda texts: encoder.encode(texts, threads)


def library(folder: Path) -> Encode:
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    raw = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    return lambda texts: [encoding.ids for encoding in raw.encode_batch_fast(texts, add_special_tokens=False)]


def tiktoken(folder: Path) -> Encode:
    from tiktoken import Encoding

    state = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    special = {token["content"] for token in state["added_tokens"]}
    vocabulary = {token: id for token, id in state["model"]["vocab"].items() if token not in special}
    ranks = {bytes(_ALPHABET[sign] for sign in token): id for token, id in vocabulary.items()}
    words = len(state["pre_tokenizer"].get("pretokenizers", [])) > 1
    encoding = Encoding(
        "bench", pat_str=PATTERNS["llama3" if words else "gpt2"], mergeable_ranks=ranks, special_tokens={}
    )
    return lambda texts: encoding.encode_ordinary_batch(texts, num_threads=THREADS)


CONTENDERS: dict[str, Callable[[Path], Encode]] = {
    "daneel": ours,
    "daneel, one thread": lambda folder: ours(folder, 1),
    "tokenizers": library,
    "tiktoken": tiktoken,
}


if __name__ == "__main__":
    main()
