"""What is listed, and what may be removed."""

from pathlib import Path

import pytest
import tiny_gguf

from daneel.errors import ModelError
from daneel.store import installed as module
from daneel.store import resolve
from daneel.store.catalog import Entry
from daneel.store.installed import installed, remove


def test_pulled_and_converted_models_are_listed_and_removed(
    entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_hub", list)
    assert installed() == []
    pulled = resolve("tiny")
    path = tiny_gguf.tiny_gguf(tmp_path / "mine.gguf")
    converted = resolve(str(path))
    found = installed()
    assert [(model.name, model.path) for model in found] == [("tiny", pulled), (str(path), converted)]
    assert "Tiny terms" in found[0].about
    assert all(model.size > 100_000 for model in found)

    assert remove("tiny").path == pulled
    monkeypatch.chdir(tmp_path)
    assert remove("mine.gguf").path == converted
    assert not pulled.exists()
    assert not converted.exists()
    assert path.exists()
    assert installed() == []
    with pytest.raises(ModelError, match="no model 'tiny' on this machine"):
        remove("tiny")


def test_the_users_own_files_are_never_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_hub", list)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="your own"):
        remove(str(tmp_path))
    assert (tmp_path / "config.json").exists()
