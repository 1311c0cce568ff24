"""Kernels are compiled on first use by the machine's own compiler and kept; without one, callers have another way."""

import ctypes
import functools
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

from daneel.run import home

SOURCES = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.cpp"))}
"""The kernels by name."""
# Contraction of a * b + c would make results depend on the compiler's choices; what wants it asks for it.
_FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC")


def compiler() -> list[str] | None:
    """`$CXX`, or the machine's C++ compiler; None where there is none, or `DANEEL_KERNELS=off`."""
    if os.environ.get("DANEEL_KERNELS") == "off":
        return None
    named = os.environ.get("CXX")
    if named:
        return shlex.split(named)
    found = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    return [found] if found else None


def built(name: str) -> Path:
    """Where the kernel stands once it is built: another source, compiler or processor, another file."""
    known = hashlib.sha256()
    for part in (SOURCES[name].read_bytes(), repr((compiler(), _FLAGS)).encode(), _processor().encode()):
        known.update(hashlib.sha256(part).digest())
    return home() / "kernels" / f"{name}-{known.hexdigest()[:16]}.so"


def build(name: str) -> str | None:
    """Compile a kernel unless that is done; the compiler's complaint if it fails."""
    command, target = compiler(), built(name)
    if command is None:
        return "no C++ compiler: install g++ or clang++, or name one in CXX"
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if target.exists():
            return None
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
            made = Path(temporary) / target.name
            try:
                done = subprocess.run(
                    [*command, *_FLAGS, str(SOURCES[name]), "-o", str(made)],
                    capture_output=True,
                    text=True,
                    check=False,
                )
            except OSError as error:
                return f"{command[0]}: {error.strerror}"
            if done.returncode or not made.exists():
                return done.stderr.strip() or f"{command[0]} ended with {done.returncode}"
            made.replace(target)
    return None


def load(name: str) -> ctypes.CDLL | None:
    """A kernel, built if need be, which takes seconds; None where it cannot be had."""
    if compiler() is None:
        return None
    path = built(name)
    if not path.exists() and _failed(name, path):
        return None
    return _loaded(path)


@functools.cache
def _failed(name: str, path: Path) -> bool:
    """Tried once a process."""
    try:
        return build(name) is not None
    except OSError:  # a home that cannot be written
        return True


@functools.cache
def _loaded(path: Path) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(path))
    except OSError:  # built for another system, or the home forbids to run what stands there
        return None


@functools.cache
def _processor() -> str:
    """What `-march=native` looks at: a home may be shared by machines of several kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.platform()
    wanted = ("model name", "flags", "Features", "CPU part")
    return platform.machine() + "".join(sorted({line for line in lines if line.startswith(wanted)}))
