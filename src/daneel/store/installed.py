"""What is on this disk, and how it leaves again."""

from dataclasses import dataclass
from pathlib import Path

from daneel.errors import ModelError
from daneel.run import discard
from daneel.store.catalog import CATALOG, VOCABULARIES, Entry, Vocabulary
from daneel.store.disk import RECORD, converted, lock, models, read_record


@dataclass(frozen=True)
class Installed:
    """One model on this disk."""

    name: str
    """What `-m` takes."""
    about: str
    path: Path
    size: int


def installed() -> list[Installed]:
    """The catalogue's models that were pulled, converted GGUF files, and models in the hub's cache."""
    found = []
    for folder in sorted(models().glob("[!.]*")):
        entry: Entry | Vocabulary | None = CATALOG.get(folder.name) or VOCABULARIES.get(folder.name)
        if (folder / RECORD).exists() and entry is not None:
            found.append(Installed(entry.name, f"{entry.about}; {entry.licence.name}", folder, _size(folder)))
    for folder in sorted(converted().glob("[!.]*")):
        if record := read_record(folder):
            found.append(Installed(record["file"], "converted from this GGUF file", folder, _size(folder)))
    return found + _hub()


def remove(name: str) -> Installed:
    """Remove a model that the store put on this disk. Raises ModelError for one that it did not."""
    path = str(Path(name).expanduser().resolve())
    found = next((model for model in installed() if model.name in (name, path) or str(model.path) == path), None)
    if found is None:
        if Path(name).exists():
            raise ModelError(f"{name} is your own, not the store's: delete it yourself")
        raise ModelError(f"no model {name!r} on this machine; `daneel models` lists what is")
    if found.path.is_relative_to(models()) or found.path.is_relative_to(converted()):
        with lock(found.path):
            discard(found.path)
    else:
        from huggingface_hub import scan_cache_dir

        cache = scan_cache_dir()
        repos = [repo for repo in cache.repos if (repo.repo_type, repo.repo_id) == ("model", found.name)]
        revisions = [revision.commit_hash for repo in repos for revision in repo.revisions]
        cache.delete_revisions(*revisions).execute()
    return found


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _hub() -> list[Installed]:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    from daneel.store.hub import cached

    try:
        repos = scan_cache_dir().repos
    except CacheNotFound:
        return []
    names = sorted(repo.repo_id for repo in repos if repo.repo_type == "model")
    sizes = {repo.repo_id: repo.size_on_disk for repo in repos}
    return [
        Installed(name, "from the hub", folder, sizes[name]) for name in names if (folder := cached(name)) is not None
    ]
