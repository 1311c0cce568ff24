"""Where things live on disk, and how they get there whole or not at all."""

import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from daneel.errors import DaneelError


def home() -> Path:
    """The one folder of this machine that holds models: `$DANEEL_HOME`, or `~/.cache/daneel`."""
    return Path(os.environ.get("DANEEL_HOME") or Path.home() / ".cache" / "daneel")


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def atomic_write(path: Path, data: bytes | str) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _named(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def sync(folder: Path) -> None:
    """Ask the disk to hold every file of a folder before a rename makes it visible."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that takes its name when the block ends well.

    What stood at `path` is replaced. After an error the old folder is still there; a kill between the two renames
    leaves it under a name that begins with a dot, from which the next call brings it back. Other leftovers are
    removed by the next call. Raises DaneelError where another process writes the same folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _named(path), _alone(path):
        old = path.with_name(f".{path.name}.old")
        if old.exists() and not path.exists():
            os.replace(old, path)
        shutil.rmtree(old, ignore_errors=True)
        for leftover in path.parent.glob(f".{glob.escape(path.name)}.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix=f".{path.name}.new-", dir=path.parent))
        os.chmod(new, 0o755)  # noqa: S103  (mkdtemp makes it private; models are not)
        try:
            yield new
            sync(new)
            if path.exists():
                os.replace(path, old)
            os.replace(new, path)
            shutil.rmtree(old, ignore_errors=True)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            if old.exists() and not path.exists():
                os.replace(old, path)
            raise


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """A lock on a folder that is being written: whoever came second would remove the work of the first."""
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.busy"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DaneelError(f"{path} is being written by another process: wait for it, or name another folder") from None
    try:
        yield
    finally:
        # Before it is released: who finds a file that is gone takes a new one.
        with suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """An error of the system names the place that the user gave, not the temporary one beside it."""
    try:
        yield
    except OSError as error:
        # A full disk is noticed while writing, where the system knows no name.
        hidden = str(path.with_name(f".{path.name}."))
        if error.errno and (not error.filename or str(error.filename).startswith(hidden)):
            error.filename = str(path)
        raise


def discard(path: Path) -> None:
    """Remove a folder so that a kill half way leaves no folder of that name."""
    hidden = path.with_name(f".{path.name}.gone")
    shutil.rmtree(hidden, ignore_errors=True)  # of an earlier kill
    os.replace(path, hidden)
    shutil.rmtree(hidden)
