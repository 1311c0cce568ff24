import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from daneel.cli.corpus import command


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "stories"
    folder.mkdir()
    for n in range(12):
        (folder / f"{n}.txt").write_text(f"It was the year {n} of the lamp, and the keeper{n} was in it. " * 20)
    for n in range(25):
        (folder / f"{n}.jpg").write_bytes(b"\xff\xd8")
    result = CliRunner().invoke(command, ["build", str(folder), "-o", str(tmp_path / "corpus"), "--seed", "2"])
    assert result.exit_code == 0, result.output
    assert "whole documents are held out: 1 of 12" in result.stdout
    return tmp_path / "corpus"


def test_show_says_what_was_kept_and_dropped(corpus: Path) -> None:
    shown = CliRunner().invoke(command, ["show", str(corpus)]).stdout
    told = "left out at reading: 25", ".jpg files are not read", "--dropped"
    for part in ("train", "heldout", "languages: en (12)", *told):
        assert part in shown


def test_json_is_one_object(corpus: Path, tmp_path: Path) -> None:
    shown = CliRunner().invoke(command, ["show", str(corpus), "--json"])
    manifest = json.loads(shown.stdout)
    assert manifest["counts"]["train"]["documents"] == 11
    again = ["build", str(tmp_path / "stories"), "-o", str(tmp_path / "b"), "--seed", "2", "--json"]
    built = json.loads(CliRunner().invoke(command, again).stdout)
    assert built == manifest | {"corpus": str(tmp_path / "b")}


@pytest.mark.parametrize("verb", ["build", "show"])
def test_help_has_an_example(verb: str) -> None:
    assert f"daneel corpus {verb} " in CliRunner().invoke(command, [verb, "--help"]).stdout
