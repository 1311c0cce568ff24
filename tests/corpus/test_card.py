import json
import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import DatasetCard

from daneel.corpus.build import build
from daneel.corpus.card import corpus_card, essentials, share
from daneel.corpus.excerpt import Excerpt
from daneel.corpus.recipe import load_recipe

HOSTILE = "# Lamp | <img src=x onerror=alert(1)> `x` **b** ]\x1b[31m"
STORY = "The keeper lit the lamp, and she was strong. He wrote it down with a kind word. "


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("card")
    folder = root / "stories"
    folder.mkdir()
    for n in range(12):
        (folder / f"{n}.txt").write_text(f"Story {n}\nby A. Writer\n\n" + f"{STORY}Lamp{n} burned. " * 9, "utf-8")
    (folder / "灯.txt").write_text("灯塔\n作者：许地山\n\n" + "她点起灯，很勇敢。他写下来，再三地看。" * 9, "utf-8")
    (folder / "copy.txt").write_text((folder / "3.txt").read_text("utf-8"), "utf-8")
    (folder / "README.md").write_text("About the folder.", "utf-8")
    row = {"text": f"> {HOSTILE}\n\nMail me at a.b@example.org. " + STORY * 5, "title": HOSTILE, "author": HOSTILE}
    (folder / "rows.jsonl").write_text(
        json.dumps({**row, "licence": "CC|0\n# x", "language": "en\n---\nx: 1"}), "utf-8"
    )
    recipe = load_recipe("default", ["privacy.salt=pepper-and-salt"])
    build([folder], root / "corpus", recipe=recipe, canaries=3, heldout=0.2)
    return root / "corpus"


def parts(corpus: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    manifest, facts = (json.loads((corpus / f"{name}.json").read_text("utf-8")) for name in ("manifest", "statistics"))
    return manifest, facts, (corpus / "card.md").read_text("utf-8")


def test_the_front_is_what_the_hub_reads(built: Path) -> None:
    card = parts(built)[2]
    data = DatasetCard(card).data.to_dict()
    assert data["license"] == "unknown"
    assert data["size_categories"] == ["n<1K"]
    assert data["task_categories"] == ["text-generation"]
    assert data["tags"] == ["daneel"]
    assert {"en", "zh"} <= set(data["language"])
    assert all(re.fullmatch("[a-z]{2,3}", code) for code in data["language"])


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        ({"CC0": 3}, {"license": "cc0-1.0"}),
        ({"CC0": 3, "MIT": 1}, {"license": ["cc0-1.0", "mit"]}),
        ({"My terms": 3}, {"license": "other", "license_name": "My terms"}),
        ({"CC0": 3, "": 1}, {"license": "unknown"}),
        ({"": 3, "not stated": 2}, {"license": "unknown"}),
    ],
)
def test_licences_by_the_names_of_the_hub(built: Path, licences: dict[str, int], expected: dict[str, Any]) -> None:
    manifest, facts, _ = parts(built)
    card = corpus_card({**manifest, "licences": licences}, facts, [])
    data = DatasetCard(card).data.to_dict()
    assert {key: data[key] for key in data if key.startswith("license")} == expected
    assert ("| not stated | 5 |" in card) == (licences.get("") == 3)
    assert ("find it out before" in card) == ("" in licences)


def test_what_was_left_out_is_told_apart_from_what_was_dropped(built: Path) -> None:
    card = parts(built)[2]
    assert "Read: 16; left out at reading: 1; dropped by the steps: 1; kept: 14." in card
    assert "so is no text of the corpus | 1 | 1 | stories/README.md: name the file itself to read it |" in card
    assert "| `exact_duplicates` |" in card
    idle = next(line for line in card.splitlines() if line.startswith("Nothing to do had"))
    assert "`gutenberg`" in idle
    assert "`exact_duplicates`" not in idle


def test_secrets_and_places_stay_out(built: Path) -> None:
    secrets = json.loads((built.parent / "corpus.canaries.json").read_text("utf-8"))["canaries"]
    for name in ("card.md", "report.html", "manifest.json", "statistics.json"):
        text = (built / name).read_text("utf-8")
        assert "pepper" not in text
        assert str(built.parent) not in text
        assert not any(each["secret"] in text for each in secrets)
    assert "3 random secrets are planted" in parts(built)[2]
    assert "--canaries 3" in parts(built)[2]


def test_texts_that_hold_markup_break_nothing(built: Path) -> None:
    manifest, facts, card = parts(built)
    sample = [Excerpt(HOSTILE, HOSTILE, "en\n---", (f"# {HOSTILE}", "> b\n\n# c", "1. d", "---"))]
    card = corpus_card(manifest, facts, sample)
    headings = [line for line in card.splitlines() if line.startswith("#")]
    known = {"#", "##", "###"}
    assert {line.split()[0] for line in headings} <= known
    assert sum(line.startswith("# ") for line in headings) == 1
    assert "<img" not in card
    assert "\x1b" not in card
    body = card.split("---\n", 2)[2]
    quoted = [line for line in body.splitlines() if line.startswith("> ")]
    assert len(quoted) == 4
    assert not any(re.match(r"> ([#>-]|\d+\.)", line) for line in quoted)
    for line in body.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
            assert len(re.findall(r"(?<!\\)\|", line)) == len(re.findall(r"(?<!\\)\|", _head(body, line)))


def _head(body: str, row: str) -> str:
    """The head of the table in which a row stands."""
    lines = body.splitlines()
    at = lines.index(row)
    while lines[at - 1].startswith("|"):
        at -= 1
    return lines[at]


def test_the_same_sources_give_the_same_card(built: Path, tmp_path: Path) -> None:
    recipe = load_recipe("default", ["privacy.salt=pepper-and-salt"])
    build([built.parent / "stories"], tmp_path / "again", recipe=recipe, canaries=3, heldout=0.2, processes=2, alone=0)
    for path in built.iterdir():
        if path.is_file():
            assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_one_document_in_blocks(tmp_path: Path) -> None:
    text = "\n\n".join(f"Paragraph {n} of the book is about the lamp{n}. " * 9 for n in range(300))
    (tmp_path / "book.txt").write_text(text, "utf-8")
    build([tmp_path / "book.txt"], tmp_path / "corpus")
    manifest, _, card = parts(tmp_path / "corpus")
    blocks = sum(count["documents"] for count in manifest["counts"].values())
    assert blocks > 1
    assert "1 document kept" in card
    assert f"| source | blocks |\n| --- | --: |\n| book.txt | {blocks} |" in card
    assert "| part | blocks | words |" in card
    assert f"licences by blocks: not stated ({blocks})" in essentials(manifest)


def test_pairs_are_called_pairs(tmp_path: Path) -> None:
    lines = [f"The keeper {n} lit the lamp of the house.\t第{n}个看守人点起了屋里的灯。" for n in range(30)]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines), "utf-8")
    build([tmp_path / "pairs.tsv"], tmp_path / "corpus", recipe=load_recipe("parallel"))
    manifest, _, card = parts(tmp_path / "corpus")
    assert DatasetCard(card).data.to_dict()["task_categories"] == ["translation"]
    assert "30 pairs kept" in card
    assert "`--licence` states it" in card
    assert "documents" not in re.sub(r"`[^`]*`", "", card)
    for name in ("card.md", "report.html", "statistics.json"):
        assert "␞" not in (tmp_path / "corpus" / name).read_text("utf-8")
    assert re.search(r"> The keeper \d+ lit the lamp of the house\.\n>\n> 第\d+个看守人", card)
    texts = [side for line in lines for side in line.split("\t")]
    counts = manifest["counts"].values()
    assert sum(count["characters"] for count in counts) == sum(map(len, texts))
    assert sum(count["bytes"] for count in counts) == sum(len(text.encode()) for text in texts)


def test_what_a_model_says_of_its_data(built: Path) -> None:
    lines = essentials(parts(built)[0])
    assert lines[0] == "recipe `default`: 16 documents read, 14 kept"
    assert any("exact" in line for line in lines)
    assert any(line.startswith("licences by documents: not stated (13)") for line in lines)
    assert all("\n" not in line for line in lines)


def test_little_is_not_nothing() -> None:
    assert (share(1, 10_000), share(0, 10), share(1, 3)) == ("< 0.1 %", "0.0 %", "33.3 %")
