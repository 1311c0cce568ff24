"""`daneel doctor`: what this machine offers, and what would help."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from daneel.cli.common import emit, json_option
from daneel.run import cores, home
from daneel.store.installed import installed
from daneel.store.progress import megabytes
from daneel.train.compiler import compiler

# What makes matrices fast, as the processor's flags spell it (x86 and ARM).
INSTRUCTIONS = (
    "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile", "amx_int8",
    "amx_bf16", "neon", "asimd", "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip
# As model/load.py decides, which must not be imported: doctor also runs where torch does not.
NATIVE_BF16 = {"avx512_bf16", "amx_bf16"}
VARIABLES = ("HF_ENDPOINT", "HF_HOME", "HF_HUB_OFFLINE", "PIP_INDEX_URL", "HTTPS_PROXY", "DANEEL_HOME")
LITTLE_MEMORY, LITTLE_DISK = 3e9, 3e9
# The variables whose values may hold a password.
SECRET = ("HTTPS_PROXY", "PIP_INDEX_URL")


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Show this machine's processor, memory, disk, PyTorch, compiler, models and network settings.

    \b
    daneel doctor
    daneel doctor --json
    """
    facts = examine()
    if as_json:
        emit(facts)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in _lines(facts):
        table.add_row(name, value)
    console = Console(highlight=False)
    console.print(table)
    console.print("\nWhat would help:" if facts["advice"] else "\nNothing is missing.")
    for line in facts["advice"]:
        console.print(f"- {line}")


def examine() -> dict[str, Any]:
    """Everything `--json` gives."""
    import cpuinfo
    import psutil

    cpu = cpuinfo.get_cpu_info()
    flags = set(cpu.get("flags", []))
    memory = psutil.virtual_memory()
    place = home()
    while not place.exists():
        place = place.parent
    facts: dict[str, Any] = {
        "cores": psutil.cpu_count(logical=False) or os.cpu_count() or 1,
        "threads": cores(),
        "cpu": cpu.get("brand_raw") or platform.processor() or platform.machine(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "bf16_native": bool(NATIVE_BF16 & flags),
        "memory": min(memory.total, _container_memory()),
        "memory_available": min(memory.available, _container_memory()),
        "disk_free": shutil.disk_usage(place).free,
        "home": str(home()),
        "python": platform.python_version(),
        "torch": _version("torch"),
        "gpu": _first_line(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]),
        "compiler": _first_line([name, "--version"]) if (name := compiler()) else None,
        "models": [{"name": model.name, "bytes": model.size} for model in installed()],
        "environment": {name: _shown(name) for name in VARIABLES if os.environ.get(name)},
        "hub_token": bool(os.environ.get("HF_TOKEN")),
    }
    return {**facts, "advice": advice(facts)}


def advice(facts: dict[str, Any]) -> list[str]:
    """One line for each thing that this machine lacks."""
    memory, disk = facts["memory_available"], facts["disk_free"]
    checks = [
        (facts["torch"] is None, "PyTorch is missing, and every model needs it: pip install torch"),
        (
            facts["gpu"] and "+cpu" in str(facts["torch"]),
            "there is an NVIDIA card, but this PyTorch cannot use it: install PyTorch's CUDA build",
        ),
        (
            not facts["bf16_native"],
            "this processor has no bfloat16 arithmetic that is used (AVX-512 BF16, AMX), so models run in "
            "float32, about half as fast: prefer smollm2, and shorter texts",
        ),
        (
            facts["compiler"] is None,
            "there is no C++ compiler, which training runs of more than two minutes use to go faster: install g++",
        ),
        (
            memory < LITTLE_MEMORY,
            f"{megabytes(memory)} of memory are free, and training smollm2 takes about 3 GB: close other "
            "programs, or train with a smaller --batch",
        ),
        (
            disk < LITTLE_DISK,
            f"{megabytes(disk)} of disk are free at {facts['home']}; a model and a run take about 3 GB: free "
            "some, or set DANEEL_HOME to a folder on a larger disk",
        ),
        (
            facts["threads"] < facts["cores"],
            f"this process may use {facts['threads']} of {facts['cores']} cores: widen its limit",
        ),
        (
            "smollm2" not in [model["name"] for model in facts["models"]],
            "the default model is not here yet: daneel pull smollm2",
        ),
        (
            facts["environment"].get("HF_HUB_OFFLINE") not in (None, "0"),
            "HF_HUB_OFFLINE is set, so hub ids are not fetched: unset it to pull from the hub",
        ),
    ]
    return [line for wanted, line in checks if wanted]


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    models = ", ".join(f"{model['name']} ({megabytes(model['bytes'])})" for model in facts["models"])
    memory = f"{megabytes(facts['memory'])}, {megabytes(facts['memory_available'])} available"
    lines = [
        ("processor", f"{facts['cpu']}, {facts['cores']} cores, {facts['threads']} threads"),
        ("instructions", " ".join(facts["instructions"]) or "none that help"),
        ("bfloat16", "native" if facts["bf16_native"] else "emulated"),
        ("memory", memory),
        ("disk", f"{megabytes(facts['disk_free'])} free at {facts['home']}"),
        ("system", f"{facts['system']}, Python {facts['python']}"),
        ("torch", facts["torch"] or "not installed"),
        ("gpu", facts["gpu"] or "none"),
        ("compiler", facts["compiler"] or "none found"),
        ("models", models or "none yet"),
        ("hub token", "HF_TOKEN is set" if facts["hub_token"] else "none"),
    ]
    return lines + list(facts["environment"].items())


def _container_memory() -> float:
    """The limit of a Linux control group, which `free` does not show."""
    try:
        return float(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):
        return float("inf")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _first_line(command: list[str]) -> str | None:
    """What a program prints first, or nothing where it is absent or fails."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.splitlines()[0] if done.returncode == 0 and done.stdout else None


def _shown(name: str) -> str:
    value = os.environ[name]
    return "set" if name in SECRET and "@" in value else value
