"""Whatever a person may name: folders, adapters, runs, GGUF files, misspellings."""

import json
import os
from pathlib import Path

import pytest
import tiny_gguf

from daneel.errors import ModelError
from daneel.formats.hf import read_architecture
from daneel.store import local, resolve
from daneel.store.names import is_hub_id


def refused(name: str | Path) -> str:
    with pytest.raises(ModelError) as caught:
        resolve(str(name))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("file", ["config.json", "adapter_config.json"])
def test_a_folder_with_a_model_or_an_adapter_is_itself(file: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text("{}")
    assert resolve(str(tmp_path)) == tmp_path


def test_other_folders_and_files_are_refused_with_the_remedy(tmp_path: Path) -> None:
    assert "neither config.json nor adapter_config.json" in refused(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    assert f"daneel train --resume -o {tmp_path}" in refused(tmp_path)
    only = tmp_path / "only"
    only.mkdir()
    (only / "m.gguf").write_bytes(b"GGUF")
    assert f"name its GGUF file: {only / 'm.gguf'}" in refused(only)
    (tmp_path / "notes.txt").write_text("hello")
    assert "name a folder with config.json, or a .gguf file" in refused(tmp_path / "notes.txt")


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "did you mean smollm2?" in refused("smolm2")
    assert "did you mean gemma3?" in refused("gemma-3")
    assert "did you mean" not in refused("zzzzzz")
    run = tmp_path / "runs" / "mystory"
    run.mkdir(parents=True)
    (run / "adapter_config.json").write_text("{}")
    assert "did you mean runs/mystory?" in refused("mystory")
    assert "did you mean runs/mystory?" in refused("runs/mystori")


def test_a_path_is_never_taken_for_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_hub_id("HuggingFaceTB/SmolLM2-360M")
    assert is_hub_id("gpt2")
    assert is_hub_id("runs/mine")
    (tmp_path / "runs").mkdir()
    for name in ("runs/mine", "./mine", "../mine", "a/b/c", "x/model.gguf", "/a/b", "~/x", "nothing"):
        assert not is_hub_id(name), name


def test_a_gguf_file_is_converted_once(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny_gguf.tiny_gguf(tmp_path / "Tale.GGUF")
    folder = resolve(str(path))
    assert folder.parent == home / "converted"
    assert read_architecture(folder).layers == 2
    record = json.loads((folder / "daneel-source.json").read_text())
    assert record["sha256"].startswith(folder.name)
    assert record["file"] == str(path)

    with monkeypatch.context() as patched:
        patched.setattr(local, "sha256", lambda path: pytest.fail("hashed again"))
        assert resolve(str(path)) == folder
    # A copy is hashed and found, not converted.
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(path.read_bytes())
    with monkeypatch.context() as patched:
        patched.setattr(local, "_convert", lambda *a: pytest.fail("converted again"))
        assert resolve(str(copy)) == folder
    # Other content under the same name is another model.
    tiny_gguf.tiny_gguf(path, "qwen3")
    os.utime(path, (1, 1))
    other = resolve(str(path))
    assert other != folder
    assert read_architecture(other).family == "qwen3"


def test_no_space_for_a_conversion_is_said_before_it(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tiny_gguf.tiny_gguf(tmp_path / "model.gguf")
    monkeypatch.setattr(local, "require_space", lambda folder, size, what: (_ for _ in ()).throw(ModelError(what)))
    assert "as a Hugging Face folder" in refused(path)
    assert not [path for path in (home / "converted").iterdir() if path.is_dir()]


def test_a_damaged_gguf_file_leaves_nothing(tmp_path: Path, home: Path) -> None:
    path = tiny_gguf.tiny_gguf(tmp_path / "model.gguf")
    path.write_bytes(path.read_bytes()[:-100])
    assert "does not fit" in refused(path)
    assert not [path for path in (home / "converted").iterdir() if path.is_dir()]
