"""Where pulled models lie, who may write them, and whether there is space."""

import json
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock

from daneel.errors import ModelError
from daneel.run import home
from daneel.store.progress import megabytes

RECORD = "daneel-source.json"
"""In each folder that the store wrote: where the model came from."""


def models() -> Path:
    """The folder of the catalogue's models, a folder each."""
    return home() / "models"


def converted() -> Path:
    """The folder of what was made from the user's own GGUF files, by the file's hash."""
    return home() / "converted"


def read_record(folder: Path) -> dict[str, Any]:
    """What the store noted about a folder that it wrote; empty for one that is being written or removed."""
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record


def lock(folder: Path) -> FileLock:
    """Held by the one process that fetches or converts a model; the others wait and find it done."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.parent / f".{folder.name}.lock")


def require_space(folder: Path, size: int, what: str) -> None:
    """Raises ModelError if the disk of this folder cannot take so many bytes."""
    place = folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < size:
        raise ModelError(
            f"{what} needs {megabytes(size)} but {place} has {megabytes(free)} free; "
            "free some space, or set DANEEL_HOME to a folder on a larger disk"
        )
