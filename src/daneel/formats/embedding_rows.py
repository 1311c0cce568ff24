"""The rows of an embedding, in a model folder of safetensors: read in float32, replaced by more of them.

The files are taken apart by the format's own description (https://github.com/huggingface/safetensors#format): every
other tensor is copied byte by byte, and bfloat16, which NumPy lacks, is the upper half of a float32.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from daneel.errors import ModelError
from daneel.formats.families import family
from daneel.formats.hf import INDEX, read_config, weight_files

Array = np.ndarray[Any, Any]

_CHUNK = 1 << 24
_KINDS: dict[str, Any] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}


def tables(folder: Path) -> list[str]:
    """Names of the tensors that have a row for every token: the embedding, and the head where it is not tied."""
    config = read_config(folder)
    kind = family(config)
    names = {weight.ours: weight.theirs[0] for weight in kind.weights(kind.architecture(config))}
    wanted = [names[ours] for ours in ("embed.weight", "head.weight") if ours in names]
    files = weight_files(folder)
    found = []
    for name in wanted:
        # Checkpoints of the base model alone leave its prefix out.
        here = next((each for each in (name, name.removeprefix("transformer."), name.removeprefix("model."))
                     if each in files), None)  # fmt: skip
        if here is None:
            raise ModelError(f"{folder} has no tensor {name}; the file is incomplete or of another architecture")
        found.append(here)
    return found


def rewrite(folder: Path, out: Path, change: Callable[[Array], Array]) -> int:
    """Write the folder's weight files into `out`, each table [tokens, width] passed through `change` in float32.

    Gives the number of rows written. Raises ModelError.
    """
    wanted, files = tables(folder), weight_files(folder)
    rows = 0
    total = 0
    for source in sorted(set(files.values())):
        count, size = _rewrite_file(source, out / source.name, wanted, change)
        rows, total = max(rows, count), total + size
    if (folder / INDEX).exists():
        index = json.loads((folder / INDEX).read_text("utf-8"))
        index["metadata"] = {**index.get("metadata", {}), "total_size": total}
        (out / INDEX).write_text(json.dumps(index, indent=2), "utf-8")
    return rows


def _rewrite_file(source: Path, target: Path, wanted: list[str], change: Callable[[Array], Array]) -> tuple[int, int]:
    with source.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(length))
        about = header.pop("__metadata__", None)
        order = sorted(header, key=lambda name: header[name]["data_offsets"][0])
        changed = {name: _changed(file, 8 + length, name, header[name], change) for name in order if name in wanted}
        new: dict[str, Any] = {} if about is None else {"__metadata__": about}
        at = 0
        for name in order:
            entry = dict(header[name])
            begin, end = entry["data_offsets"]
            size = changed[name].nbytes if name in changed else end - begin
            if name in changed:
                entry["shape"] = list(changed[name].shape)
            new[name] = {**entry, "data_offsets": [at, at + size]}
            at += size
        text = json.dumps(new, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with target.open("wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            for name in order:
                if name in changed:
                    out.write(changed[name].tobytes())
                    continue
                begin, end = header[name]["data_offsets"]
                file.seek(8 + length + begin)
                _copy(file, out, end - begin)
    return max((len(table) for table in changed.values()), default=0), at


def _changed(file: Any, start: int, name: str, entry: dict[str, Any], change: Callable[[Array], Array]) -> Array:
    kind = entry["dtype"]
    if kind not in _KINDS or len(entry["shape"]) != 2:
        raise ModelError(f"{file.name}: {name} is {kind} {entry['shape']}; float32, float16 and bfloat16 are read")
    begin, end = entry["data_offsets"]
    file.seek(start + begin)
    raw = np.frombuffer(file.read(end - begin), _KINDS[kind]).reshape(entry["shape"])
    if kind != "BF16":
        same: Array = change(raw.astype(np.float32)).astype(_KINDS[kind])
        return same
    bits = change((raw.astype(np.uint32) << 16).view(np.float32)).astype(np.float32).view(np.uint32)
    # To the nearest, ties to even; values that were bfloat16 stay what they were.
    rounded: Array = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return rounded


def _copy(source: Any, target: Any, size: int) -> None:
    while size:
        block = source.read(min(size, _CHUNK))
        if not block:
            raise ModelError(f"{source.name} is damaged: it ends too early; fetch the model again")
        target.write(block)
        size -= len(block)
