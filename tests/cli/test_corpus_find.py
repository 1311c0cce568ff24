import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from daneel.cli.corpus_find import find
from daneel.corpus.build import build
from daneel.corpus.document import Document
from daneel.corpus.index_build import write_index
from daneel.corpus.recipe import load_recipe
from daneel.errors import DataError, UsageError

LAMP = "The keeper wrote in the book of the light\nwhat the sea had done that day. “Nobody,” he said, “has to.”"
SNOW = "夜里下了一场大雪，他没有睡，坐在窗前听着风从山那边吹过来。"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    documents = [
        Document(text, source, title, "", "", "", "")
        for text, source, title in ((LAMP, "lamp.txt", "The lamp"), (SNOW, "雪.txt", "雪\x1b[31m"))
    ]
    write_index([documents], tmp_path / "corpus" / "index")
    return tmp_path / "corpus"


def run(*arguments: Any, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(find, list(map(str, arguments)), input=stdin)


def test_a_pasted_passage_is_shown_with_its_source_and_what_stands_around_it(corpus: Path) -> None:
    result = run(corpus, 'He read: WHAT THE SEA HAD\r\ndone that day... "nobody," HE said.')
    assert result.exit_code == 0, result.output
    first, second, last = result.stdout.splitlines()
    assert first == "10 words  lamp.txt  The lamp"
    assert second == (
        "  … The keeper wrote in the book of the light what the sea had done that day. “Nobody,” he said, “has to …"
    )
    assert last.startswith("1 passage of 8 words or more (")
    assert last.endswith(" ms)")


def test_the_longest_comes_first_and_only_so_many(corpus: Path) -> None:
    text = f"{LAMP[:45]} And then: 他没有睡，坐在窗前听着风从山那边"
    result = run(corpus, text, "-n", 1, "--json")
    found = json.loads(result.stdout)
    (passage,) = found["passages"]
    assert (found["found"], passage["source"], passage["units"]) == (2, "雪.txt", 15)
    assert passage["text"] == passage["copied"] == "他没有睡，坐在窗前听着风从山那边"
    assert (passage["before"], passage["after"]) == ("夜里下了一场大雪，", "吹过来")
    assert found["milliseconds"]["find"] > 0
    assert "2 passages of 8 words or more, the longest 1 shown" in run(corpus, text, "-n", 1).stdout
    assert json.loads(run(corpus, text, "--least", 10, "--json").stdout)["found"] == 1


def test_a_terminal_is_told_nothing_but_text(corpus: Path) -> None:
    assert "\x1b" not in run(corpus, SNOW).stdout


def test_text_comes_from_a_file_or_a_pipe(corpus: Path, tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text(SNOW, "utf-8")
    for result in (run(corpus, "--in", file, "--json"), run(corpus, "-", "--json", stdin=SNOW)):
        assert json.loads(result.stdout)["passages"][0]["units"] == 26


def test_decomposed_letters_are_found(tmp_path: Path) -> None:
    text = "Le phare éclairait déjà la mer quand le gardien s'éveilla"
    write_index([[Document(text, "a", "", "", "", "", "")]], tmp_path / "index")
    pasted = text.replace("é", "e\u0301").replace("à", "a\u0300")
    assert json.loads(run(tmp_path, pasted, "--json").stdout)["passages"][0]["copied"] == text


def test_nothing_shared_is_said(corpus: Path) -> None:
    result = run(corpus, "Nobody in Sandusky ever asked the deputy what the parcel weighed.")
    assert result.exit_code == 0
    assert result.stdout.startswith("no passage of 8 words or more")


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["{corpus}"], UsageError, "give a text to look for"),
        (["{corpus}", "x", "--in", __file__], UsageError, "one of them"),
        (["{corpus}/none", "x"], UsageError, "none is not a folder"),
        (["{corpus}/index", "x"], DataError, "has no copy index: build the corpus again"),
    ],
)
def test_mistakes_are_one_line(corpus: Path, arguments: list[str], kind: type[Exception], message: str) -> None:
    error = run(*(each.format(corpus=corpus) for each in arguments)).exception
    assert isinstance(error, kind)
    assert message in str(error)
    assert "\n" not in str(error)


TRADITIONAL = "夜裡下了一場大雪，他沒有睡，坐在窗前聽著風從山那邊吹過來。"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("utf-16", SNOW), ("gb18030", SNOW * 3), ("big5", TRADITIONAL * 3), ("cp1252", "Le phare éclairait la mer. " * 9)],
)
def test_files_are_decoded_as_the_builder_does(encoding: str, text: str, tmp_path: Path) -> None:
    write_index([[Document(text, "雪.txt", "", "", "", "", "")]], tmp_path / "corpus" / "index")
    (tmp_path / "pasted.txt").write_bytes(text.encode(encoding))
    for result in (
        run(tmp_path / "corpus", "--in", tmp_path / "pasted.txt", "--json"),
        run(tmp_path / "corpus", "-", "--json", stdin=text.encode(encoding)),
    ):
        assert json.loads(result.stdout)["passages"][0]["copied"].rstrip("。. ") == text.rstrip("。. ")
        assert "is read as" in result.stderr


def test_what_is_no_text_is_said(corpus: Path, tmp_path: Path) -> None:
    for data, reason in ((bytes(range(256)), "binary"), (b" ", "empty")):
        (tmp_path / "a.bin").write_bytes(data)
        error = run(corpus, "--in", tmp_path / "a.bin").exception
        assert isinstance(error, DataError)
        assert str(error).endswith(f"a.bin cannot be searched for: {reason}")


@pytest.mark.parametrize(
    "sentence", ["The keeper of lamp {0} wrote what the sea had done. ", "第{0}个看守人写下了日志。"]
)
def test_of_a_long_passage_the_ends_are_shown(sentence: str, tmp_path: Path) -> None:
    text = "".join(sentence.format(n) for n in range(90)).strip()
    write_index([[Document(text, "a.txt", "", "", "", "", "")]], tmp_path / "index")
    shown = run(tmp_path, text).stdout.splitlines()[1]
    (passage,) = json.loads(run(tmp_path, text, "--json").stdout)["passages"]
    copied = passage["copied"]
    between = f" … {len(copied) - 320:,} characters … "
    assert shown.startswith(f"  … {copied[:160]}{between}{copied[-160:]}")
    assert copied in run(tmp_path, text, "--full").stdout
    assert len(copied) > len(text) - 3


def test_help_has_an_example() -> None:
    assert "daneel corpus find corpus/ " in run("--help").stdout


def test_a_corpus_of_pairs_has_no_index_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("The ship landed.\t飞船降落了。\nNobody answered.\t没有人回答。\n", "utf-8")
    build([tmp_path / "a.tsv"], tmp_path / "corpus", recipe=load_recipe("parallel"))
    result = run(tmp_path / "corpus", "The ship landed.")
    assert isinstance(result.exception, DataError)
    assert "corpus is of pairs or conversations: only corpora of texts have a copy index" in str(result.exception)
