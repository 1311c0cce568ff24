import json
import re
from pathlib import Path

from daneel.corpus.build import build
from daneel.corpus.excerpt import Excerpt
from daneel.corpus.page import corpus_page


def test_the_page_is_offline_and_has_what_the_card_has(tmp_path: Path) -> None:
    folder = tmp_path / "stories"
    folder.mkdir()
    for n in range(9):
        text = f"She was strong and he was weak, said Captain Nemo of lamp{n}. 她很勇敢，多九公说灯塔。\n" * 40
        (folder / f"{n}.txt").write_text(f"Story {n}\n\n{text}", "utf-8")
    build([folder], tmp_path / "corpus")
    page = (tmp_path / "corpus/report.html").read_text("utf-8")
    for part in ("documents by source", "captain nemo", "灯塔", "left out at reading: 0", "gender", "Sample", "Limits"):
        assert part in page
    assert page.count("<svg") >= 6
    assert "<script" not in page
    assert not re.search(r'(src|href)="', page)
    assert "http" not in page.replace("http-equiv", "")
    # Chinese labels in a Chinese font.
    assert re.search(r'<div lang="zh"><svg[^>]*>.*?灯塔', page)

    manifest, facts = (
        json.loads((tmp_path / f"corpus/{name}.json").read_text("utf-8")) for name in ("manifest", "statistics")
    )
    hostile = "<script>alert(1)</script>\x1b"
    manifest |= {"sources": {hostile: 3}, "licences": {hostile: 3}, "authors": {hostile: 1}, "languages": {hostile: 9}}
    page = corpus_page(hostile, manifest, facts, [Excerpt(hostile, hostile, hostile, (hostile, "灯"))])
    assert "<script" not in page
    assert "\x1b" not in page
    assert "<p>灯</p></blockquote>" in page


def test_a_page_of_little(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1984 2042 3001", "utf-8")
    build([tmp_path / "a.txt"], tmp_path / "corpus", heldout=0)
    page = (tmp_path / "corpus/report.html").read_text("utf-8")
    assert "Frequent words" not in page
    assert "Who stands beside what" not in page
