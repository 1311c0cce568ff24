import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from daneel.cli.corpus import command
from daneel.errors import DataError


@pytest.fixture
def corpora(tmp_path: Path) -> tuple[Path, Path]:
    folder = tmp_path / "stories"
    folder.mkdir()
    for n in range(25):
        (folder / f"{n:02}.txt").write_text(f"Story {n}\n\n" + f"The keeper of lamp{n} was at the door. " * 20, "utf-8")
    (folder / "zh.txt").write_text("灯塔\n\n" + "公元2042年，看守人写下了日志。" * 20, "utf-8")
    build = ["build", str(folder), "--heldout", "0", "-o"]
    assert CliRunner().invoke(command, [*build, str(tmp_path / "a")]).exit_code == 0
    for n in range(22):
        (folder / f"{n:02}.txt").unlink()
    text = (folder / "zh.txt").read_text("utf-8")
    (folder / "zh.txt").write_text(text[:-1] + "再见[red]\x1b[31m。", "utf-8")
    changed = [*build, str(tmp_path / "b"), "--recipe", "books", "--seed", "3"]
    assert CliRunner().invoke(command, changed).exit_code == 0
    return tmp_path / "a", tmp_path / "b"


def test_what_changed_is_told(corpora: tuple[Path, Path]) -> None:
    result = CliRunner().invoke(command, ["diff", *map(str, corpora)])
    assert result.exit_code == 0, result.output
    for part in (
        "recipe",
        '"books"',
        "seed",
        "kept",
        "26",
        "-22",
        f"only in {corpora[0]}: 22",
        "and 2 more: --json has all",
    ):
        assert part in result.stdout
    assert "changed: 1\n  stories/zh.txt: " in result.stdout
    assert "再见[red]" in result.stdout
    assert "\x1b" not in result.stdout


def test_json_is_one_object(corpora: tuple[Path, Path]) -> None:
    found = json.loads(CliRunner().invoke(command, ["diff", *map(str, corpora), "--json"]).stdout)
    assert found["same"] is False
    assert len(found["only_first"]) == 22
    assert found["settings"]["seed"] == [0, 3]
    assert found["counts"]["kept"] == [26, 4]


def test_nothing_changed_is_said(corpora: tuple[Path, Path]) -> None:
    same = ["diff", str(corpora[0]), str(corpora[0])]
    result = CliRunner().invoke(command, same)
    assert (result.exit_code, result.stdout) == (0, "nothing changed\n")
    assert json.loads(CliRunner().invoke(command, [*same, "--json"]).stdout)["same"] is True


def test_help_has_an_example_and_what_is_no_corpus_is_said(corpora: tuple[Path, Path]) -> None:
    assert "daneel corpus diff corpus-1/ corpus-2/" in CliRunner().invoke(command, ["diff", "--help"]).stdout
    with pytest.raises(DataError, match="is not a corpus"):
        CliRunner().invoke(command, ["diff", str(corpora[0]), str(corpora[0].parent)], catch_exceptions=False)
