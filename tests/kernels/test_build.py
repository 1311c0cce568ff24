import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from daneel.cli import cli
from daneel.kernels import build

needs_compiler = pytest.mark.skipif(build.compiler() is None, reason="this machine has no C++ compiler")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DANEEL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@needs_compiler
def test_a_kernel_is_built_once_and_loads(home: Path) -> None:
    assert build.build("bpe") is None
    path = build.built("bpe")
    made = path.stat().st_mtime_ns
    assert build.build("bpe") is None
    assert path.stat().st_mtime_ns == made
    assert build.load("bpe") is not None
    assert [file.suffix for file in (home / "kernels").iterdir() if file.suffix != ".lock"] == [".so"]


@needs_compiler
def test_another_compiler_makes_another_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build.built("bpe")
    monkeypatch.setenv("CXX", "c++ -O0")
    assert build.built("bpe") != path


@pytest.mark.parametrize("compiler", ["false", "no-such-compiler", sys.executable + " -c pass"])
def test_a_compiler_that_fails_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch, compiler: str) -> None:
    monkeypatch.setenv("CXX", compiler)
    failure = build.build("bpe")
    assert failure
    assert build.load("bpe") is None
    assert not list((home / "kernels").glob("*.so"))
    result = CliRunner().invoke(cli, ["kernels", "build"])
    assert result.exit_code == 1


def test_kernels_can_be_switched_off_and_said_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANEEL_KERNELS", "off")
    assert build.load("bpe") is None
    result = CliRunner().invoke(cli, ["kernels", "info", "--json"])
    assert json.loads(result.output)["compiler"] is None


def test_a_home_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    code = "from daneel.kernels import build; assert build.load('bpe') is None"
    environment = {"DANEEL_HOME": str(tmp_path / "file"), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
