import json
import os
from pathlib import Path
from typing import Any

import pytest

from daneel.corpus.read import Dropped, Raw, is_corpus, plan, read
from daneel.errors import DataError, UsageError

CHINESE = "那天下午警报的解除信号已经响过了。华南一个大城市的一条热闹马路上排满了两行人，都在肃立着。\n" * 3


def make(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_a_folder_of_anything(tmp_path: Path) -> None:
    top = tmp_path / "stories"
    make(top, "b.txt", CHINESE.encode("gb18030"))
    make(top, "deep/er/A.MD", b"# A\n\ntext")
    make(
        top,
        "rows.jsonl",
        json.dumps({"text": "one", "title": "T", "license": "CC0"}).encode() + b'\n\n{"text": 3}\n[1]\nx\n',
    )
    make(top, "empty.txt", b" \n")
    make(top, "picture.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4)
    make(top, "control.txt", bytes(range(1, 32)) * 20)
    make(top, "photo.jpg", b"\xff\xd8")
    make(top, "README.md", b"about")
    make(top, ".hidden/x.txt", b"x")
    make(top, ".x.txt", b"x")
    make(top, "built/manifest.json", b'{"format": "daneel-corpus"}')
    make(top, "built/card.md", b"x")
    (top / "deep/loop").symlink_to(top)
    (top / "gone.txt").symlink_to(top / "nowhere")
    found = list(read([top]))
    texts = {each.source: each.text for each in found if isinstance(each, Raw)}
    assert texts == {
        "stories/b.txt": CHINESE,
        "stories/deep/er/A.MD": "# A\n\ntext",
        "stories/rows.jsonl#1": "one",
    }
    row = next(each for each in found if isinstance(each, Raw) and each.source.endswith("#1"))
    assert row.about == {"title": "T", "licence": "CC0"}
    reasons = {each.source.removeprefix("stories/"): each.reason for each in found if isinstance(each, Dropped)}
    assert reasons == {
        "rows.jsonl": "row 5, not JSON",
        "empty.txt": "empty",
        "picture.txt": "binary",
        "control.txt": "binary",
        "photo.jpg": ".jpg files are not read",
        "README.md": "tells about the folder: name the file itself to read it",
        ".hidden": "a hidden folder",
        ".x.txt": "a hidden file",
        "built": "a corpus built by daneel",
        "deep/loop": "a link to a folder already read",
        "gone.txt": "not a regular file",
    }
    assert [each.source for each in found] == sorted((each.source for each in found), key=lambda s: s.split("#")[0])


def test_a_file_named_is_read_whatever_its_name_and_once(tmp_path: Path) -> None:
    make(tmp_path, "README.md", b"about")
    make(tmp_path, "a.txt", b"text")
    found = list(read([tmp_path / "README.md", tmp_path / "a.txt", tmp_path]))
    assert [each.source for each in found if isinstance(each, Raw)] == ["README.md", "a.txt"]
    assert [each.reason for each in found if isinstance(each, Dropped)][-1] == "given twice"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", b"x")
    make(tmp_path, "b/c.txt", b"x")
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "b").chmod(0)
    found = list(read([tmp_path]))
    (tmp_path / "b").chmod(0o755)
    assert [each.reason for each in found if isinstance(each, Dropped)] == ["unreadable: permission denied"] * 2


def test_an_error_of_the_disk_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.txt", b"x")
    make(tmp_path, "b.txt", b"y")
    whole = Path.open

    def broken(path: Path, *args: Any, **settings: Any) -> Any:
        if path.name == "a.txt":
            raise OSError(5, "Input/output error")
        return whole(path, *args, **settings)

    monkeypatch.setattr(Path, "open", broken)
    bad, good = read([tmp_path])
    assert isinstance(bad, Dropped)
    assert bad.reason == "unreadable: input/output error"
    assert isinstance(good, Raw)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="stories does not exist: give"):
        list(read([tmp_path / "stories"]))


def test_a_corpus_is_known_by_its_manifest(tmp_path: Path) -> None:
    assert not is_corpus(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    assert not is_corpus(tmp_path)


def sources(*paths: str | Path) -> list[str]:
    return [each.source for each in read(list(paths)) if isinstance(each, Raw)]


def test_globs_are_called_by_their_place_below_the_last_fixed_folder(tmp_path: Path) -> None:
    for name in ("a/x.txt", "a/deep/y.txt", "b/x.txt", "b/z.md"):
        make(tmp_path / "top", name, b"text")
    assert sources(str(tmp_path / "top/*/x.txt")) == ["top/a/x.txt", "top/b/x.txt"]
    assert sources(str(tmp_path / "top/**/*.txt")) == ["top/a/deep/y.txt", "top/a/x.txt", "top/b/x.txt"]
    assert sources(str(tmp_path / "top/*")) == ["top/a/deep/y.txt", "top/a/x.txt", "top/b/x.txt", "top/b/z.md"]
    with pytest.raises(DataError, match="matches nothing"):
        sources(str(tmp_path / "*.epub"))
    # A name that only looks like a pattern is a name.
    make(tmp_path, "[1].txt", b"text")
    assert sources(tmp_path / "[1].txt") == ["[1].txt"]


def test_the_same_label_is_never_given_twice(tmp_path: Path) -> None:
    for name in ("a/x.txt", "b/x.txt", "c/x.txt", "c/c/x.txt"):
        make(tmp_path, name, name.encode())
    found = sources(*(tmp_path / name for name in ("a/x.txt", "b/x.txt", "c/x.txt", "c/c/x.txt")))
    assert found == ["x.txt", "b/x.txt", "c/x.txt", "x.txt (2)"]


def test_pipes_and_devices_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "zero.txt").symlink_to("/dev/zero")
    (tmp_path / "self.txt").symlink_to(tmp_path / "self.txt")
    found = {each.source.split("/")[1]: each.reason for each in read([tmp_path]) if isinstance(each, Dropped)}
    assert set(found) == {"pipe.txt", "zero.txt", "self.txt"}
    assert found["pipe.txt"] == "not a regular file"
    assert found["zero.txt"] == "a link that leads out of the folder: name what it leads to"


def test_names_that_are_no_text_can_still_be_written_down(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/bad\xff\n.txt", "wb") as file:
        file.write(b"text")
    (source,) = sources(tmp_path)
    assert source.endswith("/bad\ufffd\ufffd.txt")


def test_a_named_file_is_read_as_what_it_is(tmp_path: Path) -> None:
    make(tmp_path, "story", "故事".encode())
    make(tmp_path, "rows.data", b'{"text": "one"}\n{"text": "two"}\n')
    assert sources(tmp_path / "story") == ["story"]
    assert sources(tmp_path / "rows.data") == ["rows.data#1", "rows.data#2"]
    assert sources(tmp_path) == []
    reasons = {each.source.split("/")[1]: each.reason for each in read([tmp_path]) if isinstance(each, Dropped)}
    assert reasons == {
        "story": "a file without a suffix: name the file itself to read it",
        "rows.data": ".data files are not read",
    }


def test_what_comes_in_needs_a_folder_to_stay_in() -> None:
    with pytest.raises(UsageError, match="needs a folder"):
        list(plan(["-"]))


def test_links_are_followed_within_the_folder_only(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside / "texts", outside):
        folder.mkdir(parents=True)
    (outside / "secret.txt").write_text("Nobody asked for this.")
    (inside / "texts" / "a.txt").write_text("A story.")
    (inside / "file.txt").symlink_to(outside / "secret.txt")
    (inside / "folder").symlink_to(outside)
    (inside / "again").symlink_to(inside / "texts")
    found = {each.source: getattr(each, "reason", "read") for each in read([inside])}
    assert found.pop("in/file.txt").startswith("a link that leads out of the folder")
    assert found.pop("in/folder").startswith("a link that leads out of the folder")
    assert sorted(found.values()) == ["a link to a folder already read", "read"]
    named = [each for each in read([inside / "file.txt"])]
    assert [getattr(each, "text", "") for each in named] == ["Nobody asked for this."]
