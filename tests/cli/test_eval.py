import json

import pytest
from click.testing import CliRunner
from fake_lm import UnigramModel

from daneel.cli.eval import command
from daneel.errors import DataError


@pytest.fixture
def texts(tmp_path, monkeypatch):
    monkeypatch.setattr("daneel.lm.load.load", lambda name: UnigramModel("the lamp burned", name=name))
    for name in ("a", "b"):
        paragraphs = (f"On day {i} the lamp of {name} burned clean. " * (6 + i % 3) for i in range(6))
        (tmp_path / f"{name}.txt").write_text("\n\n".join(paragraphs))
    return tmp_path


def test_the_table(texts):
    result = CliRunner().invoke(command, ["fake", "--on", str(texts)])
    assert result.exit_code == 0
    for word in ("bits per byte", "perplexity", "cross entropy", " to "):
        assert word in result.stdout
    assert "12 paragraphs" in result.stderr


def test_json_is_one_object_on_stdout(texts):
    (texts / "cover.png").write_bytes(b"\x89PNG")
    result = CliRunner().invoke(command, ["fake", "--on", str(texts), "--json"])
    facts = json.loads(result.stdout)
    assert facts["model"] == "fake"
    assert set(facts) >= {"bits_per_byte", "perplexity", "cross_entropy", "intervals", "n_tokens", "n_bytes"}
    low, high = facts["intervals"]["bits_per_byte"].values()
    assert low < facts["bits_per_byte"] < high
    assert "cover.png" in result.stderr


def test_a_limit_is_said_and_kept(texts):
    result = CliRunner().invoke(command, ["fake", "--on", str(texts), "--json", "--limit-bytes", "700"])
    assert 0 < json.loads(result.stdout)["n_bytes"] <= 700
    assert "only the first" in result.stderr


def test_a_limit_above_the_text_changes_nothing(texts):
    every = CliRunner().invoke(command, ["fake", "--on", str(texts), "--json"])
    limited = CliRunner().invoke(command, ["fake", "--on", str(texts), "--json", "--limit-bytes", "99999"])
    assert limited.stdout == every.stdout
    assert "only the first" not in limited.stderr


def test_an_empty_folder_is_an_error(texts, tmp_path_factory):
    with pytest.raises(DataError, match="no usable text"):
        CliRunner().invoke(command, ["fake", "--on", str(tmp_path_factory.mktemp("none"))], catch_exceptions=False)


def test_data_must_be_named_and_exist(texts):
    assert CliRunner().invoke(command, ["fake"]).exit_code == 2
    assert CliRunner().invoke(command, ["fake", "--on", str(texts / "none")]).exit_code == 2
