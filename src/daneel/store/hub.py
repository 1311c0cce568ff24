"""Models of the Hugging Face hub, through `huggingface_hub`: HF_ENDPOINT, HF_HOME and HF_TOKEN are its own.

They stay in its cache, where Transformers finds them too.
"""

import re
import sys
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, errors, snapshot_download, try_to_load_from_cache
from huggingface_hub.utils.tqdm import disable_progress_bars

from daneel.errors import ModelError
from daneel.formats.hf import INDEX, read_json
from daneel.formats.peft import CONFIG as ADAPTER_CONFIG
from daneel.formats.peft import WEIGHTS as ADAPTER_WEIGHTS
from daneel.store.disk import require_space
from daneel.store.progress import megabytes, say

# At the top of a repository; weights of other tools and other precisions are left there.
WANTED = re.compile(
    r"[^/]+\.(json|jinja)|merges\.txt|vocab\.txt|tokenizer\.model|README\.md|LICEN[CS]E[^/]*"
    r"|model(-\d+-of-\d+)?\.safetensors|adapter_model\.safetensors"
)


def fetch(repo: str) -> Path:
    """The folder of a hub model, from the cache or the network. Raises ModelError."""
    return cached(repo) or _download(repo)


def cached(repo: str) -> Path | None:
    """The folder of a hub model that is wholly on this disk."""
    try:
        found = [try_to_load_from_cache(repo, name) for name in ("config.json", ADAPTER_CONFIG)]
    except errors.HFValidationError as error:
        raise ModelError(f"{repo!r} is no hub id: {error}") from None
    folders = [Path(path).parent for path in found if isinstance(path, str)]
    return folders[0] if folders and _complete(folders[0]) else None


def _complete(folder: Path) -> bool:
    if (folder / ADAPTER_CONFIG).exists():
        return (folder / ADAPTER_WEIGHTS).exists()
    if not (folder / "config.json").exists() or not (folder / "tokenizer.json").exists():
        return False
    if (folder / INDEX).exists():
        shards = set(read_json(folder / INDEX).get("weight_map", {}).values())
        return all((folder / shard).exists() for shard in shards)
    return (folder / "model.safetensors").exists()


def _download(repo: str) -> Path:
    try:
        info = HfApi().model_info(repo, files_metadata=True, timeout=constants.DEFAULT_REQUEST_TIMEOUT)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        files = _choose(repo, list(sizes))
        size = sum(sizes[name] for name in files)
        require_space(Path(constants.HF_HUB_CACHE), size, repo)
        licence = next((tag.removeprefix("license:") for tag in info.tags or [] if tag.startswith("license:")), None)
        say(f"{repo}: fetching {megabytes(size)} from {constants.ENDPOINT}; licence {licence or 'not stated'}")
        if not sys.stderr.isatty():
            disable_progress_bars()
        return Path(snapshot_download(repo, allow_patterns=files))
    # The library's own name for whichever HTTP client it was built on.
    except (errors.HTTPError, OSError, RuntimeError) as error:  # type: ignore[attr-defined]
        raise ModelError(_reason(repo, error)) from None


def _choose(repo: str, names: list[str]) -> list[str]:
    """Files to fetch. Raises ModelError where the repository has nothing that we can run."""
    files = [name for name in names if WANTED.fullmatch(name)]
    if ADAPTER_CONFIG in files and ADAPTER_WEIGHTS in files:
        return files
    if not any(name.endswith(".safetensors") for name in files):
        if any(name.endswith(".gguf") for name in names):
            raise ModelError(f"{repo} has GGUF files only: fetch one of them, then name that file")
        if any(name.endswith(".bin") for name in names):
            raise ModelError(
                f"{repo} has pickled weights only (.bin), which can run code: load it in Transformers and "
                "save_pretrained() it to a folder, then name that folder"
            )
        raise ModelError(f"{repo} has no model.safetensors, so there is nothing to run; name another model")
    if "config.json" not in files:
        raise ModelError(f"{repo} has no config.json, so it is not a language model; name another")
    if "tokenizer.json" not in files:
        raise ModelError(
            f"{repo} has no tokenizer.json: save_pretrained() its model and fast tokenizer from Transformers "
            "to a folder, then name that folder"
        )
    if INDEX in files and "model.safetensors" in files:
        return [name for name in files if not re.fullmatch(r"model-\d+-of-\d+\.safetensors|" + re.escape(INDEX), name)]
    return files


def _reason(repo: str, error: Any) -> str:
    endpoint = constants.ENDPOINT
    if isinstance(error, errors.GatedRepoError):
        return f"{repo} asks for its licence to be accepted: do so at {endpoint}/{repo}, then set HF_TOKEN"
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"{endpoint} has no model {repo!r}, or it is private: check the spelling, or set HF_TOKEN"
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code
        if status in (401, 403):
            return f"{endpoint} refuses access to {repo} ({status}): set HF_TOKEN to a token that may read it"
        return f"{endpoint} answered {status} for {repo}; try again later, or another mirror with HF_ENDPOINT"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"{repo} is not on this machine and HF_HUB_OFFLINE is set: unset it, or use `-m smollm2`"
    if isinstance(error, OSError) and error.errno == 28:
        return f"no space left in {constants.HF_HUB_CACHE} for {repo}: free some, or set HF_HOME"
    return (
        f"{repo} is not on this machine and {endpoint} cannot be reached ({type(error).__name__}): check the "
        "network, set HF_ENDPOINT to a mirror, or name smollm2 or a local folder"
    )
