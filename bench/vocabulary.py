"""Which vocabulary a small model should have: the same parameters and the same computation, spent differently.

    python bench/vocabulary.py english=texts/ chinese=books/ [--parameters 3m] [--sizes 1024,4096] [--json]

For each TEXT (.txt files, a tenth of whose blocks is held out) and each vocabulary a model is trained from scratch and
asked for bits per byte, the one measure that does not depend on the tokens. All models have the same number of
parameters, so a larger vocabulary leaves less for the layers; since the head costs as many multiplications as it has
parameters, a token costs them all the same too, and all read the same number of tokens (a larger vocabulary puts more
text in them). `--longest` and `--min-frequency` compare ways to train the vocabulary instead. The ratios are the worst
bits per byte of a text over its best.
"""

import random
import tempfile
import time
from pathlib import Path

from common import Row, parser, read_text, report, say

from daneel.config import TrainConfig
from daneel.data.packing import write_shards
from daneel.formats.families import llama
from daneel.model.init import new_model
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.train import LONGEST, MIN_FREQUENCY, train_tokenizer
from daneel.train.loop import Trainer
from daneel.train.objectives import causal

HEAD = 64
BLOCK = 4000  # characters of a block, the unit of holding out
LR = 2e-3


def shape(vocabulary: int, parameters: int) -> dict[str, int]:
    """A Llama of so many parameters in all: about 38 of width a layer and 8/3 of feed-forward, as the 3m size has."""
    found = []
    for width in range(HEAD, 1024, HEAD):
        for layers in range(2, 33):
            rest = parameters - vocabulary * width - layers * (4 * width**2 + 2 * width) - width
            hidden = round(rest / (3 * width * layers) / 8) * 8
            if hidden >= width:
                found.append(
                    (abs(hidden / width * 3 / 8 - 1) + abs(width / layers / 38.4 - 1) / 2, width, layers, hidden)
                )
    if not found:
        raise SystemExit(f"{parameters:,} parameters cannot hold {vocabulary:,} tokens and two layers")
    _, width, layers, hidden = min(found)
    return {"width": width, "layers": layers, "heads": width // HEAD, "kv_heads": width // HEAD, "hidden": hidden}


def split(text: str) -> tuple[list[str], list[str]]:
    """Blocks of a text to learn from, and a tenth of them held out."""
    blocks, at = [], 0
    while at < len(text):
        end = text.find("\n", at + BLOCK)
        end = len(text) if end < 0 else end + 1
        blocks.append(text[at:end])
        at = end
    held = set(random.Random(0).sample(range(len(blocks)), max(1, len(blocks) // 10)))
    return [b for i, b in enumerate(blocks) if i not in held], [b for i, b in enumerate(blocks) if i in held]


def measure(folder: Path, tokenizer: Tokenizer, train: list[str], held: list[str], parameters: int, tokens: int) -> Row:
    """Train one model and score the held-out blocks."""
    config = TrainConfig(method="full", lr=LR, batch=8, length=256, evals=0, patience=0, checkpoint_every=10**9)
    sizes = shape(tokenizer.vocab_size, parameters)
    settings = llama.config(
        vocab_size=tokenizer.vocab_size, context=1024, bos=tokenizer.bos, eos=tokenizer.eos[0], **sizes
    )
    model = new_model(llama.architecture(settings), config.seed)
    shards = [
        write_shards(causal(tokenizer, blocks), folder / name, config.length, whole=False)
        for name, blocks in (("train", train), ("held", held))
    ]
    steps = max(1, tokens // (config.rows * config.length))
    trainer = Trainer(folder, model, config, shards[0], shards[1], compiled=True)
    clock = time.perf_counter()
    trainer.run(steps, lambda event: None)
    seconds = time.perf_counter() - clock
    nats = trainer.measure(len(shards[1]))["heldout"] * shards[1].meta.tokens
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "width": sizes["width"],
        "layers": sizes["layers"],
        "bytes_per_token": round(sum(len(b.encode()) for b in held) / shards[1].meta.tokens, 3),
        "passes": round(tokens / shards[0].meta.tokens, 2),
        "bits_per_byte": round(nats / sum(len(b.encode()) for b in held) / 0.6931471805599453, 4),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("texts", nargs="+", metavar="LABEL=PATH")
    arguments.add_argument("--parameters", default="3m", help="of each model, as 3m")
    arguments.add_argument("--sizes", default="1024,2048,4096,8192,16384", help="vocabularies")
    arguments.add_argument("--longest", default=str(LONGEST), help="bytes of the longest token, several by commas")
    arguments.add_argument("--min-frequency", default=str(MIN_FREQUENCY), help="several by commas")
    arguments.add_argument("--model", default="bpe", help="bpe, unigram, or both by commas")
    arguments.add_argument("--tokens", type=int, default=1_000_000, help="that each model reads")
    arguments.add_argument("--characters", type=int, help="of each text at most")
    args = arguments.parse_args()
    parameters = round(float(args.parameters.removesuffix("m")) * 1e6)
    rows: list[Row] = []
    for item in args.texts:
        label, _, path = item.partition("=")
        train, held = split(read_text(Path(path))[: args.characters])
        for kind in args.model.split(","):
            for longest in map(int, args.longest.split(",")):
                for least in map(int, args.min_frequency.split(",")):
                    for size in map(int, args.sizes.split(",")):
                        with tempfile.TemporaryDirectory() as name:
                            folder = Path(name)
                            tokenizer = train_tokenizer(train, folder / "tokenizer", size, model=kind,
                                                        longest=longest, min_frequency=least)  # fmt: skip
                            row: Row = {"text": label, "model": kind, "asked": size, "vocabulary": tokenizer.vocab_size,
                                        "longest": longest, "min_frequency": least}  # fmt: skip
                            row |= measure(folder, tokenizer, train, held, parameters, args.tokens)
                        say(f"{row}")
                        rows.append(row)
    ratios = {}
    for label in dict.fromkeys(row["text"] for row in rows):
        scores = [row["bits_per_byte"] for row in rows if row["text"] == label]
        ratios[f"{label}_worst_vs_best"] = max(scores) / min(scores)
    report(rows, ratios, ("torch", "tokenizers"), args.json)


if __name__ == "__main__":
    main()
