"""A name, however a person gives it -> the folder of a model on this disk."""

from pathlib import Path

from daneel.errors import ModelError
from daneel.store.catalog import CATALOG
from daneel.store.pull import pull


def resolve(name: str) -> Path:
    """The folder of a model named by catalogue, folder, GGUF file or hub id; fetched if it may be."""
    if name in CATALOG:
        return pull(CATALOG[name])
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    raise ModelError(f"no model {name!r}")
