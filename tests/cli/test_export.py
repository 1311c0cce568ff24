import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import daneel.export
from daneel.cli.export import command
from daneel.errors import UsageError
from daneel.export import Exported


@pytest.fixture
def asked(monkeypatch):
    """What the verb asks for; the export itself is not done."""
    seen = []

    def export(name, to, out, quant, say):
        seen.append((name, to, out, quant))
        say("comparing with 灯")
        return Exported(out, to, quant or "q8_0", 2_000_000, "llama.cpp (xllamacpp 1)", 0.25, 0.01)

    monkeypatch.setattr(daneel.export, "export", export)
    return seen


def test_json_is_one_object_on_stdout(asked):
    result = CliRunner().invoke(command, ["runs/灯塔", "--to", "gguf", "-o", "灯塔.gguf", "--quant", "q4_1", "--json"])
    assert asked == [("runs/灯塔", "gguf", Path("灯塔.gguf"), "q4_1")]
    assert json.loads(result.stdout) == {
        "path": "灯塔.gguf", "format": "gguf", "quant": "q4_1", "bytes": 2_000_000,
        "verified_by": "llama.cpp (xllamacpp 1)", "max_difference": 0.25, "relative_difference": 0.01,
    }  # fmt: skip
    assert result.stderr == "comparing with 灯\n"


def test_a_line_says_what_was_written_and_who_agrees(asked):
    result = CliRunner().invoke(command, ["m", "--to", "hf", "-o", "out", "--dtype", "bfloat16"])
    assert asked == [("m", "hf", Path("out"), "bfloat16")]
    assert "out: bfloat16, 2 MB; llama.cpp (xllamacpp 1) agrees, logits within 1 % of their spread" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--to", "gguf", "-o", "m.gguf", "--dtype", "float32"], "--dtype goes with --to hf; gguf takes --quant"),
        (["--to", "hf", "-o", "m", "--quant", "q8_0"], "--quant goes with --to gguf or ct2; hf takes --dtype"),
        (["--to", "gguf", "-o", "m"], r"m must end in \.gguf.*: -o m\.gguf"),
    ],
)
def test_options_that_do_not_belong_are_one_line(asked, words, line):
    with pytest.raises(UsageError, match=line):
        CliRunner().invoke(command, ["m", *words], catch_exceptions=False)
    assert asked == []


@pytest.mark.parametrize("words", [["m"], ["m", "--to", "gguf"], ["m", "--to", "onnx", "-o", "x"]])
def test_what_is_missing_or_unknown_is_bad_usage(words):
    assert CliRunner().invoke(command, words).exit_code == 2
