import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from daneel.cli.corpus import command
from daneel.corpus.recipe import STEPS, recipes
from daneel.errors import UsageError


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--text-column", ""], '[read] text_column = "": name the column that holds the text'),
        (["--set", "pages.head_share=nan"], "[pages] head_share = nan: it must be a number from 0 to 1"),
        (
            ["--set", "language.keep=中文"],
            '[language] keep = ["中文"]: it must be a list of codes (ISO 639-1), such as',
        ),
        (["--canaries", "1000000000000"], "1000000000000 is not in the range 0<=x<=1000"),
        (["--processes", "1000000"], "1000000 is not in the range 1<=x<=1024"),
    ],
)
def test_a_wrong_setting_is_told_and_nothing_is_written(options: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The lamp burned. 灯亮着。")
    result = CliRunner().invoke(command, ["build", str(tmp_path / "a.txt"), "-o", str(tmp_path / "out"), *options])
    assert message in f"{result.exception} {result.output}"
    assert isinstance(result.exception, UsageError | SystemExit)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_recipes_tell_ranges_and_the_order_of_all_steps() -> None:
    told = CliRunner().invoke(command, ["recipes"]).stdout.splitlines()
    assert told[0].startswith("books: unicode, gutenberg, pages")
    assert told[-1].endswith(", ".join(STEPS))
    assert set(json.loads(CliRunner().invoke(command, ["recipes", "--json"]).stdout)) == set(recipes())
    web = CliRunner().invoke(command, ["recipes", "web"]).stdout.splitlines()
    (share,) = (line for line in web if line.startswith("min_alphabetic = "))
    assert share.endswith("(0 to 1)")


@pytest.mark.parametrize("verb", ["build", "show"])
def test_help_has_an_example(verb: str) -> None:
    assert f"daneel corpus {verb} " in CliRunner().invoke(command, [verb, "--help"]).stdout


def test_a_licence_stands_on_the_card_and_in_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("灯塔的看守人等着船回来。" * 30, "utf-8")
    out = tmp_path / "corpus"
    build = ["build", str(tmp_path / "a.txt"), "-o", str(out), "--heldout", "0", "--licence"]
    wrong = CliRunner().invoke(command, [*build, "CC-BY-4"])
    assert isinstance(wrong.exception, UsageError)
    assert "did you mean CC-BY-4.0?" in str(wrong.exception)
    assert not out.exists()
    result = CliRunner().invoke(command, [*build, "cc by 4.0"])
    assert result.exit_code == 0, result.output
    assert "licences: CC-BY-4.0 (1)" in result.stdout
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert (manifest["licences"], manifest["recipe"]["read"]["licence"]) == ({"CC-BY-4.0": 1}, "CC-BY-4.0")
    card = (out / "card.md").read_text("utf-8")
    assert "license: cc-by-4.0" in card
    assert "Where the licence is not stated" not in card


def test_pairs_with_named_columns(tmp_path: Path) -> None:
    lines = "".join(f"{n},The lamp of house {n} is lit.,第{n}间屋子的灯亮着。\n" for n in range(20))
    (tmp_path / "a.csv").write_text(f"id,english,chinese\n{lines}", "utf-8")
    build = ["build", str(tmp_path), "-o", str(tmp_path / "corpus"), "--recipe", "parallel"]
    result = CliRunner().invoke(command, [*build, "--text-column", "chinese,english", "--heldout", "0"])
    assert result.exit_code == 0, result.output
    first = json.loads((tmp_path / "corpus/train.jsonl").read_text("utf-8").splitlines()[0])
    assert first == {"source": "第0间屋子的灯亮着。", "target": "The lamp of house 0 is lit."}
