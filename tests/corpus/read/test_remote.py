"""Data sets of the hub and papers of arXiv, through servers of our own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from corpus.read.samples import CHINESE, jsonl, parquet, pdf, tarred
from fake_hub import Handler, served

from daneel.corpus.read import Raw, ReadSettings, plan, read
from daneel.corpus.read.remote import is_arxiv_source
from daneel.errors import DataError, UsageError

SETS: dict[str, dict[str, bytes]] = {
    "some/set": {
        "README.md": b"---\nlicense: cc-by-4.0\n---\n# about", "data/train.jsonl": jsonl({"text": CHINESE}),
        "data/test.txt": b"second", "image.png": b"x", ".gitattributes": b"x", "odd[1].txt": b"odd",
    },
    "some/pictures": {"a.png": b"x"},
    "some/pairs": {
        "en-zh/train.parquet": parquet({"translation": [{"en": "The lamp.", "zh": "灯。", "de": "Lampe"}]}),
        "chat.json": json.dumps([{"conversations": [{"from": "gpt", "value": CHINESE}]}]).encode(),
    },
}  # fmt: skip
MAIN = b"\\documentclass{a}\\title{Lamps}\\begin{document}Main \\input{sub}\\end{document}"
PAPERS = {
    "2401.00001": tarred({"main.tex": MAIN, "sub.tex": b"Sub.", "fig.pdf": pdf("Figure")}),
    "hep-th/9901001v2": pdf("Only a PDF"),
}


class Server(Handler):
    """Data sets, and arXiv."""

    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.split("?")[0].replace("%5B", "[").replace("%5D", "]")
        for place in ("/e-print/", "/pdf/"):
            if path.startswith(place):
                paper = PAPERS.get(path.removeprefix(place), b"")
                found = paper and (place == "/pdf/") == paper.startswith(b"%PDF")
                return self.reply(200, paper) if found else self.reply(404)
        repo = "/".join(path.removeprefix("/api").removeprefix("/datasets/").split("/")[:2])
        if repo == "some/gated":
            return self.reply(403, b"{}", X_Error_Code="GatedRepo")
        if repo not in SETS:
            return self.reply(404, b"{}", X_Error_Code="RepoNotFound")
        return self.repository(repo, SETS[repo], ["license:cc-by-4.0", "language:zh"], path)

    do_HEAD = do_GET


@pytest.fixture
def endpoint() -> Iterator[str]:
    yield from served(Server)


CODE = """
import json, sys
from daneel.corpus.read import ReadSettings, read
from daneel.errors import DaneelError
name, makes, column = sys.argv[1:]
try:
    print(json.dumps([vars(each) for each in read([name], ReadSettings(text_column=column), makes)]))
except DaneelError as error:
    sys.exit(str(error))
"""


def fetched(
    name: str, tmp_path: Path, endpoint: str, makes: str = "documents", column: str = "text", **variables: str
) -> tuple[list[dict[str, Any]], str]:
    """What is read in a process of its own, and what was said: huggingface_hub reads its variables when imported."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    environment |= {"HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1"} | variables
    command = [sys.executable, "-c", CODE, name, makes, column]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    return json.loads(done.stdout or "[]"), done.stderr


def test_a_data_set_of_the_hub_with_its_licence(tmp_path: Path, endpoint: str) -> None:
    found, said = fetched("hf:some/set", tmp_path, endpoint)
    assert [(each["source"], each.get("text") or each["reason"]) for each in found] == [
        ("some/set/data/test.txt", "second"),
        ("some/set/data/train.jsonl#1", CHINESE),
        ("some/set/odd[1].txt", "odd"),
        ("some/set", "files without a suffix are not read: 1 of them"),
        ("some/set", ".png files are not read: 1 of them"),
    ]
    assert all(each["about"] == {"licence": "cc-by-4.0"} for each in found if "text" in each)
    assert "licence cc-by-4.0" in said
    assert not any("image.png" in path for path in Server.asked)
    # What is here needs no network, and that is said.
    again, said = fetched("hf:some/set", tmp_path, "http://127.0.0.1:9")
    assert again == [each for each in found if "text" in each]
    assert "read as it lies in the cache" in said


def test_pairs_and_conversations_of_the_hub(tmp_path: Path, endpoint: str) -> None:
    found, _ = fetched("hf:some/pairs", tmp_path, endpoint, "pairs", "zh,en")
    assert [each["text"].split("\n") for each in found if "text" in each] == [["灯。", "\u241e", "The lamp."]]
    assert found[0]["reason"].startswith('row 1, no "zh" and "en": name the two')
    assert found[1]["about"]["licence"] == "cc-by-4.0"
    found, _ = fetched("hf:some/pairs/chat.json", tmp_path, endpoint, "conversations")
    assert [each["text"] for each in found] == [CHINESE]


def test_a_folder_or_file_of_a_data_set(tmp_path: Path, endpoint: str) -> None:
    found, _ = fetched("hf:some/set/data", tmp_path, endpoint)
    assert [each["source"] for each in found if "text" in each] == [
        "some/set/data/test.txt",
        "some/set/data/train.jsonl#1",
    ]
    found, _ = fetched("hf:some/set@main/odd[1].txt", tmp_path, endpoint)
    assert [each["text"] for each in found if "text" in each] == ["odd"]
    assert any(path.startswith("/api/datasets/some/set/revision/main") for path in Server.asked)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hf:some/none", "has no data set 'some/none', or it is private: check the spelling, or set HF_TOKEN"),
        ("hf:some/gated", "asks for its terms to be accepted"),
        ("hf:some/pictures", "has no file that is read"),
        ("hf:nothing", "names no data set: write hf:owner/name"),
        ("hf:some/set/nowhere", "has no file that is read"),
        ("arxiv:2401.99999", "has neither source nor PDF of arxiv:2401.99999"),
    ],
)
def test_each_refusal_is_one_line(name: str, words: str, tmp_path: Path, endpoint: str) -> None:
    found, said = fetched(name, tmp_path, endpoint, ARXIV_ENDPOINT=endpoint)
    assert not found
    assert words in said.splitlines()[-1]
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["hf:some/set", "arxiv:2401.00001"])
def test_without_a_network_the_remedy_is_named(name: str, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    found, said = fetched(name, tmp_path, nowhere, ARXIV_ENDPOINT=nowhere)
    assert not found
    assert f"{nowhere} cannot be reached" in said
    assert "ENDPOINT to a mirror" in said


def test_a_paper_is_its_source_else_its_pdf(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARXIV_ENDPOINT", endpoint)
    (raw,) = (each for each in read(["arxiv:2401.00001"]) if isinstance(each, Raw))
    assert (raw.text, raw.source) == ("Main Sub.", "arxiv:2401.00001/main.tex")
    assert raw.about == {"title": "Lamps"}
    (raw,) = read(["arxiv:hep-th/9901001v2"])  # type: ignore[assignment]
    assert (raw.text, raw.source, raw.stem) == ("Only a PDF", "arxiv:hep-th/9901001v2", "arxiv:hep-th/9901001v2")
    assert f"fetching {endpoint}/pdf/hep-th/9901001v2" in capsys.readouterr().err


def test_what_is_asked_of_arxiv_is_bounded(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARXIV_ENDPOINT", endpoint)
    with pytest.raises(DataError, match="is larger than 0 MB"):
        list(plan(["arxiv:2401.00001"], ReadSettings(document_bytes=100), tmp_path))
    for name in ("arxiv:../../x", "arxiv:2401.1?x=1", "arxiv:"):
        with pytest.raises(UsageError, match="names no paper"):
            list(plan([name], scratch=tmp_path))
    monkeypatch.setenv("ARXIV_ENDPOINT", "file:///etc")
    with pytest.raises(UsageError, match="must begin with https"):
        list(plan(["arxiv:2401.00001"], scratch=tmp_path))


def test_names_that_arxiv_gives_to_sources() -> None:
    assert all(map(is_arxiv_source, ["2401.00001", "2401.00001v2.tar.gz", "arXiv-2401.00001v1.gz"]))
    assert not any(map(is_arxiv_source, ["2401.00001.pdf", "3.14.gz", "notes-2401.00001.tar.gz"]))
