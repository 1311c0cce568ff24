"""What `daneel train --dry-run` foresees, beside what the run then takes: time, memory and disk.

    python bench/estimate.py [--json]

Each case is estimated and then run, in processes of their own, on samples/keeper. Time is that of training and of
measuring before and after, as the run's report gives it; memory is the highest that the process held; disk is the
most that the run folder took, looked at twenty times a second. Ratios are the estimate over what happened: 0.7 to
1.3 is the goal.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import ROOT, Row, parser, report, say

FOLDERS = (
    str(ROOT / "samples" / "keeper"), "--stranger", str(ROOT / "samples" / "stranger"), "--eval-bytes", "10000",
)  # fmt: skip
CASES = {
    "lora": ("--base", "smollm2", "--steps", "30"),
    "lora, not compiled": ("--base", "smollm2", "--steps", "12", "--compile", "off", "--length", "256"),
    "full": ("--base", "smollm2", "--method", "full", "--steps", "12", "--compile", "off"),
    "scratch 3m": ("--base", "scratch", "--size", "3m", "--steps", "100", "--length", "256"),
}


def size(folder: Path) -> int:
    """Bytes in a folder; files may vanish while they are counted."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total


def measured(case: tuple[str, ...], run: Path) -> dict[str, float]:
    """Train, and say what it took."""
    command = [sys.executable, "-m", "daneel", "train", *FOLDERS, *case, "-o", str(run)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    disk = 0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        disk = max(disk, size(run))
        time.sleep(0.05)
    assert status == 0, f"{' '.join(command)} failed"
    seconds: dict[str, float] = json.loads((run / "daneel" / "report.json").read_text())["seconds"]
    return {"seconds": sum(seconds.values()), "memory": usage.ru_maxrss * 1024.0, "disk": float(disk)}


def foreseen(case: tuple[str, ...]) -> dict[str, float]:
    """What a dry run says."""
    command = [sys.executable, "-m", "daneel", "train", *FOLDERS, *case, "--dry-run", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    plan: dict[str, Any] = json.loads(done.stdout)
    return {
        "seconds": plan["seconds"] + plan["exam_seconds"],
        "memory": plan["memory_bytes"],
        "disk": plan["disk_bytes"],
    }


def main() -> None:
    args = parser(__doc__).parse_args()
    rows: list[Row] = []
    ratios = {}
    for name, case in CASES.items():
        plan = foreseen(case)
        with tempfile.TemporaryDirectory() as folder:
            took = measured(case, Path(folder) / "run")
        for what, unit in (("seconds", 1), ("memory", 1e9), ("disk", 1e9)):
            rows.append({
                "case": name, "what": what if unit == 1 else f"{what}, GB",
                "foreseen": round(plan[what] / unit, 2), "happened": round(took[what] / unit, 2),
            })  # fmt: skip
            ratios[f"{name}: {what}"] = plan[what] / took[what]
            say(str(rows[-1]))
    report(rows, ratios, ("torch",), args.json)


if __name__ == "__main__":
    main()
