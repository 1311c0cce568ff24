"""Our token ids beside llama.cpp's, text by text, for models pulled from the catalogue.

    python bench/tokenizer_parity.py smollm2 gemma3 --text english=texts/ --text code=eval.jsonl.gz

Each PATH is a file or folder of .txt, .jsonl or .jsonl.gz; odd Unicode is generated, without `</s>`: in
Gemma's vocabulary that is an HTML tag, which llama.cpp alone takes for an end of text. Needs xllamacpp.
"""

import argparse
import gzip
import json
import random
import sys
import unicodedata
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import xllamacpp

from daneel.store import resolve
from daneel.tokenizer.load import Tokenizer

LONGEST = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--text", action="append", default=[], metavar="LABEL=PATH")
    parser.add_argument("--limit", type=int, default=3000, help="texts per label")
    parser.add_argument("--odd", type=int, default=3000, help="texts of odd Unicode")
    parser.add_argument("--show", type=int, default=3, help="differences shown per label")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    texts = {}
    for item in arguments.text:
        label, _, path = item.partition("=")
        texts[label] = sample(list(strings(Path(path))), arguments.limit)
    texts["odd unicode"] = list(odd(arguments.odd))
    rows = []
    for model in arguments.models:
        folder = resolve(model)
        ours, peer = Tokenizer.load(folder), LlamaCpp(next(folder.glob("*.gguf")))
        for label, some in texts.items():
            different = [(text, a, b) for text in some if (a := ours.encode(text)) != (b := peer.encode(text))]
            characters = sum(map(len, some))
            rows.append({
                "model": model, "text": label, "strings": len(some), "characters": characters,
                "equal": len(some) - len(different),
            })  # fmt: skip
            line = f"{len(some) - len(different):6} of {len(some):6} equal, {characters:9} characters"
            print(f"{model:9} {label:12} {line}", file=sys.stderr)
            for text, a, b in different[: arguments.show]:
                print(f"  {excerpt(text, a, b, ours)}", file=sys.stderr)
    if arguments.json:
        print(json.dumps({"rows": rows, "ratios": {}}))


class LlamaCpp:
    """llama.cpp's tokenizer, through its server in this process."""

    def __init__(self, gguf: Path):
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(gguf)
        parameters.n_ctx, parameters.warmup, parameters.verbosity = 64, False, 0
        self.server = xllamacpp.Server(parameters)

    def encode(self, text: str) -> list[int]:
        """Ids without the beginning-of-text token; names of special tokens are plain text."""
        body = json.dumps({"content": text, "add_special": False, "parse_special": False}).encode()
        request = urllib.request.Request(f"{self.server.listening_address}/tokenize", body)
        with urllib.request.urlopen(request) as answer:
            tokens: list[int] = json.load(answer)["tokens"]
        return tokens


def strings(path: Path) -> Iterator[str]:
    """Paragraphs of text files and the string values of JSON lines, short enough to look at."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.name.endswith((".jsonl", ".jsonl.gz")):
            with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
                for line in lines:
                    yield from (value for value in json.loads(line).values() if isinstance(value, str))
        elif file.suffix == ".txt":
            text = file.read_text(encoding="utf-8")
            for paragraph in text.split("\n\n"):
                yield from (paragraph[at : at + LONGEST] for at in range(0, len(paragraph), LONGEST))


def sample(texts: list[str], limit: int) -> list[str]:
    return texts if len(texts) <= limit else random.Random(0).sample(texts, limit)


def odd(count: int) -> Iterator[str]:
    """Short runs of every kind of character, white space, digits, marks and joins among them."""
    rng = random.Random(0)
    assigned = [c for c in map(chr, range(1, 0x110000)) if unicodedata.category(c) not in ("Cn", "Cs", "Co")]
    alphabets = [
        " \t\n\r\u00a0\u2003\u3000\u200b\u2028\u0085",
        "'’\"“”.,;:!?-–—…()[]{}<>|+=^~$`_\\/#@*&%",
        "0123456789٠१२３½²Ⅷ",
        "abcdeABCDE",
        "'s'T're'Ll'm",
        "éèüñçÅßøŁżİıſ",
        "e\u0301a\u0308o\u0302\u0327n\u0303",
        "العربية हिन्दी ไทย ខ្មែរ",
        "中文字符，。！？「」々ー",
        "ひらがなカタカナｶﾅ한국어조선",
        "😀👩\u200d🚀🏳\ufe0f\u200d🌈🇨🇳👍🏽❤\ufe0f",
        "▁ĠĊ<0x0A><s>",
        "<|im_end|><eos><bos><start_of_turn>",
        "<h1><br></b>&amp;",
    ]
    for _ in range(count):
        pieces = []
        for _ in range(rng.randint(1, 12)):
            source = rng.choice(alphabets) if rng.random() < 0.8 else assigned
            length = rng.randint(1, 8)
            if rng.random() < 0.3 and source is not assigned:
                pieces.append(rng.choice(source) * length)
            elif rng.random() < 0.3 and source is not assigned:
                pieces.append("".join(source))
            else:
                pieces.append("".join(rng.choice(source) for _ in range(length)))
        yield "".join(pieces)


def excerpt(text: str, ours: list[int], theirs: list[int], tokenizer: Tokenizer) -> str:
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), 0)
    names = [[tokenizer.token_bytes(id).decode(errors="replace") for id in ids[at : at + 6]] for ids in (ours, theirs)]
    return f"{text[:60]!r}: at token {at} ours {names[0]}, llama.cpp {names[1]}"


if __name__ == "__main__":
    main()
