import json
import random
import shutil
from pathlib import Path

import pytest
import tiny
from click.testing import CliRunner, Result
from rich.cells import cell_len

from daneel.cli.tokenizer import command
from daneel.corpus.build import build
from daneel.corpus.recipe import load_recipe
from daneel.errors import DataError, ModelError, UsageError
from daneel.tokenizer.load import Tokenizer

ENGLISH = "It was the year of the lamp, and the keeper was in it, but nobody asked which of them was out. "
CHINESE = "灯塔的看守人写下了最后一页日志。海上没有风，也没有船，看守人没有再写。"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model is at hand."""
    monkeypatch.setenv("DANEEL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def stories(tmp_path: Path) -> Path:
    folder = tmp_path / "stories"
    folder.mkdir()
    (folder / "en.txt").write_text(ENGLISH * 30, "utf-8")
    (folder / "zh.txt").write_text(CHINESE * 30, "utf-8")
    return folder


@pytest.fixture
def trained(stories: Path, tmp_path: Path) -> Path:
    call("train", str(stories), "-o", str(tmp_path / "own"), "--vocab-size", "500")
    return tmp_path / "own"


def call(*arguments: str, input: str | None = None) -> Result:
    result = CliRunner().invoke(command, arguments, input=input, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize("verb", ["train", "show", "report", "extend"])
def test_help_has_an_example(verb: str) -> None:
    assert f"daneel tokenizer {verb} " in call(verb, "--help").stdout


def test_train_makes_what_was_asked(stories: Path, tmp_path: Path) -> None:
    (tmp_path / "template").write_text("{{ messages[0].content }}")
    done = call(
        "train", str(stories), "-o", str(tmp_path / "a"), "--vocab-size", "300", "--pattern", "llama3",
        "--special", "<|tool|>", "--chat-template", str(tmp_path / "template"), "--json",
    )  # fmt: skip
    assert json.loads(done.stdout) == {
        "tokenizer": str(tmp_path / "a"), "vocabulary": 300, "model": "bpe", "pattern": "llama3",
        "ggml_pre": "llama-bpe",
    }  # fmt: skip
    loaded = Tokenizer.load(tmp_path / "a")
    assert loaded.encode("<|tool|>", special=True) == [3]
    assert loaded.chat is not None
    assert loaded.chat.render([{"role": "user", "content": "x"}]) == "x"
    done = call("train", str(stories), "-o", str(tmp_path / "b"), "--vocab-size", "300", "--model", "unigram")
    assert "300 tokens, unigram, pattern qwen2" in done.stdout
    assert "Transformers only" in done.stderr


def test_a_vocabulary_that_suits_the_model(stories: Path, tmp_path: Path) -> None:
    done = call("train", str(stories), "-o", str(tmp_path / "a"), "--size", "3m")
    assert "tokens instead of 4,096: the text has no more pairs that occur 2 times" in done.stderr
    done = call("train", str(stories), "-o", str(tmp_path / "a"), "--size", "48m")
    assert "instead of 16,384" in done.stderr
    for arguments, message in [
        ((), "--vocab-size auto needs --size"),
        (("--size", "huge"), "--size takes millions of parameters, such as 3m or 25m, not 'huge'"),
        (("--vocab-size", "500", "--size", "3m"), "--vocab-size 500 and --size 3m both choose"),
        (("--vocab-size", "1e4"), "--vocab-size takes a number or auto, not '1e4'"),
    ]:
        with pytest.raises(UsageError, match=message):
            call("train", str(stories), "-o", str(tmp_path / "b"), *arguments)
    with pytest.raises(UsageError, match="stories exists and is not a tokenizer"):
        call("train", str(stories), "-o", str(stories), "--size", "3m")
    model = tiny.tiny_model(tmp_path / "model")
    with pytest.raises(UsageError, match="model is a model, which another tokenizer would spoil"):
        call("train", str(stories), "-o", str(model), "--size", "3m")
    with pytest.raises(DataError, match="does not exist"):
        call("train", str(tmp_path / "no"), "-o", str(tmp_path / "b"), "--size", "3m")
    assert not (tmp_path / "b").exists()


def test_show_marks_tokens(trained: Path) -> None:
    assert call("show", str(trained), "the lamp鑫<|im_end|>").stdout == "⟦the⟧⟦ lamp⟧⟦⟨E9⟩⟧⟦⟨91⟩⟧⟦⟨AB⟩⟧⟪<|im_end|>⟫\n"
    assert call("show", str(trained), input="<|im_end|>\n").stdout == "⟪<|im_end|>⟫⟦↵⟧\n"
    assert "<|im_end|> 2" in call("show", str(trained), "<|im_end|>", "--ids").stdout
    tokens = json.loads(call("show", str(trained), "鑫<|im_end|>", "--json").stdout)["tokens"]
    assert [token["bytes"] for token in tokens[:3]] == ["e9", "91", "ab"]
    assert tokens[3] == {"id": 2, "text": "<|im_end|>", "bytes": b"<|im_end|>".hex(), "special": True}
    with pytest.raises(ModelError, match="no model 'nothing'"):
        call("show", "nothing", "x")


def test_show_colours_on_a_terminal(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = call("show", str(trained), "the lamp").stdout
    assert "\x1b[" in shown
    assert "⟦" not in shown
    monkeypatch.setenv("NO_COLOR", "1")
    assert call("show", str(trained), "the lamp").stdout == "⟦the⟧⟦ lamp⟧\n"


def test_report_compares(trained: Path, stories: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = call("report", str(trained), "--on", str(stories), "-o", str(page))
    assert "gpt2-tokenizer is left out: daneel pull gpt2-tokenizer" in done.stderr
    assert "bytes per" in done.stdout
    assert "Chinese" in page.read_text("utf-8")
    found = json.loads(call("report", str(trained), "--json").stdout)
    assert found["on"] == "the samples that come with daneel"
    languages = found["tokenizers"][0]["languages"]
    assert {"en", "zh"} <= languages.keys()
    # All the samples are there, and the folder's own page of explanations is not.
    assert languages["en"]["bytes"] > 50_000


@pytest.mark.parametrize("columns", ["80", ""])
def test_a_report_is_readable_in_80_columns(columns: str, trained: Path, stories: Path, tmp_path: Path) -> None:
    """With six tokenizers, two of one name; without a terminal too."""
    paths = [trained, *(tmp_path / name / "own" for name in "ab"), *(tmp_path / f"another-one-{n}" for n in "ab")]
    for path in paths[1:]:
        shutil.copytree(trained, path)
    names = [str(path) for path in paths]
    result = CliRunner(env={"COLUMNS": columns or None}).invoke(command, ["report", *names, "--on", str(stories)])
    lines = result.stdout.splitlines()
    assert all(cell_len(line) <= 80 for line in lines)
    tables = "\n".join(lines).split("\n\n")
    assert [table.split("\n")[1].split()[0] for table in tables[:3]] == ["en", "zh", "vocabulary"]
    for name, short in zip(names, [*names[:3], "another-one-a", "another-one-b"], strict=True):
        # A name that is too long goes on in the next line.
        assert sum(short[:14] in line for line in lines) >= 3, name
    row = next(line for line in tables[0].split("\n") if line.startswith("another-one"))
    assert len(row.split()) == 7


def test_extend_writes_a_model(stories: Path, tmp_path: Path) -> None:
    model, out = tiny.tiny_model(tmp_path / "model"), tmp_path / "out"
    on = ["--on", str(stories / "zh.txt")]
    done = call("extend", str(model), *on, "--add", "20", "-o", str(out), "--json")
    found = json.loads(done.stdout)
    assert (found["added"], found["vocabulary"]) == (20, 420)
    assert found["tokens_after"] < found["tokens_before"]
    assert "420 in all" in call("extend", str(model), *on, "--add", "20", "-o", str(out)).stdout
    # The effect is that on all of the text, its first file alone shows none.
    both = json.loads(call("extend", str(model), "--on", str(stories), "--add", "20", "-o", str(out), "--json").stdout)
    texts = [path.read_text("utf-8") for path in sorted(stories.iterdir())]
    for key, folder in (("tokens_before", model), ("tokens_after", out)):
        assert both[key] == sum(len(Tokenizer.load(folder).encode(text)) for text in texts)
    assert len(Tokenizer.load(out).encode(texts[0])) == len(Tokenizer.load(model).encode(texts[0]))
    done = call("extend", str(model), "--on", str(stories), "--add", "20", "-o", str(out))
    assert f"took {both['tokens_before']:,} tokens and takes {both['tokens_after']:,} now (" in done.stderr
    with pytest.raises(UsageError, match="is the model itself"):
        call("extend", str(model), *on, "--add", "20", "-o", str(model))
    with pytest.raises(UsageError, match="stories exists and is not a model"):
        call("extend", str(model), *on, "--add", "20", "-o", str(stories))


def test_an_extended_model_learns(stories: Path, tmp_path: Path) -> None:
    from daneel.cli.train import command as train_command

    call("extend", str(tiny.tiny_model(tmp_path / "model")), "--on", str(stories / "zh.txt"), "--add", "20", "-o",
         str(tmp_path / "zh"))  # fmt: skip
    arguments = [str(stories), "--base", str(tmp_path / "zh"), "--method", "full", "--steps", "2", "--length", "32"]
    arguments += ["--set", "compile=off", "--heldout", "0"]
    done = CliRunner().invoke(train_command, [*arguments, "-o", str(tmp_path / "run")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert Tokenizer.load(tmp_path / "run").vocab_size == 420


@pytest.mark.parametrize("recipe", ["parallel", "chat"])
def test_a_corpus_of_pairs_or_conversations_is_read(tmp_path: Path, recipe: str) -> None:
    chance = random.Random(0)
    signs = CHINESE.replace("看守人", "")
    texts = [(" ".join(chance.sample(ENGLISH.split(), 18)), "看守人".join(chance.sample(signs, 20))) for _ in range(60)]
    pairs = [{"source": a, "target": b} for a, b in texts]
    talks = [{"messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}]} for a, b in texts]
    rows = pairs if recipe == "parallel" else talks
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    build([tmp_path / "a.jsonl"], tmp_path / "corpus", recipe=load_recipe(recipe), heldout=0.4)
    call("train", str(tmp_path / "corpus"), "-o", str(tmp_path / "own"), "--vocab-size", "500")
    tokenizer = Tokenizer.load(tmp_path / "own")
    for word in (" keeper", "看守人"):
        assert len(tokenizer.encode(word)) == 1
    done = call("report", str(tmp_path / "own"), "--on", str(tmp_path / "corpus"), "--json")
    assert set(json.loads(done.stdout)["tokenizers"][0]["languages"]) == {"en", "zh"}


def refused(*arguments: str, input: str | bytes | None = None) -> str:
    """One line that names what is wrong."""
    with pytest.raises((UsageError, DataError)) as caught:
        CliRunner().invoke(command, arguments, input=input, catch_exceptions=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bytes_that_are_no_text_are_one_line(trained: Path) -> None:
    assert refused("show", str(trained), input=b"\xff\xfe\x00bad") == (
        "stdin is not UTF-8 (byte 1): convert it to UTF-8"
    )
    assert refused("show", str(trained), "灯\udcff") == "TEXT is not UTF-8 (character 2): give it as UTF-8"
    assert json.loads(call("show", str(trained), "--json", input="灯\r\n").stdout)["tokens"][-2]["bytes"] == "0d"


def test_a_vocabulary_has_an_upper_bound(stories: Path, tmp_path: Path) -> None:
    told = refused("train", str(stories), "-o", str(tmp_path / "a"), "--vocab-size", "99999999999")
    assert told == "a vocabulary of 99999999999 is too large: it may have at most 16,777,216 tokens"
    model = tiny.tiny_model(tmp_path / "model")
    told = refused("extend", str(model), "--on", str(stories), "--add", "999999999999", "-o", str(tmp_path / "b"))
    assert told.startswith("--add 999999999999 is too many: at most 16,777,216")


def test_a_bad_template_is_one_line(stories: Path, tmp_path: Path) -> None:
    for template, told in {
        b"{{ 1/0 }}": "chat template refuses a conversation of [user]: division by zero",
        b"{% for i in range(10**12) %}{% endfor %}": "refuses a conversation of [user]: Range too big",
        "{# 模板 #}".encode("gb18030"): "bad.jinja is not UTF-8 (byte 6): convert it to UTF-8",
    }.items():
        (tmp_path / "bad.jinja").write_bytes(template)
        given = ("--chat-template", str(tmp_path / "bad.jinja"), "--vocab-size", "300")
        assert told in refused("train", str(stories), "-o", str(tmp_path / "a"), *given)
        assert not (tmp_path / "a").exists()
