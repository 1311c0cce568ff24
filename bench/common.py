"""What the measurements share: contenders in processes of their own, rounds in turn, one report."""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import cpuinfo
import psutil

from daneel.errors import ModelError
from daneel.store import resolve

ROOT = Path(__file__).parent.parent
Row = dict[str, Any]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Arguments that every script takes."""
    out = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--json", action="store_true", help="one object on stdout, all else on stderr")
    return out


def say(line: str) -> None:
    """Progress, kept apart from the result."""
    print(line, file=sys.stderr, flush=True)


def installed(label: str, *modules: str) -> bool:
    """Whether a peer's modules are here; a line if they are not."""
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    if absent:
        say(f"{label} is left out: {', '.join(absent)} is not installed")
    return not absent


def pulled(name: str) -> Path | None:
    """A model's folder; None and a line if it was not pulled."""
    try:
        return resolve(name)
    except ModelError as error:
        say(f"{name} is left out: {error}")
        return None


def read_text(path: Path) -> str:
    """A text file, or all .txt files of a folder one after another."""
    files = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
    return "\n\n".join(file.read_text(encoding="utf-8") for file in files)


class Contender:
    """A process that prepares once, then measures each time it is told to."""

    def __init__(self, label: str, *arguments: str) -> None:
        self.label = label
        command = [sys.executable, sys.argv[0], "--contender", *arguments]
        quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error", "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | quiet
        )

    def measure(self) -> Row:
        """One measurement, while the others wait."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.label} failed; its message is above")
        row: Row = json.loads(answer)
        return row

    def close(self) -> None:
        """End the process and give its memory back."""
        self._process.communicate()


def answer(measure: Callable[[], Row]) -> None:
    """The contender's side: a JSON line for each line that comes."""
    # Libraries print too: what is not an answer goes to stderr.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for _ in sys.stdin:
        print(json.dumps(measure()), file=out, flush=True)


def in_turn(contenders: list[Contender], rounds: int, warmup: int) -> list[dict[str, list[float]]]:
    """Each contender's figures. One measurement each, round after round, so that a noisy minute meets all."""
    found: list[dict[str, list[float]]] = [{} for _ in contenders]
    try:
        for number in range(-warmup, rounds):
            for contender, figures in zip(contenders, found, strict=True):
                row = contender.measure()
                shown = ", ".join(f"{name} {value:.4g}" for name, value in row.items())
                say(f"{'warm-up' if number < 0 else f'round {number + 1}'}: {contender.label}: {shown}")
                for name, value in row.items() if number >= 0 else ():
                    figures.setdefault(name, []).append(value)
    finally:
        for contender in contenders:
            contender.close()
    return found


def spread(values: list[float], digits: int = 1) -> Row:
    """The median, and between what the single figures lie."""
    return {name: round(f(values), digits) for name, f in (("median", median), ("low", min), ("high", max))}


def machine() -> str:
    """Where the figures come from."""
    memory = f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    return f"{cpuinfo.get_cpu_info()['brand_raw']}, {os.cpu_count()} cores, {memory}"


def report(rows: list[Row], ratios: dict[str, float], packages: tuple[str, ...], as_json: bool) -> None:
    """The table, or the one object."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    ratios = {name: round(value, 4) for name, value in ratios.items()}
    versions = {name: version(name) for name in packages if importlib.util.find_spec(name)}
    if as_json:
        head = {"machine": machine(), "commit": commit.stdout.strip(), "versions": versions}
        print(json.dumps({**head, "rows": rows, "ratios": ratios}, ensure_ascii=False))
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names] + [[str(row.get(name, "")) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"{machine()}; commit {commit.stdout.strip()}; {', '.join(' '.join(pair) for pair in versions.items())}\n")
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print()
    for name, value in ratios.items():
        print(f"{name} {value}")
