"""A name, however a person gives it -> the folder of a model on this disk."""

import difflib
import re
from pathlib import Path

from daneel.errors import ModelError
from daneel.formats.peft import CONFIG, read_adapter
from daneel.store.catalog import CATALOG, VOCABULARIES
from daneel.store.local import from_folder, from_gguf
from daneel.store.pull import pull, pull_vocabulary

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
# The hub's names from before it had owners.
OLD_HUB_IDS = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2")


def resolve(name: str) -> Path:
    """The folder of a model, by catalogue name, folder, run, GGUF file or hub id; fetched if need be.

    Raises ModelError: unknown name, no network, no space, terms not accepted, a file that is not a model.
    """
    if name in CATALOG:
        return pull(CATALOG[name])
    if name in VOCABULARIES:
        return pull_vocabulary(VOCABULARIES[name])
    path = Path(name).expanduser()
    if path.is_dir():
        return from_folder(path)
    if path.is_file():
        if path.suffix.lower() != ".gguf":
            raise ModelError(f"{path} is not a model: name a folder with config.json, or a .gguf file")
        return from_gguf(path)
    if is_hub_id(name):
        from daneel.store.hub import fetch

        return fetch(name)
    raise ModelError(f"no model {name!r}{_suggestion(name)}; `daneel models` lists what is at hand")


def resolve_tokenizer(name: str) -> Path:
    """The folder that holds the tokenizer of a model, or a tokenizer alone. Raises ModelError."""
    path = Path(name).expanduser()
    if name not in CATALOG and (path / "tokenizer.json").is_file():
        return path
    return tokenizer_folder(resolve(name))


def tokenizer_folder(model: Path) -> Path:
    """Where a model's tokenizer lies: an adapter as PEFT saves it has none, and reads with that of its base."""
    if (model / "tokenizer.json").is_file() or not (model / CONFIG).is_file():
        return model
    return resolve(read_adapter(model).base)


def is_hub_id(name: str) -> bool:
    """Whether the name has the form `owner/model`, or is one of the old names without an owner."""
    if name in OLD_HUB_IDS:
        return True
    # `runs/mine` and `mine/model.gguf` are paths: a mistyped one must not be sought on the hub.
    owner = name.split("/")[0]
    return bool(HUB_ID.fullmatch(name)) and not name.endswith(".gguf") and not Path(owner).is_dir()


def _suggestion(name: str) -> str:
    runs = [str(path.parent) for path in Path().glob("runs/*/*config.json")]
    names = (*runs, *CATALOG, *VOCABULARIES, *OLD_HUB_IDS)
    known = {Path(run).name: run for run in runs} | {known: known for known in names}
    near = [known[match] for match in difflib.get_close_matches(name, known, n=3, cutoff=0.5)]
    return f": did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""
