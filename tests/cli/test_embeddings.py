import json

import pytest
from click.testing import CliRunner
from tiny import tiny_model

from daneel.cli.embeddings import command
from daneel.errors import UsageError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny_model(tmp_path_factory.mktemp("gemma"), "gemma3"))


def run(*words: str):
    return CliRunner().invoke(command, words, catch_exceptions=False)


def test_help_has_an_example_for_each():
    for verb in ("export", "near", "map"):
        assert f"daneel embeddings {verb} smollm2" in run(verb, "--help").output


def test_export_of_all_and_of_words(model, tmp_path):
    out = tmp_path / "v.txt"
    result = run("export", model, "-o", str(out), "--json")
    facts = json.loads(result.stdout)
    assert (facts["count"], facts["dimension"]) == (400, 48)
    assert facts["bytes"] == out.stat().st_size
    assert "multiplies its embeddings by 6.928" in result.stderr
    assert out.read_text(encoding="utf-8").startswith("400 48\n<|endoftext|> ")
    words = tmp_path / "words.txt"
    words.write_text("# group\nlamp\n灯塔\nthe lamp\n", encoding="utf-8")
    facts = json.loads(run("export", model, "-o", str(out), "--words", str(words), "--json").stdout)
    assert [line.split(" ")[0] for line in out.read_text(encoding="utf-8").splitlines()] == [
        "3", "lamp", "灯塔", "the▁lamp",
    ]  # fmt: skip
    assert facts["words"][0]["pieces"][0].startswith(" ")
    result = run("export", model, "-o", str(out), "--top", "9999")
    assert "fewer than 9999" in result.stderr
    with pytest.raises(UsageError, match="exclude each other"):
        run("export", model, "-o", str(out), "--words", str(words), "--top", "2")


def test_near_says_what_was_asked(model):
    result = run("near", model, "lamp", "灯塔", "-n", "3")
    assert "lamp, as after a space" in result.stdout
    assert "灯塔, without a space before it" in result.stdout
    assert "the mean of all tokens and 1 principal direction." in result.stderr
    facts = json.loads(run("near", model, "lamp", "-n", "3", "--json", "--components", "0").stdout)
    assert facts["removed"] == "Taken off every vector: the mean of all tokens."
    (word,) = facts["words"]
    assert word["spaced"]
    assert [each["cosine"] for each in word["neighbours"]] == sorted(
        (each["cosine"] for each in word["neighbours"]), reverse=True
    )
    raw = json.loads(run("near", model, "lamp", "--raw", "--json").stdout)
    assert raw["words"] != facts["words"]


def test_contradictions_are_refused(model):
    with pytest.raises(UsageError, match="choose one"):
        run("near", model, "lamp", "--raw", "--components", "1")
    with pytest.raises(UsageError, match="only 48 dimensions"):
        run("near", model, "lamp", "--components", "48")


def test_a_word_of_bytes_that_are_no_text_is_refused(model):
    with pytest.raises(UsageError, match=r"WORD is not UTF-8 \(character 1\): give it as UTF-8"):
        run("near", model, "lamp", "\udcff\udcfe")


def test_map_of_words(model, tmp_path):
    words, out = tmp_path / "words.txt", tmp_path / "map.html"
    words.write_text("# sea\nlamp\nships\n# 海\n灯塔\n海上\n", encoding="utf-8")
    facts = json.loads(run("map", model, "--words", str(words), "-o", str(out), "--json").stdout)
    assert [each["group"] for each in facts["words"]] == ["sea", "sea", "海", "海"]
    assert 0 < sum(facts["explained_variance"]) <= 1
    assert "灯塔" in out.read_text(encoding="utf-8")
