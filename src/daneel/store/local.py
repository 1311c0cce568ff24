"""The user's own folders and GGUF files as models."""

import json
from pathlib import Path

from daneel.errors import ModelError
from daneel.formats.peft import CONFIG as ADAPTER_CONFIG
from daneel.run import atomic_write, sha256
from daneel.store.disk import RECORD, converted, lock, read_record, require_space
from daneel.store.progress import say


def from_folder(path: Path) -> Path:
    """The folder itself, if it is a model or an adapter. Raises ModelError."""
    if (path / "config.json").is_file() or (path / ADAPTER_CONFIG).is_file():
        return path
    if (path / "checkpoints").is_dir():
        raise ModelError(f"{path} is a run that has not finished: go on with `daneel train --resume -o {path}`")
    if files := sorted(path.glob("*.gguf")):
        raise ModelError(f"{path} has no config.json; name its GGUF file: {files[0]}")
    raise ModelError(f"{path} is not a model: it has neither config.json nor {ADAPTER_CONFIG}")


def from_gguf(path: Path) -> Path:
    """A Hugging Face folder with this file's weights, written when it is first seen. Raises ModelError."""
    place, state = str(path.resolve()), path.stat()
    stamp = {"path": place, "bytes": state.st_size, "modified": state.st_mtime_ns}
    # Reading gigabytes for their hash at every start would be slow; a file with the same stamp is the same.
    for record in converted().glob(f"*/{RECORD}"):
        if read_record(record.parent).get("seen") == stamp:
            return record.parent
    digest = sha256(path)
    folder = converted() / digest[:16]
    with lock(folder):
        if not (folder / RECORD).exists():
            _convert(path, folder)
        record_text = json.dumps({"name": path.stem, "file": place, "sha256": digest, "seen": stamp}, indent=2)
        atomic_write(folder / RECORD, record_text + "\n")
    return folder


def _convert(path: Path, folder: Path) -> None:
    from daneel.formats.gguf import convert, folder_bytes
    from daneel.formats.gguf_file import GGUF

    gguf = GGUF(path)
    require_space(folder, folder_bytes(gguf), f"{path.name} (as a Hugging Face folder)")
    say(f"{path.name}: writing its weights once as a Hugging Face folder, {folder}")
    convert(gguf, folder)
