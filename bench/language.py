"""A translator of an invented language, trained from nothing: exact matches in both directions, on three tests.

    .venv/bin/python bench/language.py [--grammar samples/languages/oshari.toml] [--seconds 180] [--json]

This is the second act of `daneel demo`: 20,000 sentences made from the grammar, one encoder-decoder of 2.4M parameters
for both directions, trained for so many seconds (a tenth of them to spare), then 200 sentences of each test in each
direction, written greedily. heldout are unseen sentences; roots asks for words that training showed only in plain
statements, patterns for constructions together that training showed only apart.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from common import ROOT, Row, parser, report

from daneel.cli.demo_language import translate


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--grammar", type=Path, default=ROOT / "samples" / "languages" / "oshari.toml")
    arguments.add_argument("--seconds", type=float, default=180)
    args = arguments.parse_args()
    with TemporaryDirectory() as folder:
        found = translate(args.grammar, Path(folder) / "act", args.seconds)
    rows: list[Row] = []
    for test, ways in found.items():
        for way, facts in ways.items():
            exact = facts["exact_match"]
            row = {"test": test, "direction": way, "n": facts["n"]}
            rows.append(row | {f"exact, {key}": round(100 * exact[key], 1) for key in ("value", "low", "high")})
    least = min(row["exact, value"] for row in rows if row["test"] == "heldout")
    report(rows, {"heldout_exact_percent": least}, ("daneel", "torch"), args.json)


if __name__ == "__main__":
    main()
