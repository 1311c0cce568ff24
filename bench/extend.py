"""What a new token should mean before anything is learned: three ways to fill its row, compared.

    python bench/extend.py --on books/ --heldout other-books/ [--model smollm2] [--add 4000] [--json]

The model gets `--add` tokens learned from `--on`, and is asked for bits per byte of `--heldout` at once, without any
training: its new rows are the mean of the pieces that each token replaces, the mean of all rows, or random rows with
the mean and spread of all. The model as it was stands beside them. The ratios are the bits per byte of the other two
over those of the pieces.
"""

import tempfile
from pathlib import Path

from common import Row, parser, pulled, report, say

from daneel.evaluate.likelihood import evaluate, first_bytes
from daneel.evaluate.texts import read_texts
from daneel.lm.load import load
from daneel.tokenizer.extend import extend
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.texts import stream


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--on", type=Path, required=True)
    arguments.add_argument("--heldout", type=Path, required=True)
    arguments.add_argument("--model", default="smollm2")
    arguments.add_argument("--add", type=int, default=4000)
    arguments.add_argument("--bytes", type=int, default=20_000, help="of the held-out text, at most")
    args = arguments.parse_args()
    model = pulled(args.model)
    if model is None:
        raise SystemExit(1)
    documents = first_bytes(read_texts(args.heldout)[0], args.bytes)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        for init in ("as it was", "pieces", "mean", "random"):
            folder = model
            if init != "as it was":
                folder = Path(name) / init
                extend(model, folder, stream([args.on]), args.add, init=init)
            tokenizer = Tokenizer.load(folder)
            text = "".join(document.text for document in documents)
            scores = evaluate(load(str(folder)), documents)
            rows.append({
                "rows": init,
                "vocabulary": tokenizer.vocab_size,
                "tokens_per_character": round(len(tokenizer.encode(text)) / len(text), 3),
                "bits_per_byte": round(scores.bits_per_byte.value, 3),
                "low": round(scores.bits_per_byte.low or 0, 3),
                "high": round(scores.bits_per_byte.high or 0, 3),
            })  # fmt: skip
            say(f"{rows[-1]}")
    bits = {row["rows"]: row["bits_per_byte"] for row in rows}
    ratios = {f"{other}_vs_pieces": bits[other] / bits["pieces"] for other in ("mean", "random")}
    report(rows, ratios, ("torch", "tokenizers"), args.json)


if __name__ == "__main__":
    main()
