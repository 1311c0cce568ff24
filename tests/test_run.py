"""Folders come and go whole, whatever kills them half way."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from daneel.errors import DaneelError
from daneel.run import atomic_dir, atomic_write, discard


def fill(path: Path, text: str) -> None:
    with atomic_dir(path) as new:
        (new / "file").write_text(text)


class FullError(Exception):
    """The disk, say."""


def fail(path: Path) -> None:
    with atomic_dir(path) as new:
        (new / "file").write_text("half")
        raise FullError


def text(path: Path) -> str:
    return (path / "file").read_text()


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    fill(tmp_path / "a", "old")
    fill(tmp_path / "a", "new")
    assert text(tmp_path / "a") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_error_leaves_the_old_folder(tmp_path: Path) -> None:
    fill(tmp_path / "a", "old")
    with pytest.raises(FullError):
        fail(tmp_path / "a")
    assert text(tmp_path / "a") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "a", "old")
    rename = os.replace

    def killed(source: Path, target: Path) -> None:
        if Path(target).name == "a":
            raise SystemExit
        rename(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(SystemExit):
        fill(tmp_path / "a", "new")
    monkeypatch.undo()
    with pytest.raises(FullError):
        fail(tmp_path / "a")
    assert text(tmp_path / "a") == "old"


def test_a_folder_that_another_writes_is_left_alone(tmp_path: Path) -> None:
    with atomic_dir(tmp_path / "a") as new:
        (new / "file").write_text("first")
        with pytest.raises(DaneelError, match="a is being written by another process: wait for it, or name another"):
            fill(tmp_path / "a", "second")
        fill(tmp_path / "b", "other")
    assert text(tmp_path / "a") == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "[灯塔]"
    script = (
        "import os, sys; from pathlib import Path; from daneel.run import atomic_dir\n"
        "with atomic_dir(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == -9
    assert len(list(tmp_path.iterdir())) == 2
    fill(path, "new")
    assert list(tmp_path.iterdir()) == [path]


def test_a_terminated_build_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "daneel", "corpus", "build", "-", "-o", str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as build:
        while not list(tmp_path.glob(".out.new-*/scratch")):
            assert build.poll() is None
            time.sleep(0.02)
        build.send_signal(signal.SIGTERM)
        assert build.wait(30) == 128 + signal.SIGTERM
        assert build.stderr is not None
        assert build.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_left_of_a_discarded_folder_does_not_stop_the_next(tmp_path: Path) -> None:
    fill(tmp_path / ".a.gone", "left")
    fill(tmp_path / "a", "old")
    discard(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_an_error_without_a_name_gets_one(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No space left on device: '.*/a'"), atomic_dir(tmp_path / "a"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_place_that_cannot_be_written_is_named_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: str, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    (tmp_path / "out").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("os.mkdir", refused)
        with pytest.raises(OSError, match="Read-only") as caught:
            fill(tmp_path / "out", "new")
    assert caught.value.filename == str(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", refused)
        with pytest.raises(OSError, match="Read-only") as caught:
            atomic_write(tmp_path / "page.html", "new")
    assert caught.value.filename == str(tmp_path / "page.html")
    # What else cannot be read keeps its name.
    with pytest.raises(FileNotFoundError) as missing, atomic_dir(tmp_path / "out"):
        (tmp_path / "absent").read_text()
    assert missing.value.filename == str(tmp_path / "absent")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
