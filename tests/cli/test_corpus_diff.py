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


def test_only_what_differs_is_told_and_no_step_twice(tmp_path: Path) -> None:
    """Of two lists, what one of them has; nothing of the settings of a step that one corpus lacks."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "en.txt").write_text("The lamp\n\nIt burned all night, and so it was. " * 9, "utf-8")
    (tmp_path / "a" / "zh.txt").write_text("公元2042年，看守人写下了日志。" * 9, "utf-8")
    build = ["build", str(tmp_path / "a"), "--heldout", "0", "-o"]
    changes = ["privacy.kinds=email,ip,person", "c4.min_sentences=1", "c4.zh_min_sentences=99"]
    settings = [part for change in changes for part in ("--set", change)]
    for out, more in (("one", []), ("two", settings)):
        assert CliRunner().invoke(command, [*build, str(tmp_path / out), *more]).exit_code == 0
    both = [str(tmp_path / "one"), str(tmp_path / "two")]
    shown = CliRunner().invoke(command, ["diff", *both], env={"COLUMNS": "200"}).stdout
    lines = [" ".join(line.replace("│", " ").split()) for line in shown.splitlines()]
    assert "steps – c4" in lines
    assert "privacy.kinds iban, cn_id, card, cn_mobile, us_ssn, messenger, phone person" in lines
    assert "c4: fewer than 99 sentences 0 1 +1" in lines
    assert "c4.min_sentences" not in shown
    assert "c4: c4" not in shown
    told = json.loads(CliRunner().invoke(command, ["diff", *both, "--json"]).stdout)["settings"]
    assert told.keys() == {"steps", "privacy.kinds"}
    one, two = told["steps"]
    assert [step for step in two if step != "c4"] == one


def test_nothing_changed_is_said(corpora: tuple[Path, Path]) -> None:
    same = ["diff", str(corpora[0]), str(corpora[0])]
    result = CliRunner().invoke(command, same)
    assert (result.exit_code, result.stdout) == (0, "nothing changed\n")
    assert json.loads(CliRunner().invoke(command, [*same, "--json"]).stdout)["same"] is True


def test_help_has_an_example_and_what_is_no_corpus_is_said(corpora: tuple[Path, Path]) -> None:
    assert "daneel corpus diff corpus-1/ corpus-2/" in CliRunner().invoke(command, ["diff", "--help"]).stdout
    with pytest.raises(DataError, match="is not a corpus"):
        CliRunner().invoke(command, ["diff", str(corpora[0]), str(corpora[0].parent)], catch_exceptions=False)
