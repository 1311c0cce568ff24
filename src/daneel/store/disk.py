"""Where pulled models lie, who may write them, and whether there is space."""

import shutil
from pathlib import Path

from filelock import FileLock

from daneel.errors import ModelError
from daneel.run import home
from daneel.store.progress import megabytes


def models() -> Path:
    """The folder of the catalogue's models, a folder each."""
    return home() / "models"


def converted() -> Path:
    """The folder of what was made from the user's own GGUF files, by the file's hash."""
    return home() / "converted"


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
