"""`daneel write` on a small random model."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from tiny import tiny_model

from daneel.cli.write import command
from daneel.config import descriptions
from daneel.errors import DataError, ModelError, UsageError
from daneel.generate.sampling import ORDER, Sampling


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("write") / "tiny")


@pytest.fixture
def write(folder):
    def run(*args, input=None):
        result = CliRunner().invoke(
            command, [*args, "-m", str(folder), "--dtype", "float32"], input=input, catch_exceptions=False
        )
        assert result.exit_code == 0
        return result

    return run


def test_json_has_the_documented_fields(write, folder):
    result = write("The lamp", "-n", "6", "--seed", "3", "--json", "--logit-bias", "2=-inf")
    value = json.loads(result.stdout)
    assert list(value) == [
        "text",
        "model",
        "backend",
        "prompt_tokens",
        "completion_tokens",
        "tokens_per_second",
        "time_to_first_token",
        "seed",
        "finish_reason",
    ]
    assert value["model"] == str(folder)
    assert value["backend"] == "torch (float32)"
    assert value["seed"] == 3
    assert value["completion_tokens"] == 6
    assert value["finish_reason"] == "length"
    assert value["tokens_per_second"] > 0
    assert value["time_to_first_token"] > 0
    assert (
        json.loads(write("The lamp", "-n", "6", "--seed", "3", "--json", "--logit-bias", "2=-inf").stdout)["text"]
        == value["text"]
    )


def test_plain_output_is_the_text_alone(write):
    text = json.loads(write("The lamp", "-n", "9", "--seed", "3", "--json").stdout)["text"]
    result = write("The lamp", "-n", "9", "--seed", "3")
    assert result.stdout == text + "\n"
    assert write("-", "-n", "9", "--seed", "3", input="The lamp\n").stdout == text + "\n"
    assert result.stderr == ""


def test_a_drawn_seed_is_told_and_repeats_the_text(write):
    value = json.loads(write("The lamp", "-n", "9", "--json").stdout)
    again = json.loads(write("The lamp", "-n", "9", "--json", "--seed", str(value["seed"])).stdout)
    assert again["text"] == value["text"]
    assert "--seed " in write("The lamp", "-n", "3").stderr


def test_logprobs_are_given_for_each_token(write):
    value = json.loads(write("The lamp", "-n", "5", "--seed", "1", "--logprobs", "--json").stdout)
    assert len(value["logprobs"]) == value["completion_tokens"]
    entry = value["logprobs"][0]
    assert set(entry) == {"token", "id", "bytes", "logprob"}
    assert entry["logprob"] < 0
    assert bytes(entry["bytes"]).decode("utf-8", "replace") == entry["token"]
    plain = write("The lamp", "-n", "5", "--seed", "1", "--logprobs").stdout
    assert f"{entry['logprob']:9.4f}" in plain


def test_stop_strings(write):
    free = json.loads(write("The lamp", "-n", "20", "--seed", "2", "--json").stdout)["text"]
    stop = free[3:5]
    value = json.loads(write("The lamp", "-n", "20", "--seed", "2", "--json", "--stop", stop).stdout)
    assert value["text"] == free[: free.index(stop)]
    assert value["finish_reason"] == "stop"


def test_a_batch_equals_each_line_alone(write, tmp_path):
    prompts = ["The lamp", "In 2042", "公元2042年"]
    lines = tmp_path / "prompts.txt"
    lines.write_text("\n".join([prompts[0], "", *prompts[1:]]) + "\n", encoding="utf-8")
    write("--in", str(lines), "-o", str(tmp_path / "out.jsonl"), "-n", "8", "--seed", "5")
    records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [record["prompt"] for record in records] == prompts
    for record in records:
        alone = json.loads(write(record["prompt"], "-n", "8", "--seed", "5", "--json").stdout)
        assert record["text"] == alone["text"]
        assert record["finish_reason"] == alone["finish_reason"]


def test_jsonl_keeps_its_fields(write, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": 7, "prompt": "The lamp"}\n{"text": "In 2042"}\n')
    result = write("--in", str(source), "-n", "3", "--seed", "1")
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert first["id"] == 7
    assert second["prompt"] == "In 2042"
    out = tmp_path / "out.jsonl"
    summary = json.loads(write("--in", str(source), "-n", "3", "-o", str(out), "--json").stdout)
    assert summary["texts"] == 2
    assert summary["completion_tokens"] == 6


def test_unfit_chinese_is_warned_of_on_stderr(write):
    result = write("龙鳞飞舞鹏程万里", "-n", "2", "--seed", "1", "--json")
    assert "gemma3" in result.stderr
    json.loads(result.stdout)


@pytest.mark.parametrize(
    ("args", "error", "words"),
    [
        ([], UsageError, "PROMPT"),
        (["a", "-o", "x.jsonl"], UsageError, "-o goes with"),
        (["a", "--top-p", "3"], UsageError, "--top-p"),
        (["a", "--logit-bias", "x"], UsageError, "--logit-bias"),
        (["a", "-n", "0"], UsageError, "-n must be"),
        (["a", "--order", "top_k,magic"], UsageError, "--order"),
        (["lamp " * 300], ModelError, "at most 128"),
    ],
)
def test_wrong_calls_say_what_is_wrong(write, args, error, words):
    with pytest.raises(error, match=words):
        write(*args)


def test_a_bad_line_is_named(write, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"prompt": "a"}\n{"prompt": 3}\n')
    with pytest.raises(DataError, match=r"in\.jsonl:2 "):
        write("--in", str(source))
    (tmp_path / "none.txt").write_text("\n\n")
    with pytest.raises(DataError, match="no prompt"):
        write("--in", str(tmp_path / "none.txt"))
    (tmp_path / "odd.txt").write_bytes(b"ab\xff")
    with pytest.raises(DataError, match="UTF-8 at byte 2"):
        write("--in", str(tmp_path / "odd.txt"))


def test_every_setting_has_an_option_with_help():
    docs = descriptions(Sampling)
    options = {option.name: option for option in command.params}
    for name, text in docs.items():
        assert options[name].help == text
    assert set(docs) == set(Sampling.__dataclass_fields__)
    shown = CliRunner().invoke(command, ["--help"]).output
    assert ",".join(ORDER)[:20] in shown.replace("\n", "").replace(" ", "")


def test_help_needs_no_torch():
    code = (
        "import sys; from daneel.cli.write import command; from daneel.cli.chat import command as chat; "
        "from click.testing import CliRunner; assert CliRunner().invoke(command, ['--help']).exit_code == 0; "
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_writing_needs_no_transformers(folder):
    code = (
        "import sys; from daneel.cli.write import command; from click.testing import CliRunner; "
        f"result = CliRunner().invoke(command, ['The lamp', '-m', {str(folder)!r}, '-n', '3']); "
        "assert result.exit_code == 0, result.output; assert 'torch' in sys.modules; "
        "assert not {'transformers', 'peft', 'pyarrow', 'pandas'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
