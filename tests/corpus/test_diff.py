import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.build import build
from daneel.corpus.diff import Moved, Renamed, compared, difference
from daneel.corpus.recipe import load_recipe
from daneel.errors import DataError


@pytest.fixture
def stories(tmp_path: Path) -> Path:
    folder = tmp_path / "one" / "stories"
    folder.mkdir(parents=True)
    for n in range(12):
        (folder / f"{n:02}.txt").write_text(f"Story {n}\n\n" + f"The keeper of lamp{n} was at the door. " * 20, "utf-8")
    (folder / "zh.txt").write_text("灯塔\n\n" + "公元2042年，看守人写下了日志。" * 20 + "完。", "utf-8")
    return folder


def test_nothing_changed(stories: Path, tmp_path: Path) -> None:
    build([stories], tmp_path / "a")
    build([stories], tmp_path / "b", processes=2, alone=0)
    found = difference(tmp_path / "a", tmp_path / "b")
    assert not found
    assert not any(found.plain().values())


def test_what_came_went_and_changed(stories: Path, tmp_path: Path) -> None:
    build([stories], tmp_path / "a", heldout=0)
    shutil.copytree(stories, tmp_path / "two" / "stories")
    new = tmp_path / "two" / "stories"
    (new / "zh.txt").write_text((new / "zh.txt").read_text("utf-8").replace("完。", "再见，完。"), "utf-8")
    (new / "03.txt").write_text((new / "04.txt").read_text("utf-8").replace("Story 4", "Story 4 "), "utf-8")
    (new / "05.txt").unlink()
    (new / "06.txt").rename(new / "six.txt")
    (new / "new.txt").write_text("A new story of the sea and of nothing else. " * 9, "utf-8")
    build([new], tmp_path / "b", heldout=0, recipe=load_recipe("default", ["near_duplicates.threshold=0.9"]))
    found = difference(tmp_path / "a", tmp_path / "b")
    assert found.settings == {"near_duplicates.threshold": (0.7, 0.9)}
    assert found.counts["kept"] == (13, 12)
    assert found.languages == {"en": (12, 11)}
    assert found.licences == {"not stated": (13, 12)}
    # Of two copies the first stays.
    gone = {each.source: each.reason for each in found.only_first}
    assert gone.keys() == {"stories/04.txt", "stories/05.txt"}
    assert gone["stories/04.txt"].startswith("exact_duplicates: ")
    assert gone["stories/05.txt"] == ""
    assert [each.source for each in found.only_second] == ["stories/new.txt"]
    assert found.renamed == [Renamed(("stories/06.txt", "stories/six.txt"))]
    assert sum(b - a for a, b in found.dropped.values()) == 1
    changed = {each.source: each for each in found.changed}
    assert changed.keys() == {"stories/03.txt", "stories/zh.txt"}
    zh = changed["stories/zh.txt"]
    assert (zh.removed, zh.added) == (0, 3)
    assert zh.characters[1] - zh.characters[0] == 3
    (place,) = zh.places
    assert (place.removed, place.added, place.after) == ("", "再见，", "完。")
    assert place.before.endswith("写下了日志。")
    # Backwards it is the mirror image.
    back = difference(tmp_path / "b", tmp_path / "a")
    assert back.counts["kept"] == (12, 13)
    assert [each.source for each in back.only_first] == ["stories/new.txt"]
    assert json.loads(json.dumps(found.plain()))["changed"][0]["source"] == "stories/03.txt"


def test_moved_between_the_parts(stories: Path, tmp_path: Path) -> None:
    build([stories], tmp_path / "a", seed=1)
    build([stories], tmp_path / "b", seed=2)
    found = difference(tmp_path / "a", tmp_path / "b")
    assert found.settings == {"seed": (1, 2)}
    assert {each.parts for each in found.moved} == {("train", "heldout"), ("heldout", "train")}
    assert all(isinstance(each, Moved) for each in found.moved)
    assert not found.changed
    assert not found.only_first


def test_only_the_first_changed_are_read(stories: Path, tmp_path: Path) -> None:
    build([stories], tmp_path / "a", heldout=0)
    for path in stories.glob("*.txt"):
        path.write_text(path.read_text("utf-8") + "The end.", "utf-8")
    build([stories], tmp_path / "b", heldout=0)
    found = difference(tmp_path / "a", tmp_path / "b")
    assert len(found.changed) == 13
    assert [each.added is not None for each in found.changed] == [True] * 3 + [False] * 10
    assert not found.settings


def test_corpora_of_different_kinds_and_what_is_none(stories: Path, tmp_path: Path) -> None:
    build([stories], tmp_path / "a")
    lines = [f"The keeper {n} lit the lamp of the house.\t第{n}个看守人点起了屋里的灯。" for n in range(30)]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines), "utf-8")
    build([tmp_path / "pairs.tsv"], tmp_path / "p", recipe=load_recipe("parallel"))
    with pytest.raises(DataError, match=r"a is a corpus of documents, .*p of pairs: there is nothing to compare"):
        difference(tmp_path / "a", tmp_path / "p")
    with pytest.raises(DataError, match="is not a corpus"):
        difference(tmp_path / "a", stories)
    (tmp_path / "pairs.tsv").write_text("\n".join(lines).replace("第7个", "第七个"), "utf-8")
    build([tmp_path / "pairs.tsv"], tmp_path / "q", recipe=load_recipe("parallel"))
    found = difference(tmp_path / "p", tmp_path / "q")
    assert [each.source for each in found.changed] == ["pairs.tsv#8"]
    assert [(place.removed, place.added) for place in found.changed[0].places] == [("7", "七")]


@given(st.text(st.sampled_from("ab 灯塔\n."), max_size=40), st.text(st.sampled_from("ab 灯塔\n."), max_size=40))
def test_removed_and_added_make_one_text_of_the_other(first, second):
    removed, added, places = compared(first, second)
    assert len(second) - len(first) == added - removed
    assert (removed, added) == (0, 0) or first != second
    assert bool(places) == (first != second)


def test_a_word_changed_in_a_long_line_is_found():
    first = "the lamp was lit " * 400
    assert compared(first, first.replace("lamp", "light", 1))[:2] == (4, 5)
    second = f"a {first} {first} b"
    removed, added, places = compared(second, second.replace("lamp", "light"))
    assert (removed, added, len(places)) == (len(second) - 17, len(second) - 17 + 800, 1)
