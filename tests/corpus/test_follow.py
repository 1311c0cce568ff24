from pathlib import Path

import pytest

from daneel.corpus.build import build
from daneel.corpus.follow import carried, carry


@pytest.fixture
def stories(tmp_path: Path) -> Path:
    folder = tmp_path / "stories"
    folder.mkdir()
    for n in range(9):
        (folder / f"{n}.txt").write_text(f"Story {n}\n\n" + f"The keeper of lamp{n}. 灯塔的看守人。 " * 20, "utf-8")
    return folder


def test_the_card_of_a_corpus_built_elsewhere_is_copied(stories: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    build([stories], tmp_path / "corpus")
    carry(tmp_path / "corpus", run)
    copied = run / "daneel/corpus-card"
    assert sorted(path.name for path in copied.iterdir()) == [
        "card.md",
        "manifest.json",
        "report.html",
        "statistics.json",
    ]
    lines = carried(run)
    assert lines[0] == "recipe `default`: 9 documents read, 9 kept"
    assert lines[-1] == "more: [the card of the corpus](daneel/corpus-card/card.md)"
    carry(tmp_path / "corpus", run)
    assert carried(run) == lines


def test_a_corpus_built_in_the_run_has_its_card_there(stories: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    build([stories], run / "daneel/corpus")
    carry(run / "daneel/corpus", run)
    assert not (run / "daneel/corpus-card").exists()
    assert carried(run)[-1] == "more: [the card of the corpus](daneel/corpus/card.md)"
    (run / "daneel/corpus/card.md").unlink()
    assert not carried(run)[-1].startswith("more")


def test_a_run_without_a_corpus_says_nothing(tmp_path: Path) -> None:
    assert carried(tmp_path) == []
