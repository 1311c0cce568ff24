"""Data sets of the Hugging Face hub, through `huggingface_hub`: HF_ENDPOINT, HF_HOME and HF_TOKEN are its own."""

import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daneel.corpus.read.archives import ABOUT
from daneel.corpus.read.item import SUFFIXES, kind_of
from daneel.errors import DataError, UsageError
from daneel.store.progress import megabytes, say

_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w.-]+))?(?:/(.+))?")
_CARD = "README.md"
_TIMEOUT = 60


@dataclass(frozen=True)
class DataSet:
    """A data set that lies in the hub's own cache."""

    repo: str
    folder: Path
    files: list[str]
    """Names in the folder of what is read, in their order."""
    left_out: dict[str, int]
    """Files of a kind that is not read, by suffix."""
    about: dict[str, str]
    """Its licence, where it states one."""


def fetch(name: str) -> DataSet:
    """The files of `hf:owner/name[@revision][/path]` that we read. Raises UsageError, DataError."""
    match = _NAME.fullmatch(name)
    if not match:
        raise UsageError(f"{name!r} names no data set: write hf:owner/name[/path], or hf:owner/name@revision[/path]")
    repo, revision, below = match[1], match[2], (match[3] or "").strip("/")
    # Imported here: it takes half a second.
    from huggingface_hub import HfApi, constants, errors, metadata_load, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    inside = f"{_literal(below)}/" if below else ""
    patterns = [_CARD, *(f"{inside}*{suffix}" for suffix in SUFFIXES), *([_literal(below)] if below else [])]
    # The library's own name for whichever HTTP client it was built on.
    failures = (errors.HTTPError, errors.HFValidationError, OSError, RuntimeError)  # type: ignore[attr-defined]
    try:
        info = HfApi().dataset_info(repo, revision=revision, files_metadata=True, timeout=_TIMEOUT)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        files = _wanted(sizes, below)
        if not files:
            raise DataError(f"{name} has no file that is read: look at {constants.ENDPOINT}/datasets/{repo}")
        size = sum(sizes[each] for each in files)
        _require_space(Path(constants.HF_HUB_CACHE), size, name)
        licence = ", ".join(tag.removeprefix("license:") for tag in info.tags or [] if tag.startswith("license:"))
        say(f"{name}: fetching {megabytes(size)} from {constants.ENDPOINT}; licence {licence or 'not stated'}")
        names = [_literal(each) for each in files]
        folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns=names + patterns))
    except failures as error:
        reason = _reason(repo, error, constants.ENDPOINT, errors)
    else:
        left_out = Counter(Path(each).suffix.lower() for each in sizes if not kind_of(each)[0])
        return DataSet(repo, folder, files, dict(left_out), {"licence": licence} if licence else {})
    try:
        # Refused where a file that these patterns name was never fetched.
        cached = snapshot_download(
            repo, repo_type="dataset", revision=revision, allow_patterns=patterns, local_files_only=True
        )
    except (*failures, ValueError):
        raise DataError(reason) from None
    folder = Path(cached)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    if not (files := _wanted(names, below)):
        raise DataError(reason)
    say(f"{name}: {reason}; read as it lies in the cache")
    card = metadata_load(folder / _CARD) if (folder / _CARD).is_file() else None
    stated = (card or {}).get("license") or ""
    licence = ", ".join(map(str, stated)) if isinstance(stated, list) else str(stated)
    return DataSet(repo, folder, files, {}, {"licence": licence} if licence else {})


def _wanted(names: Iterable[str], below: str) -> list[str]:
    """Of all names those that are read: `below` is a file, or a folder, or empty for everything."""
    wanted = []
    for name in names:
        last = name.rsplit("/", 1)[-1]
        kind, stem = kind_of(last)
        told = kind and not last.startswith(".") and stem.lower() not in ABOUT
        if name == below or (told and (not below or name.startswith(below + "/"))):
            wanted.append(name)
    return sorted(wanted)


def _literal(name: str) -> str:
    """A file's name as a pattern that matches nothing else."""
    return re.sub(r"([*?\[])", r"[\1]", name)


def _require_space(folder: Path, size: int, what: str) -> None:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < size:
        raise DataError(f"{what} needs {megabytes(size)} but {folder} has {megabytes(free)} free: set HF_HOME")


def _reason(repo: str, error: Any, endpoint: str, errors: Any) -> str:
    if isinstance(error, errors.HFValidationError):
        return f"{repo!r} is no hub id: {error}"
    if isinstance(error, errors.GatedRepoError):
        return f"{repo} asks for its terms to be accepted: do so at {endpoint}/datasets/{repo}, then set HF_TOKEN"
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"{endpoint} has no data set {repo!r}, or it is private: check the spelling, or set HF_TOKEN"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{repo} has no such revision: look at {endpoint}/datasets/{repo}"
    if isinstance(error, errors.HfHubHTTPError):
        return f"{endpoint} answered {error.response.status_code} for {repo}: set HF_TOKEN, or try again later"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"{repo} is not on this machine and HF_HUB_OFFLINE is set: unset it"
    return (
        f"{repo} is not on this machine and {endpoint} cannot be reached ({type(error).__name__}): check the network, "
        "set HF_ENDPOINT to a mirror, or name a local folder"
    )
