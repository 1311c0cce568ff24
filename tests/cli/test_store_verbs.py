"""pull, models, rm and doctor as a person calls them."""

import json
from pathlib import Path
from typing import Any

import pytest
import tiny_gguf
from click.testing import CliRunner, Result

from daneel.cli import cli, doctor
from daneel.store import installed


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANEEL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(installed, "_hub", list)


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def test_pull_models_rm(tmp_path: Path) -> None:
    path = str(tiny_gguf.tiny_gguf(tmp_path / "tale.gguf"))
    folder = json.loads(call("pull", path, "--json").stdout)["path"]
    assert call("pull", path).stdout.strip() == folder
    models = json.loads(call("models", "--json").stdout)["models"]
    assert [(model["name"], model["path"]) for model in models] == [
        (path, folder), ("smollm2", None), ("gemma3", None), ("gpt2-tokenizer", None),
    ]  # fmt: skip
    listed = call("models").stdout
    assert "daneel pull gemma3" in " ".join(listed.split())
    assert json.loads(call("rm", path, "--json").stdout)["path"] == folder
    assert not Path(folder).exists()


def test_doctor_reports_this_machine() -> None:
    facts = json.loads(call("doctor", "--json").stdout)
    assert facts["cores"] >= 1
    assert facts["memory"] >= facts["memory_available"] > 0
    assert facts["disk_free"] > 0
    assert facts["cpu"]
    assert facts["torch"]
    assert facts["models"] == []
    assert facts["advice"][-1] == "the default model is not here yet: daneel pull smollm2"
    text = call("doctor").stdout
    for word in ("processor", "instructions", "memory", "disk", "torch", "compiler", "What would help:"):
        assert word in text


GOOD: dict[str, Any] = {
    "torch": "2.13.0+cpu", "gpu": None, "bf16_native": True, "compiler": "g++ 12",
    "memory_available": 8e9, "disk_free": 50e9,
    "home": "/home", "threads": 4, "cores": 4, "models": [{"name": "smollm2"}], "environment": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"torch": None}, "pip install torch"),
        ({"gpu": "NVIDIA H100"}, "CUDA build"),
        ({"bf16_native": False}, "no bfloat16"),
        ({"compiler": None}, "install g++"),
        ({"memory_available": 2e9}, "2.0 GB of memory"),
        ({"disk_free": 1e9}, "1.0 GB of disk"),
        ({"threads": 1}, "1 of 4 cores"),
        ({"models": []}, "daneel pull smollm2"),
        ({"environment": {"HF_HUB_OFFLINE": "1"}}, "HF_HUB_OFFLINE"),
    ],
)
def test_advice_names_what_is_lacking_and_only_that(change: dict[str, Any], words: str) -> None:
    assert doctor.advice(GOOD) == []
    (line,) = doctor.advice(GOOD | change)
    assert words in line


def test_a_password_in_a_proxy_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy:3128")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert "secret" not in call("doctor", "--json").stdout
