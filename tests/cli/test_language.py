import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from daneel.cli.language import command
from daneel.errors import DataError, UsageError

OSHARI = str(Path(__file__).parents[2] / "samples" / "languages" / "oshari.toml")


def run(*words: str):
    return CliRunner().invoke(command, words, catch_exceptions=False)


def test_help_has_an_example_for_each():
    for verb in ("new", "show", "pairs"):
        assert f"daneel language {verb} " in run(verb, "--help").output


def test_new_to_a_file_and_to_stdout(tmp_path):
    out = tmp_path / "mine.toml"
    facts = json.loads(run("new", "-o", str(out), "--seed", "7", "--name", "Vesh 语", "--json").stdout)
    assert (facts["name"], facts["seed"], facts["file"]) == ("Vesh 语", 7, str(out))
    assert run("new", "--seed", "7", "--name", "Vesh 语").stdout == out.read_text(encoding="utf-8")
    assert json.loads(run("new", "--seed", "7", "--json").stdout)["grammar"].startswith("name = ")
    shown = json.loads(run("show", str(out), "--json").stdout)
    assert shown["lexicon"]["ship"]
    assert shown["order"] == facts["order"]


def test_new_without_a_seed_says_which_it_took():
    result = run("new")
    seed = result.stderr.split("--seed ")[1].split()[0]
    assert run("new", "--seed", seed).stdout == result.stdout


def test_new_with_an_empty_name():
    with pytest.raises(UsageError, match="--name is empty"):
        run("new", "--name", " ")


def test_show_on_the_terminal():
    shown = run("show", OSHARI).stdout
    for said in ("Oshari  SOV, ergative", "vashar-la-ra", "(10)", "‘We two slept.’", "sleep-PST-1DU", "ERG ergative"):
        assert said in shown


def test_a_long_example_is_broken_between_words(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    shown = run("show", OSHARI).stdout
    assert "…" not in shown.split("(1)")[1]
    facts = json.loads(run("show", OSHARI, "--json").stdout)
    assert all(word in shown for each in facts["examples"] for word in each["segments"].split(" "))


def test_show_as_a_page(tmp_path):
    out = tmp_path / "page.html"
    facts = json.loads(run("show", OSHARI, "-o", str(out), "--json").stdout)
    assert (facts["file"], len(facts["examples"]), facts["roots"]) == (str(out), 10, 141)
    assert "<h1>Oshari</h1>" in out.read_text(encoding="utf-8")
    assert run("show", OSHARI, "-o", str(out)).stdout == ""


def test_a_hostile_name_does_not_reach_the_terminal(tmp_path):
    out = tmp_path / "mine.toml"
    run("new", "-o", str(out), "--seed", "7", "--name", "x\x1b[31m\ny")
    assert "\x1b[31m" not in run("show", str(out)).stdout


def test_pairs(tmp_path):
    out = tmp_path / "pairs"
    facts = json.loads(run("pairs", OSHARI, "-o", str(out), "-n", "200", "--seed", "3", "--json").stdout)
    assert facts["counts"] == {"train": 200, "heldout": 10, "roots": 10, "patterns": 10}
    assert all((out / each).is_file() for each in facts["files"])
    first = json.loads((out / "en-oshari" / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert {"source", "target", "gloss"} <= set(first)
    said = run("pairs", OSHARI, "-o", str(out), "-n", "200").stdout
    assert "train: 200 pairs" in said
    assert "patterns that training shows only apart: " in said


def test_mistakes_are_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml does not exist"):
        run("show", str(tmp_path / "none.toml"))
    bad = tmp_path / "bad.toml"
    bad.write_text(Path(OSHARI).read_text(encoding="utf-8").replace('clause = "SOV"', 'clauses = "SOV"'), "utf-8")
    with pytest.raises(DataError, match=rf"^{bad}: \[order\] has an unknown key 'clauses' \(did you mean clause\?\)"):
        run("pairs", str(bad), "-o", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    assert "not in the range" in run("pairs", OSHARI, "-o", str(tmp_path / "out"), "-n", "3").output
