"""How long one waits: `daneel --help`, and the first text of `daneel write` from a cold start.

    python bench/start.py [--runs 7] [--json]

Every run is a new process, timed from its start to the first byte of text on stdout (to its end for --help). The
files are in the system's cache from the second run on: dropping that needs root, so it is not done. The ratios are
the goals of 0.3 s and 3 s over the medians.
"""

import subprocess
import sys
import time
from pathlib import Path

from common import Row, installed, parser, report, resolve, say, spread

DANEEL = str(Path(sys.executable).with_name("daneel"))
PROMPT = "The year is 2042. AI has advanced to the point where"
HELP, WRITE, GOALS = "daneel --help", "daneel write", {"help": 0.3, "first_token": 3.0}
PIPELINE = f"""
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder = sys.argv[1]
tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
ids = tokenizer({PROMPT!r}, return_tensors="pt")
print(tokenizer.decode(model.generate(**ids, max_new_tokens=1)[0, -1:]), flush=True)
"""


def first_byte(command: list[str]) -> float:
    """Seconds from the start to the first byte, or to the end if there is none."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(1)
        seconds = time.perf_counter() - began
        process.stdout.read()
        error = process.stderr.read().decode()
    if process.returncode:
        raise SystemExit(f"{command[0]} failed: {error}")
    return seconds


def whole(command: list[str]) -> float:
    """Seconds from the start to the end."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--runs", type=int, default=7)
    args = arguments.parse_args()
    folder = str(resolve("smollm2"))
    commands = {
        HELP: (whole, [DANEEL, "--help"]),
        WRITE: (first_byte, [DANEEL, "write", PROMPT, "-n", "8", "--seed", "1"]),
        "python -c pass": (whole, [sys.executable, "-c", "pass"]),
        "import torch": (whole, [sys.executable, "-c", "import torch"]),
    }
    if installed("Transformers", "transformers"):
        commands["transformers, one token"] = (first_byte, [sys.executable, "-c", PIPELINE, folder])
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(args.runs):
        for name, (measure, command) in commands.items():
            seconds[name].append(measure(command))
            say(f"round {number + 1}: {name}: {seconds[name][-1]:.2f} s")
    limits = {HELP: GOALS["help"], WRITE: GOALS["first_token"]}
    rows: list[Row] = [
        {"what": name, **spread(values, 3), "first_run": round(values[0], 3), "goal": limits.get(name, "")}
        for name, values in seconds.items()
    ]
    medians = {row["what"]: row["median"] for row in rows}
    ratios = {
        "help_vs_goal": GOALS["help"] / medians[HELP],
        "first_token_vs_goal": GOALS["first_token"] / medians[WRITE],
    }
    report(rows, ratios, ("torch", "transformers"), args.json)


if __name__ == "__main__":
    main()
