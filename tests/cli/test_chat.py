"""`daneel chat` on a small random model, its lines given on stdin."""

import json

import pytest
from click.testing import CliRunner
from tiny import tiny_model

from daneel.cli import chat as module
from daneel.cli.chat import command
from daneel.errors import ModelError
from daneel.generate.engine import Chunk
from daneel.lm.local import LocalModel


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("chat") / "tiny")


@pytest.fixture
def chat(folder):
    def run(lines, *args):
        result = CliRunner().invoke(
            command, ["-m", str(folder), "-n", "4", "--seed", "1", "--dtype", "float32", *args],
            input="".join(line + "\n" for line in lines), catch_exceptions=False,
        )  # fmt: skip
        assert result.exit_code == 0
        return result

    return run


def roles(result):
    return [message["role"] for message in json.loads(result.stdout)["messages"]]


def test_turns_follow_each_other(chat):
    result = chat(["a", "b"], "--json")
    assert roles(result) == ["user", "assistant"] * 2
    messages = json.loads(result.stdout)["messages"]
    plain = chat(["a", "b", "/exit", "c"])
    assert plain.stdout == "".join(m["content"] + "\n" for m in messages if m["role"] == "assistant")


def test_reset_and_system(chat):
    assert roles(chat(["a", "/reset", "b"], "--json", "--system", "Be brief")) == [
        "system",
        "user",
        "assistant",
    ]
    assert roles(chat(["a", "/system Be brief", "b"], "--json"))[0] == "system"
    assert roles(chat(["/system", "b"], "--json", "--system", "Be brief")) == ["user", "assistant"]


def test_save_adds_training_records(chat, tmp_path):
    target = tmp_path / "talk.jsonl"
    chat(["a", f"/save {target}", "b", f"/save {target}"])
    first, second = (json.loads(line)["messages"] for line in target.read_text().splitlines())
    assert second[:2] == first
    assert [len(first), len(second)] == [2, 4]
    assert "no such file" in chat([f"/save {tmp_path}/none/talk.jsonl"]).stderr
    assert "needs a file name" in chat(["/save"]).stderr


def test_help_and_unknown_commands(chat):
    said = chat(["/what"]).stderr
    assert "no command /what" in said
    assert "/system TEXT" in said


def test_a_history_beyond_the_context_is_refused_not_cut(chat):
    result = chat(["lamp " * 60, "/reset", "b"], "--json")
    assert "reads at most 128" in result.stderr
    assert "/reset" in result.stderr
    assert json.loads(result.stdout)["messages"][0]["content"] == "b"


def test_ctrl_c_stops_the_answer_and_not_the_program(chat, monkeypatch):
    closed = []

    def interrupted(self, requests, params):
        try:
            yield Chunk(0, "one ")
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    monkeypatch.setattr(LocalModel, "generate", interrupted)
    result = chat(["a", "b"], "--json")
    assert [m["content"] for m in json.loads(result.stdout)["messages"]] == ["a", "one ", "b", "one "]
    assert "stopped" in result.stderr
    assert closed == [True, True]


def test_ctrl_c_at_the_prompt_says_how_to_leave(chat, monkeypatch):
    answers = iter([KeyboardInterrupt, EOFError])

    def line(prompt):
        raise next(answers)

    monkeypatch.setattr("builtins.input", line)
    assert "/exit or Ctrl-D leaves" in chat([]).stderr


def test_a_model_without_template_is_refused(tmp_path):
    raw = tiny_model(tmp_path / "raw")
    config = json.loads((raw / "tokenizer_config.json").read_text())
    del config["chat_template"]
    (raw / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="no chat template"):
        CliRunner().invoke(command, ["-m", str(raw)], catch_exceptions=False)


def test_the_help_lists_every_command(chat):
    said = chat(["/help"]).stderr
    assert all(name in said for name in module.COMMANDS)
