"""What is named rather than lies on the disk: papers of arXiv, and a pipe."""

import os
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import BinaryIO

from daneel.corpus.read.item import ReadSettings
from daneel.corpus.read.sniff import guess
from daneel.errors import DataError, UsageError
from daneel.store.progress import say

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
