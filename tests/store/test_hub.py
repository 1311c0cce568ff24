"""The hub through a server of our own: what is fetched, where it stays, and each refusal in one line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hub import Handler, served

from daneel.errors import ModelError
from daneel.store import hub

MODEL = {
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "README.md": b"# hello",
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"pickle",
    "onnx/model.onnx": b"other",
    "model.fp16.safetensors": b"other",
}
REPOSITORIES: dict[str, dict[str, bytes]] = {
    "some/model": MODEL,
    "some/pickled": {"config.json": b"{}", "tokenizer.json": b"{}", "pytorch_model.bin": b"pickle"},
}
STATUS = {"some/gated": 403, "some/private": 401, "some/broken": 500}


class Hub(Handler):
    """Models."""

    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path} {self.headers.get('Authorization')}")
        path = self.path.split("?")[0].removeprefix("/api/models").lstrip("/")
        repo = "/".join(path.split("/")[:2])
        if repo in STATUS:
            code = {"X_Error_Code": "GatedRepo"} if repo == "some/gated" else {}
            return self.reply(STATUS[repo], b"{}", **code)
        if repo not in REPOSITORIES:
            return self.reply(404, b"{}", X_Error_Code="RepoNotFound")
        return self.repository(repo, REPOSITORIES[repo], ["license:mit"], path)

    do_HEAD = do_GET


@pytest.fixture
def endpoint() -> Iterator[str]:
    yield from served(Hub)


def pull(name: str, tmp_path: Path, endpoint: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own: huggingface_hub reads its variables when imported."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("HF_")},
        "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1",
        "PYTHONPATH": str(Path(hub.__file__).parents[2]), **variables,
    }  # fmt: skip
    command = [sys.executable, "-m", "daneel", "pull", name]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=tmp_path)


def test_a_model_is_fetched_into_the_hubs_own_cache(tmp_path: Path, endpoint: str) -> None:
    done = pull("some/model", tmp_path, endpoint, HF_TOKEN="hf_secret")
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert folder.is_relative_to(tmp_path / "hf")
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "config.json", "model.safetensors", "tokenizer.json",
    ]  # fmt: skip
    assert "licence mit" in done.stderr
    assert "hf_secret" not in done.stderr
    assert any("Bearer hf_secret" in line for line in Hub.asked)
    # What is here needs no network.
    again = pull("some/model", tmp_path, "http://127.0.0.1:9")
    assert again.stdout == done.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("some/none", "has no model 'some/none', or it is private: check the spelling, or set HF_TOKEN"),
        ("some/gated", "asks for its licence to be accepted"),
        ("some/private", "set HF_TOKEN"),
        ("some/broken", "answered 500 for some/broken"),
        ("some/pickled", "pickled weights only (.bin)"),
    ],
)
def test_each_refusal_is_one_line(name: str, words: str, tmp_path: Path, endpoint: str) -> None:
    done = pull(name, tmp_path, endpoint)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("variables", "words"),
    [({}, "http://127.0.0.1:9 cannot be reached"), ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set")],
)
def test_without_a_network_the_remedy_is_named(variables: dict[str, str], words: str, tmp_path: Path) -> None:
    done = pull("gpt2", tmp_path, "http://127.0.0.1:9", **variables)
    assert done.returncode == 1
    assert words in done.stderr
    assert "smollm2" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_of_many_files_those_that_we_read_are_chosen() -> None:
    assert hub._choose("a/b", list(MODEL)) == [
        "config.json",
        "tokenizer.json",
        "README.md",
        "model.safetensors",
    ]
    shards = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
    ]
    base = ["config.json", "tokenizer.json"]
    assert hub._choose("a/b", base + shards) == base + shards
    assert hub._choose("a/b", [*base, *shards, "model.safetensors"]) == [*base, "model.safetensors"]
    adapter = ["adapter_config.json", "adapter_model.safetensors"]
    assert hub._choose("a/b", adapter) == adapter
    for names, words in (
        (["x.Q4_K_M.gguf"], "GGUF files only"),
        (["README.md"], "no model.safetensors"),
        (["model.safetensors", "tokenizer.json"], "no config.json"),
        (["model.safetensors", "config.json", "tokenizer.model"], "no tokenizer.json"),
    ):
        with pytest.raises(ModelError, match=words):
            hub._choose("a/b", names)


def test_a_cache_with_a_part_missing_is_not_complete(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    assert not hub._complete(tmp_path)
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "model-1.safetensors").write_bytes(b"")
    assert not hub._complete(tmp_path)
    (tmp_path / "model-2.safetensors").write_bytes(b"")
    assert hub._complete(tmp_path)
