import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus.read.samples import CHINESE, ENGLISH, jsonl, pdf, reasons, tarred, texts, zipped

from daneel.corpus.read import Item, ReadSettings, plan


def members() -> dict[str, bytes]:
    table = io.BytesIO()
    pq.write_table(pa.table({"text": ["row"]}), table)
    return {
        "a.txt": CHINESE.encode("gb18030"), "deep/b.md": b"# B", "rows.jsonl": jsonl({"text": "one"}, {"text": "two"}),
        "c.pdf": pdf("Page"), "t.parquet": table.getvalue(), "t.csv": b"text\nx\n", "README.md": b"about",
        "p.jpg": b"x", "q.jpg": b"x", "in.zip": zipped({"x.txt": "x"}), ".hidden/x.txt": b"x", "__MACOSX/a.txt": b"x",
        "empty.txt": b"",
    }  # fmt: skip


TEXTS = {
    "a.txt": CHINESE, "deep/b.md": "# B", "rows.jsonl#1": "one", "rows.jsonl#2": "two", "c.pdf": "Page",
    "t.parquet#1": "row", "t.csv#2": "x",
}  # fmt: skip
REASONS = {
    "README.md": "tells about the folder: name the file itself to read it",
    "p.jpg": ".jpg files are not read: 2 of them",
    "in.zip": "an archive in an archive: unpack it first",
    ".hidden/x.txt": "a hidden file",
    "__MACOSX/a.txt": "a hidden file",
    "empty.txt": "empty",
}


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_every_kind_of_archive(tmp_path: Path, name: str) -> None:
    modes = {"tar": "w", "gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}
    path = tmp_path / name
    path.write_bytes(zipped(members()) if name == "a.zip" else tarred(members(), modes[name.rsplit(".", 1)[-1]]))
    assert texts(path) == TEXTS
    assert reasons(path) == REASONS


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_compressed_file_is_what_is_in_it(tmp_path: Path, suffix: str, pack: object) -> None:
    assert callable(pack)
    (tmp_path / f"rows.jsonl.{suffix}").write_bytes(pack(jsonl({"text": "one"})))
    (tmp_path / f"story.{suffix}").write_bytes(pack(CHINESE.encode("gb18030") * 100))
    (tmp_path / f"cut.txt.{suffix}").write_bytes(pack(ENGLISH.encode() * 100)[:-20])
    found = texts(tmp_path, ReadSettings(part_bytes=3000))
    assert found.pop(f"rows.jsonl.{suffix}#1") == "one"
    assert "".join(text for name, text in found.items() if name.startswith("story")) == CHINESE * 100
    assert reasons(tmp_path)[f"cut.txt.{suffix}"].startswith(("damaged: ", "unreadable: "))


def test_names_links_and_devices_lead_nowhere(tmp_path: Path) -> None:
    evil = {"../up.txt": b"x", "/root.txt": b"x", "a/../../b.txt": b"x", "C:/x.txt": b"x", "..\\w.txt": b"x"}
    (tmp_path / "z.zip").write_bytes(zipped(evil | {"good.txt": b"good", "line\nbreak.txt": b"x"}))
    links = []
    for name, kind in (("l.txt", tarfile.SYMTYPE), ("h.txt", tarfile.LNKTYPE), ("f.txt", tarfile.FIFOTYPE)):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        links.append(info)
    (tmp_path / "t.tar").write_bytes(tarred(evil | {"good.txt": b"good"}, "w", tuple(links)))
    assert texts(tmp_path) == {"z.zip/good.txt": "good", "z.zip/line\ufffdbreak.txt": "x", "t.tar/good.txt": "good"}
    out = "a name that leads out of the archive"
    found = reasons(tmp_path)
    assert [reason for name, reason in found.items() if name.startswith("z.zip")] == [out] * 5
    assert {name: reason for name, reason in found.items() if reason != out} == {
        "t.tar/l.txt": "a link", "t.tar/h.txt": "a link", "t.tar/f.txt": "not a regular file",
    }  # fmt: skip
    assert not any(name.startswith(("/", "..")) or "/../" in name for name in found)


def test_bombs_are_refused_before_any_text_of_theirs(tmp_path: Path) -> None:
    zeros = b"a" * (20 << 20)
    (tmp_path / "a.zip").write_bytes(zipped({"bomb.txt": zeros, "good.txt": b"good"}))
    (tmp_path / "b.tar.gz").write_bytes(tarred({"first.txt": b"first", "bomb.txt": zeros, "last.txt": b"x"}))
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(zeros))
    # What is not wanted is not unpacked without end either.
    (tmp_path / "d.tar.xz").write_bytes(tarred({"bomb.bin": zeros, "last.txt": b"x"}, "w:xz"))
    bomb = "a bomb: it unpacks to far more than text does"
    assert texts(tmp_path) == {"a.zip/good.txt": "good", "b.tar.gz/first.txt": "first"}
    found = reasons(tmp_path)
    assert [found[name] for name in ("a.zip/bomb.txt", "b.tar.gz/bomb.txt", "b.tar.gz", "c.txt.gz", "d.tar.xz")] == [
        bomb
    ] * 5


def test_an_archive_unpacks_no_more_than_it_may(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({f"{n}.txt": ENGLISH * 10 for n in range(10)}))
    (tmp_path / "a.tar").write_bytes(tarred({f"{n}.txt": ENGLISH.encode() * 10 for n in range(10)}, "w"))
    found = texts(tmp_path, ReadSettings(archive_bytes=4000))
    assert [name for name in found if "zip" in name] == [f"a.zip/{n}.txt" for n in range(4)]
    assert "a.tar/9.txt" not in found
    assert {reason.split(":")[0] for reason in reasons(tmp_path, ReadSettings(archive_bytes=4000)).values()} == {
        "unpacks to more than 0 GB"
    }


def test_a_header_of_gigabytes_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 32
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + bytes(1 << 16))
    assert reasons(tmp_path / "a.tar") == {"a.tar": "damaged: a header of more than a megabyte"}


def test_encrypted_damaged_and_false_archives(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.txt": ENGLISH * 3, "b.txt": "plain"}))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1  # the flag of the first entry in the directory
    (tmp_path / "locked.zip").write_bytes(bytes(data))
    spoilt = bytearray(zipped({"a.txt": ENGLISH * 3, "b.txt": "plain"}))
    spoilt[40:60] = bytes(20)
    (tmp_path / "spoilt.zip").write_bytes(bytes(spoilt))
    (tmp_path / "cut.zip").write_bytes(zipped({"a.txt": "x"})[:40])
    (tmp_path / "text.zip").write_text("only text")
    (tmp_path / "text.tar").write_text("only text")
    found = reasons(tmp_path)
    assert found["locked.zip/a.txt"] == "encrypted"
    assert found["spoilt.zip/a.txt"].startswith("damaged: ")
    assert found["cut.zip"].startswith("damaged: ")
    assert found["text.zip"].startswith("damaged: ")
    assert found["text.tar"] == "not a tar archive, or damaged"
    assert texts(tmp_path) == {"locked.zip/b.txt": "plain", "spoilt.zip/b.txt": "plain"}


def test_names_of_a_chinese_machine(tmp_path: Path) -> None:
    data = zipped({"xxxxxxxx.txt": CHINESE})
    (tmp_path / "a.zip").write_bytes(data.replace(b"xxxxxxxx", "灯塔故事".encode("gb18030")))
    assert texts(tmp_path / "a.zip") == {"灯塔故事.txt": CHINESE}


def test_a_large_zip_is_work_for_many_processes(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({f"{n:03}.txt": f"{n} {ENGLISH}" for n in range(100)}))
    small = ReadSettings(part_bytes=1000)
    items = [item for item in plan([path], small) if isinstance(item, Item)]
    assert len(items) == 10
    assert texts(path, small) == texts(path)
    assert sum(item.size for item in items) == sum(info.file_size for info in zipfile.ZipFile(path).infolist())


def test_sources_of_papers_in_archives(tmp_path: Path) -> None:
    main = b"\\documentclass{a}\\title{T}\\begin{document}Main \\input{sub/s}\\end{document}"
    files = {"p/main.tex": main, "p/sub/s.tex": b"Sub.", "note.txt": b"note", "p/fig.pdf": pdf("Figure")}
    (tmp_path / "a.zip").write_bytes(zipped(files))
    (tmp_path / "b.tar").write_bytes(tarred(files, "w"))
    # As arXiv names a source: the paper is read, its figures are not.
    (tmp_path / "2401.00001v1.tar.gz").write_bytes(tarred(files))
    (tmp_path / "2401.00002.gz").write_bytes(gzip.compress(main))
    assert texts(tmp_path) == {
        "a.zip/note.txt": "note", "a.zip/p/fig.pdf": "Figure", "a.zip/p/main.tex": "Main Sub.",
        "b.tar/note.txt": "note", "b.tar/p/fig.pdf": "Figure", "b.tar/p/main.tex": "Main Sub.",
        "2401.00001v1.tar.gz/p/main.tex": "Main Sub.", "2401.00002.gz": "Main",
    }  # fmt: skip
