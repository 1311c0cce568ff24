import json
import os
from pathlib import Path
from typing import Any

import pytest

from daneel.corpus.read import Dropped, Raw, decode, is_corpus, read
from daneel.errors import DataError

CHINESE = "那天下午警报的解除信号已经响过了。华南一个大城市的一条热闹马路上排满了两行人，都在肃立着。\n" * 3
TRADITIONAL = "那天下午警報的解除信號已經響過了。華南一個大城市的一條熱鬧馬路上排滿了兩行人，都在肅立著。\n" * 3
FRENCH = "L’été était déjà passé; où aller? « Ça va être très long », répondit-elle, à peine étonnée.\n" * 3
ENGLISH = "“It isn’t late,” she said — and the year was 2042… The lamp was lit at dusk, as it always was.\n" * 3
POLISH = "Zażółć gęślą jaźń. Mężczyzna poszedł do źródła, żeby napić się świeżej wody ze studni.\n" * 3
RUSSIAN = "В начале было слово, и слово это было написано на стене старого дома у реки. Никто не знал.\n" * 3


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "utf-8"), (CHINESE, "utf-8-sig"), (CHINESE, "gb18030"), (TRADITIONAL, "big5"),
        (CHINESE, "utf-16"), (CHINESE, "utf-16-le"), (ENGLISH, "utf-16-be"), (CHINESE, "utf-32"),
        (ENGLISH, "cp1252"), (FRENCH, "cp1252"), (POLISH, "cp1250"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8_r"),
        ("plain ASCII\n", "ascii"),
    ],
)  # fmt: skip
def test_encodings(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding))[0] == text
    assert decode(text.encode(encoding))[2] == ""


def test_the_first_foreign_letter_may_come_late() -> None:
    text = "Nothing but plain letters here.\n" * 5000 + ENGLISH
    assert decode(text.encode("cp1252"))[0] == text


def test_a_few_wrong_bytes_are_replaced_and_told() -> None:
    text, encoding, note = decode(CHINESE.encode() * 3 + b"\xff\xfe" + "完\ufffd。".encode())
    assert (text, encoding) == (CHINESE * 3 + "\ufffd\ufffd完\ufffd。", "utf-8")
    assert note == "2 places that are no utf-8, now \ufffd"


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
