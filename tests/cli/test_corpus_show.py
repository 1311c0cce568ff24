import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daneel.cli.corpus import command
from daneel.errors import DataError, UsageError


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("show")
    folder = root / "stories"
    folder.mkdir()
    for n in range(12):
        (folder / f"{n:02}.txt").write_text(
            f"Story {n}\nby A. Writer\n\n" + f"The keeper of lamp{n} was at the door. " * 20, "utf-8"
        )
    (folder / "zh.txt").write_text("灯塔\n作者：许地山\n\n" + "公元2042年，看守人写下了日志。" * 20, "utf-8")
    row = {
        "text": "Left \x1b]0;title\x07 [red]right[/red] \u202e. " + "The sea was quiet. " * 20,
        "title": "[bold]\x1b[31mred",
    }
    (folder / "rows.jsonl").write_text(json.dumps(row), "utf-8")
    (folder / "bad.txt").write_bytes(bytes(range(256)))
    result = CliRunner().invoke(command, ["build", str(folder), "-o", str(root / "corpus")])
    assert result.exit_code == 0, result.output
    return root / "corpus"


def show(*args: object) -> Result:
    return CliRunner().invoke(command, ["show", *map(str, args)])


def told(*args: object) -> str:
    result = show(*args)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout
    # JSON is for programs.
    assert "--json" in args or "\u202e" not in result.stdout
    return result.stdout


def test_the_whole_at_a_glance(corpus: Path) -> None:
    shown = told(corpus)
    for part in (
        "train", "languages: en (13), zh (1)", "licences: not stated (14)", "A. Writer (12)", "recipe default: unicode",
        "Read: 15; left out at reading: 1; dropped by the steps: 0; kept: 14.", "stories/bad.txt", "binary", "card.md",
    ):  # fmt: skip
        assert part in shown
    assert json.loads(told(corpus, "--json"))["kept"] == 14


def test_the_list_and_one_of_it(corpus: Path) -> None:
    lines = told(corpus, "--list").splitlines()
    assert len(lines) == 14
    row = next(line for line in lines if "zh.txt" in line)
    assert row.split()[3:] == ["247", "灯塔", "许地山", "stories/zh.txt"]
    # Chinese characters are two columns wide, so columns stand one below the other.
    assert row.index("stories/") + len("灯塔许地山") == lines[0].index("stories/")
    listed = json.loads(told(corpus, "--list", "--json", "--part", "heldout"))["documents"]
    assert {each["part"] for each in listed} == {"heldout"}
    shown = told(corpus, "--document", row.split()[0])
    assert "author: 许地山" in shown
    assert "公元2042年，看守人写下了日志。" in shown
    one = json.loads(told(corpus, "--document", "stories/zh.txt", "--json"))
    assert one["title"] == "灯塔"
    assert one["text"].count("日志") == 20


def test_what_a_terminal_would_obey_is_not_sent(corpus: Path) -> None:
    shown = told(corpus, "--document", "stories/rows.jsonl#1")
    assert "[red]right[/red]" in shown
    assert "[bold]" in shown
    assert "[red]right[/red]" in told(corpus, "--search", "[red]RIGHT")
    for option in (["--list"], ["--sample", "14"]):
        assert "[bold]" in told(corpus, *option)


def test_samples_begin_below_title_and_author(corpus: Path) -> None:
    shown = told(corpus, "--sample", 3, "--part", "train")
    assert len([line for line in shown.splitlines() if line.startswith("  ")]) == 3
    drawn = json.loads(told(corpus, "--sample", 14, "--json"))["documents"]
    beginnings = {each["source"]: each["beginning"] for each in drawn}
    assert beginnings["stories/zh.txt"].startswith("公元2042年")
    assert beginnings["stories/03.txt"].startswith("The keeper of lamp3")
    assert [each["sha256"] for each in drawn] == sorted(each["sha256"] for each in drawn)


def test_drops_and_search(corpus: Path) -> None:
    assert told(corpus, "--dropped") == "stories/bad.txt: binary (read)\n"
    assert json.loads(told(corpus, "--dropped", "--json"))["dropped"] == [
        {"source": "stories/bad.txt", "step": "read", "reason": "binary"}
    ]
    shown = told(corpus, "--search", "看守人")
    assert "20 times in 1 text" in shown
    assert "no text holds it" in told(corpus, "--search", "没有")
    found = json.loads(told(corpus, "--search", "KEEPER OF LAMP7", "--json"))
    assert (found["found"], found["hits"][0]["times"]) == (1, 20)


def test_a_duplicate_that_was_dropped_names_its_original(tmp_path: Path) -> None:
    folder = tmp_path / "stories"
    folder.mkdir()
    english, chinese = (
        "The keeper of the lamp wrote about the sea. " * 9,
        "".join(f"第{n}天，海上没有风。" for n in range(40)),
    )
    for name, text in {
        "a.txt": english, "b.txt": english.upper(), "c-灯.txt": chinese, "d-灯.txt": chinese + "完。",
    }.items():  # fmt: skip
        (folder / name).write_text(text, "utf-8")
    assert CliRunner().invoke(command, ["build", str(folder), "-o", str(tmp_path / "out")]).exit_code == 0
    assert told(tmp_path / "out", "--dropped").splitlines() == [
        "stories/b.txt: exact duplicate of stories/a.txt (exact_duplicates)",
        "stories/d-灯.txt: near duplicate of stories/c-灯.txt (near_duplicates)",
    ]
    drops = json.loads(told(tmp_path / "out", "--dropped", "--json"))["dropped"]
    assert drops[1]["reason"] == "near duplicate of stories/c-灯.txt"
    # Together they are counted as one kind.
    kinds = {each["what"] for each in json.loads(told(tmp_path / "out", "--json"))["steps"]}
    assert kinds >= {"exact duplicate", "near duplicate"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--document", "nope"], "no text of .* is called nope"),
        (["--list", "--dropped"], "give one of them"),
        (["--part", "train"], "--part goes with"),
        (["--search", " "], "--search is empty"),
    ],
)
def test_wrong_options(corpus: Path, args: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(command, ["show", str(corpus), *args], catch_exceptions=False)


def test_what_is_no_corpus(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a corpus: build one"):
        CliRunner().invoke(command, ["show", str(corpus.parent)], catch_exceptions=False)
    (tmp_path / "manifest.json").write_text('{"format": "daneel-corpus", "version": 1}')
    with pytest.raises(DataError, match="is damaged or of another version"):
        CliRunner().invoke(command, ["show", str(tmp_path)], catch_exceptions=False)
