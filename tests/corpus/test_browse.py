import json
from pathlib import Path

import pytest

from daneel.corpus.browse import Browser, Drop
from daneel.corpus.build import build, read_corpus
from daneel.corpus.recipe import load_recipe
from daneel.errors import DataError, UsageError


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    folder = tmp_path / "stories"
    folder.mkdir()
    for n in range(30):
        (folder / f"{n:02}.txt").write_text(
            f"Story {n}\nby A. Writer\n\n" + f"The keeper of lamp{n} was at the door. " * 20, "utf-8"
        )
    (folder / "zh.txt").write_text("灯塔\n作者：许地山\n\n" + "公元2042年，看守人写下了\n日志。" * 20, "utf-8")
    (folder / "bad.txt").write_bytes(bytes(range(256)))
    # Batches of a few documents, so that parts have several row groups.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("daneel.corpus.pipeline.BATCH_CHARACTERS", 3000)
        manifest = build([folder], tmp_path / "corpus", canaries=2)
    return Browser(tmp_path / "corpus", manifest)


def test_every_text_is_found_by_its_entry(browser: Browser) -> None:
    corpus = read_corpus(browser.folder)
    for part, documents in (("train", corpus.train), ("heldout", corpus.heldout)):
        entries = list(browser.entries(part))
        assert [(entry.source, entry.place, entry.part) for entry in entries] == [
            (document.source, place, part) for place, document in enumerate(documents)
        ]
        assert list(browser.texts(part)) == [document.text for document in documents]
        assert [browser.text(entry) for entry in entries] == [document.text for document in documents]
    assert [entry.number for entry in browser.entries()] == list(range(1, 32))


def test_a_text_by_number_source_or_title(browser: Browser) -> None:
    entry = browser.find("stories/zh.txt")
    assert entry == browser.find(str(entry.number)) == browser.find("灯塔")
    assert (entry.author, entry.language) == ("许地山", "zh")
    for name in ("0", "99", "zh.txt", ""):
        with pytest.raises(UsageError, match=r"no text of .* is called"):
            browser.find(name)


def test_drops_and_sample(browser: Browser) -> None:
    assert list(browser.drops()) == [Drop("stories/bad.txt", "read", "binary")]
    drawn = browser.sample(4, "train")
    assert [entry.sha256 for entry in drawn] == sorted(entry.sha256 for entry in browser.entries("train"))[:4]
    assert len(browser.sample(100)) == 31


def test_search_whatever_the_case_and_line_breaks(browser: Browser) -> None:
    (hit,) = browser.search("KEEPER  of\nlamp17 ")
    assert (hit.entry.source, hit.times, hit.found) == ("stories/17.txt", 20, "keeper of lamp17")
    assert browser.text(hit.entry).count(hit.before + hit.found + hit.after) == 1
    (hit,) = browser.search("写下了 日志")
    assert (hit.entry.source, hit.found) == ("stories/zh.txt", "写下了\n日志")
    assert not list(browser.search("写下了日志", "train" if hit.entry.part == "heldout" else "heldout"))
    # A pattern is no pattern here.
    assert not list(browser.search("lamp.*"))
    assert len(list(browser.search("the keeper"))) == 30
    with pytest.raises(UsageError, match="--search is empty"):
        list(browser.search(" \n"))


def test_records_are_shown_for_readers(tmp_path: Path) -> None:
    lines = [f"The keeper {n} lit the lamp of the house.\t第{n}个看守人点起了屋里的灯。" for n in range(30)]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines), "utf-8")
    browser = Browser(tmp_path / "p", build([tmp_path / "pairs.tsv"], tmp_path / "p", recipe=load_recipe("parallel")))
    assert browser.text(browser.find("pairs.tsv#7")) == lines[6].replace("\t", "\n")
    (hit,) = browser.search("第6个看守人")
    assert hit.entry.source == "pairs.tsv#7"
    chat = [
        {"role": "user", "content": "谁在那里，这么晚了还不去睡觉？"},
        {"role": "assistant", "content": "我是灯塔的看守人，正在写今天的日志。"},
    ]
    (tmp_path / "chat.jsonl").write_text(json.dumps({"messages": chat}) + "\n", "utf-8")
    manifest = build([tmp_path / "chat.jsonl"], tmp_path / "c", recipe=load_recipe("chat"), heldout=0)
    browser = Browser(tmp_path / "c", manifest)
    assert browser.text(browser.find("1")).startswith("user: 谁在那里")


@pytest.mark.parametrize("name", ["manifest.parquet", "train.parquet"])
@pytest.mark.parametrize("damage", [b"PAR1", b"", None])
def test_damage_is_one_clear_line(browser: Browser, name: str, damage: bytes | None) -> None:
    path = browser.folder / name
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(DataError, match=r"is damaged .*: build the corpus again") as raised:
        list(browser.search("lamp"))
    assert "\n" not in str(raised.value)
