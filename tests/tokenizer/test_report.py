from pathlib import Path

import pytest

from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.report import by_language, gb2312, page, portray, summary
from daneel.tokenizer.train import train_tokenizer

ENGLISH = "The keeper wrote that it was late, and that nobody had asked which of the lamps was out. " * 9
SAMPLES = Path(__file__).parents[2] / "samples"
CHINESE = "灯塔的看守人写下了最后一页日志。海上没有风，也没有船。" * 9


def test_texts_go_under_their_language() -> None:
    assert by_language([ENGLISH, CHINESE, ENGLISH]) == {"en": [ENGLISH, ENGLISH], "zh": [CHINESE]}


def test_figures_by_hand(tmp_path: Path) -> None:
    # One token a byte.
    bytes_only = train_tokenizer(["a"], tmp_path, 259)
    found = portray("bytes", bytes_only, {"en": ["a b c"], "zh": ["公元，"]})
    english, chinese = found.languages["en"], found.languages["zh"]
    assert (english["tokens"], english["bytes_per_token"], english["fertility"]) == (5, 1.0, 5 / 3)
    assert english["vocabulary_used"] == 4 / 259
    assert english["partial_tokens"] == 0
    assert chinese["characters_per_token"] == pytest.approx(1 / 3)
    assert chinese["fertility"] == 9 / 2  # nine bytes for two characters; a mark is no word
    assert chinese["partial_tokens"] == 1
    assert (found.common_chinese, found.all_chinese) == (0, 0)


def test_a_learned_vocabulary_fits_better(tmp_path: Path) -> None:
    texts = by_language(path.read_text("utf-8") for path in sorted(SAMPLES.glob("*/*.txt")))
    own = train_tokenizer([text for some in texts.values() for text in some], tmp_path, 3000)
    found = portray("own", own, texts)
    assert found.languages["en"]["bytes_per_token"] > 3
    assert found.languages["zh"]["partial_tokens"] < 0.4
    assert 0.02 < found.common_chinese < 0.2
    sizes = [len(token.encode()) for token in found.longest]
    assert sizes == sorted(sizes, reverse=True)


def test_unknown_tokens_are_counted(pieces: Tokenizer) -> None:
    assert portray("pieces", pieces, {"en": ["x"]}).languages["en"]["unknown_tokens"] == 0


def test_gb2312_has_its_characters() -> None:
    common, every = gb2312()
    assert (len(common), len(every)) == (3755, 6763)
    assert common.startswith("啊阿埃")
    assert len(set(every)) == 6763


def test_the_page_and_the_object(byte_level: Tokenizer, pieces: Tokenizer) -> None:
    texts = by_language([ENGLISH, CHINESE])
    portraits = [portray("<mine>", byte_level, texts), portray("other", pieces, texts)]
    html = page(portraits, "two texts").html()
    for part in ("&lt;mine&gt;", "Chinese", "bytes per token", "GB 2312 level 1", "other"):
        assert part in html
    assert "http" not in html.replace("http-equiv", "")
    found = summary(portraits, "two texts")
    assert [each["name"] for each in found["tokenizers"]] == ["<mine>", "other"]
    assert set(found["tokenizers"][0]["languages"]) == {"en", "zh"}
