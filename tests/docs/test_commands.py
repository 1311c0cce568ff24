"""What the README and the labs tell people to type does what they say.

Blocks of bash and python are run in order, those of one document in one folder beside `samples/`. A comment before a
block tells what is special about it:

    <!-- test: weights -->                 it needs smollm2; other blocks run without models and without a network
    <!-- test: skip, REASON -->            it is not run
    <!-- test: bits per byte 2.4 to 2.8 -->  what it prints last lies there
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from daneel.run import home
from daneel.store.disk import RECORD

ROOT = Path(__file__).parents[2]
COMMANDS = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs" / "labs").glob("*.md"))]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "samples").glob("*.md")]
BLOCK = re.compile(r"((?:^<!-- test: [^\n]* -->\n)*)^```(bash|python)\n(.*?)^```$", re.M | re.S)
NOTE = re.compile(r"<!-- test: (.*) -->")
RANGE = re.compile(r"bits per byte ([\d.]+) to ([\d.]+)")
LINK = re.compile(r"\]\(([^)#\s]+)\)")


@dataclass(frozen=True)
class Block:
    document: Path
    line: int
    language: str
    text: str
    notes: tuple[str, ...]

    @property
    def skipped(self) -> str | None:
        return next((note.removeprefix("skip, ") for note in self.notes if note.startswith("skip, ")), None)


def blocks(document: Path) -> list[Block]:
    text = document.read_text(encoding="utf-8")
    return [
        Block(document, text.count("\n", 0, m.start(2)) + 1, m[2], m[3], tuple(NOTE.findall(m[1])))
        for m in BLOCK.finditer(text)
    ]


def parameters():
    for document in COMMANDS:
        for block in blocks(document):
            marks = [pytest.mark.slow]
            if block.skipped:
                marks.append(pytest.mark.skip(reason=block.skipped))
            if "weights" in block.notes:
                marks.append(pytest.mark.weights)
            yield pytest.param(block, marks=marks, id=f"{document.name}:{block.line}")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder for each document, and `daneel` on the path."""
    base = tmp_path_factory.mktemp("docs")
    (base / "bin").mkdir()
    shim = base / "bin" / "daneel"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m daneel "$@"\n')
    shim.chmod(0o755)
    for document in COMMANDS:
        (base / document.name).mkdir()
        (base / document.name / "samples").symlink_to(ROOT / "samples")
    return base


@pytest.mark.parametrize("block", list(parameters()))
def test_a_block_runs(block: Block, folders: Path):
    weights = "weights" in block.notes
    if weights and not (home() / "models" / "smollm2" / RECORD).exists():
        pytest.skip("smollm2 is not on this machine: daneel pull smollm2")
    environment = os.environ | {
        "PATH": f"{folders / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONUTF8": "1",
        "DANEEL_HOME": str(home() if weights else folders / "home"),
        # A block that fetches a model without saying so must fail.
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_NO_INDEX": "1",
        "HF_HUB_OFFLINE": "1",
    }
    program = ["bash", "-euo", "pipefail", "-c"] if block.language == "bash" else [sys.executable, "-c"]
    done = subprocess.run(
        [*program, block.text], cwd=folders / block.document.name, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, encoding="utf-8", timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
    for note in block.notes:
        if wanted := RANGE.fullmatch(note):
            value = float(re.findall(r"bits per byte\s+([\d.]+)", done.stdout)[-1])
            assert float(wanted[1]) <= value <= float(wanted[2]), done.stdout


def test_notes_are_understood():
    known = re.compile(rf"weights|skip, .{{10,}}|{RANGE.pattern}")
    for document in COMMANDS:
        text = document.read_text(encoding="utf-8")
        assert all(known.fullmatch(note) for note in NOTE.findall(text)), document
        assert len(NOTE.findall(text)) == sum(len(block.notes) for block in blocks(document)), document


@pytest.mark.parametrize("lab", [d for d in COMMANDS if d.parent.name == "labs" and ".zh-" not in d.name], ids=str)
def test_both_languages_of_a_lab_type_the_same_verbs(lab: Path):
    def verbs(document: Path) -> list[str]:
        return re.findall(r"^daneel (\w+)", "\n".join(block.text for block in blocks(document)), re.M)

    assert verbs(lab)
    assert verbs(lab) == verbs(lab.with_name(lab.name.replace(".md", ".zh-CN.md")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_each_page_is_in_the_index():
    for index, ending in ((ROOT / "docs" / "README.md", ".md"), (ROOT / "docs" / "README.zh-CN.md", ".zh-CN.md")):
        linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text(encoding="utf-8"))}
        pages = {p for p in (ROOT / "docs").rglob("*.md") if (".zh-CN" in p.name) == (ending != ".md")}
        pages -= {ROOT / "docs" / "README.md", ROOT / "docs" / "README.zh-CN.md"}
        assert {p.resolve() for p in pages} <= linked, index


def test_the_trees_of_both_readmes_are_the_folders():
    rooms = {p.name for p in (ROOT / "src" / "daneel").iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    for document in COMMANDS[:2]:
        tree = re.search(r"^src/daneel/\n(.*?)^bench/", document.read_text(encoding="utf-8"), re.M | re.S)
        assert tree
        listed = re.findall(r"^  (\S+?)(/?) ", tree[1], re.M)
        assert {name for name, slash in listed if slash} == rooms
        assert all((ROOT / "src" / "daneel" / name).exists() for name, _ in listed)
