"""What is named rather than lies on the disk: Hugging Face data sets, arXiv papers, and a pipe."""

import os
import re
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

from daneel.corpus.read.item import ReadSettings, kind_of
from daneel.corpus.read.sniff import guess
from daneel.errors import DataError, UsageError
from daneel.store.progress import megabytes, say

_HUB = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w.-]+))?(?:/(.+))?")
_ARXIV = re.compile(r"arxiv:(\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?)", re.I)
_ARXIV_FILE = re.compile(r"(?:arxiv-)?\d{4}\.\d{4,5}(?:v\d+)?(?:\.tar)?(?:\.gz)?", re.I)
_TIMEOUT = 60


def is_remote(name: str) -> bool:
    """Whether this names a data set of the hub or a paper."""
    return name.startswith("hf:") or name.lower().startswith("arxiv:")


def is_arxiv_source(name: str) -> bool:
    """Whether a file has the name that arXiv gives to a paper's source."""
    return _ARXIV_FILE.fullmatch(name) is not None


def spool(stream: BinaryIO, scratch: Path) -> Path:
    """A pipe as a file, whose suffix says what was seen in it."""
    path = scratch / "stdin"
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    return path


def hub_files(name: str) -> tuple[str, list[tuple[str, Path]], dict[str, int], dict[str, str]]:
    """A data set of the hub: its id, the files that we read, those left out by suffix, what is known of it all.

    Fetched into the hub's own cache. Raises UsageError, DataError.
    """
    match = _HUB.fullmatch(name)
    if not match:
        raise UsageError(
            f"{name!r} names no data set: write hf:owner/name, hf:owner/name@revision or hf:owner/name/path"
        )
    repo, revision, below = match[1], match[2], (match[3] or "").strip("/")
    # Imported here, and its variables read then: it takes half a second.
    from huggingface_hub import HfApi, constants, errors, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()

    def wanted(names: list[str]) -> list[str]:
        inside = [each for each in names if not below or each == below or each.startswith(below + "/")]
        return sorted(each for each in inside if kind_of(each)[0] and not each.rsplit("/", 1)[-1].startswith("."))

    try:
        info = HfApi().dataset_info(repo, revision=revision, files_metadata=True, timeout=_TIMEOUT)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        files = [each for each in wanted(list(sizes)) if each == below or not _tells(each)]
        if not files:
            raise DataError(f"{name} has no file that is read: look at {constants.ENDPOINT}/datasets/{repo}")
        size = sum(sizes[each] for each in files)
        tags = [tag.removeprefix("license:") for tag in info.tags or [] if tag.startswith("license:")]
        _require_space(Path(constants.HF_HUB_CACHE), size, name)
        say(f"{name}: fetching {megabytes(size)} from {constants.ENDPOINT}; licence {', '.join(tags) or 'not stated'}")
        patterns = [_literal(each) for each in files]
        folder = Path(snapshot_download(repo, repo_type="dataset", revision=info.sha, allow_patterns=patterns))
        others = Counter(Path(each).suffix.lower() for each in sizes if not kind_of(each)[0])
        about = {"licence": ", ".join(tags)} if tags else {}
        return repo, [(each, folder / each) for each in files], dict(others), about
    # The library's own name for whichever HTTP client it was built on.
    except (errors.HTTPError, errors.HFValidationError, OSError, RuntimeError) as error:  # type: ignore[attr-defined]
        reason = _reason(repo, error, constants.ENDPOINT, errors)
    try:
        folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, local_files_only=True))
    except (errors.HTTPError, errors.HFValidationError, OSError, RuntimeError, ValueError):  # type: ignore[attr-defined]
        raise DataError(reason) from None
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    if not (files := wanted(names)):
        raise DataError(reason)
    say(f"{name}: {reason}; read as it lies in the cache")
    return repo, [(each, folder / each) for each in files], {}, {}


def arxiv_file(name: str, scratch: Path, settings: ReadSettings) -> Path:
    """The source of a paper, or its PDF where there is no source. Raises UsageError, DataError."""
    match = _ARXIV.fullmatch(name)
    if not match:
        raise UsageError(f"{name!r} names no paper: write arxiv:2401.00001, arxiv:2401.00001v2 or arxiv:hep-th/9901001")
    paper = match[1]
    endpoint = os.environ.get("ARXIV_ENDPOINT", "https://arxiv.org").rstrip("/")
    if urllib.parse.urlsplit(endpoint).scheme not in ("http", "https"):
        raise UsageError(f"ARXIV_ENDPOINT is {endpoint!r}: it must begin with https:// or http://")
    path = scratch / f"arxiv-{paper.replace('/', '-')}"
    for place in ("e-print", "pdf"):
        try:
            say(f"{name}: fetching {endpoint}/{place}/{paper}")
            _fetch(f"{endpoint}/{place}/{paper}", path, settings.document_bytes)
        except urllib.error.HTTPError as error:
            if error.code not in (403, 404):
                raise DataError(f"{endpoint} answered {error.code} for {name}; try again later") from None
        except OSError as error:
            raise DataError(
                f"{name} is not on this machine and {endpoint} cannot be reached ({type(error).__name__}): check the "
                "network, set ARXIV_ENDPOINT to a mirror, or name a downloaded file"
            ) from None
        else:
            with path.open("rb") as file:
                if guess(file.read(1 << 16)) in ("gz", "tar", "pdf", "tex"):
                    return path
    raise DataError(f"{endpoint} has neither source nor PDF of {name}: check the number")


def _fetch(url: str, path: Path, limit: int) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "daneel"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer, path.open("wb") as file:  # noqa: S310
        count = 0
        while block := answer.read(1 << 20):
            count += len(block)
            if count > limit:
                raise DataError(f"{url} is larger than {limit >> 20} MB")
            file.write(block)


def _tells(name: str) -> bool:
    return kind_of(name.rsplit("/", 1)[-1])[1].lower() in ("readme", "license", "licence", "copying", "changelog")


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
