import random
from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.config import descriptions
from daneel.corpus.document import Document, digest
from daneel.corpus.step import LocalStep, Result
from daneel.corpus.steps.c4 import C4
from daneel.corpus.steps.fineweb import FineWeb
from daneel.corpus.steps.gopher import GopherQuality, GopherRepetition, _duplicates, _tops
from daneel.corpus.steps.quality import Measures
from daneel.corpus.words import Words

_EN = (
    "The keeper of the lamp had been alone for a year, and that was the reason he wrote so much. "
    "Every evening he climbed the stairs with his book, lit the flame and looked out to sea. "
    "Nobody answered him. Far away a ship went by; its captain did not have the time to be curious. "
    "In spring the relief came. He found the light burning, the brass polished, and no one to thank!"
)
_ZH = (
    "守灯塔的人独自过了一年，所以他写得很多。每天晚上他带着日志走上楼梯，点亮了灯，望着大海。"
    "没有人回答他，远处有一艘船驶过，船长也没有时间好奇。到了春天，换班的人来了。"
    "他看见灯还亮着，铜器擦得很干净，却没有一个人可以感谢！他在门口站了很久，才想起自己也要点灯。"
)
_POEM = "風柳搖搖無定枝，陽臺雲雨夢中歸。\n他年蓬島音塵絕，留取尊前舊舞衣。"


def _document(text: str, language: str = "en") -> Document:
    return Document(text, "a", "", "", language, "", digest(text))


def _reason(step: LocalStep, text: str, language: str = "en") -> str:
    result = step.apply([_document(text, language)])
    dropped = [note.what for _, note in result.notes if note.dropped]
    assert (result.documents == [None]) == bool(dropped)
    return dropped[0] if dropped else ""


_STEPS: tuple[LocalStep, ...] = (GopherQuality(), GopherRepetition(), C4(min_sentences=4), FineWeb())


@pytest.mark.parametrize("step", _STEPS, ids=lambda step: step.name)
def test_good_prose_passes_unchanged(step: LocalStep) -> None:
    batch = [_document(_EN), _document(_ZH, "zh"), _document(f"{_EN}\n\n“So be it,” he said.", "und")]
    assert step.apply(batch) == Result(batch, [])


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("The lamp of the sea.", "en", "fewer than 50 words"),
        (" ".join(_EN.split() * 5), "en", "more than 300 words"),
        ("a bc of to the " * 20, "en", "words shorter than 3 characters"),
        ("incomprehensibilities " * 60 + "the of", "en", "words longer than 10 characters"),
        (_EN + "#" * 10, "en", "more than 0.1 # a word"),
        (_EN + " ... …" * 5, "en", "more than 0.1 ellipsis a word"),
        ("\n".join(f"  • {part}" for part in _EN.split(". ")), "en", "more than 90 % of the lines are bullets"),
        (
            "\n\n".join(f"{part}..." for part in _EN.split(". ")),
            "en",
            "more than 30 % of the lines end with an ellipsis",
        ),
        (_EN + " | 12" * 20, "en", "fewer than 80 % of the words have a letter"),
        ("Lamps burning everywhere " * 20, "en", "fewer than 2 stop words"),
        (_POEM, "zh", "fewer than 50 characters"),
        (_ZH + "……" * 10, "zh", "more than 0.05 ellipsis a word"),
        (_ZH + "\n" + "alpha beta 2042\n" * 20, "zh", "fewer than 50 % Chinese characters"),
        (_ZH + "，、；" * 30, "zh", "more than 35 % punctuation"),
        ("灯塔海洋春天日志铜器楼梯" * 6, "zh", "fewer than 3 stop words"),
    ],
)
def test_gopher_quality(text: str, language: str, reason: str) -> None:
    assert _reason(GopherQuality(max_words=300), text, language) == f"gopher: {reason}"


def test_stop_words_are_asked_of_languages_that_have_a_list() -> None:
    text = "Lampen brannten überall entlang stiller Küsten " * 10
    assert _reason(GopherQuality(), text, "de") == ""
    assert _reason(GopherQuality(), text, "en") == "gopher: fewer than 2 stop words"


def test_a_verdict_names_the_value_and_shows_the_beginning() -> None:
    ((place, note),) = GopherQuality().apply([_document(_EN), _document("The lamp\nof the sea.")]).notes
    assert (place, note.what, note.example) == (1, "gopher: fewer than 50 words", "5: The lamp of the sea.")


def test_a_limit_of_zero_sets_none() -> None:
    off = GopherQuality(**{field.name: 0 for field in fields(GopherQuality)})  # type: ignore[arg-type]
    assert _reason(off, "### ...\n- 12", "en") == _reason(off, "……##", "zh") == ""
    repeats = {field.name: 0 for field in fields(GopherRepetition)} | {"zh_factor": 2}
    assert _reason(GopherRepetition(**repeats), "a b c d e f\n" * 50) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("A line.\n\n" * 3 + _EN, "en", "more than 30 % of the paragraphs are repeated"),
        ("\n".join(["Yes.", "No."] * 4 + [_EN]), "en", "more than 30 % of the lines are repeated"),
        ("\n".join([_EN, _EN, *map(str, range(9))]), "en", "more than 20 % of the characters are in repeated lines"),
        (_EN + " moon landing" * 12, "en", "more than 20 % of the characters are one run of 2 words"),
        (f"{_EN} And so on. {_EN[:200]}", "en", "more than 15 % of the characters are in repeated runs of 5 words"),
        (_ZH + "月球登陆" * 20, "zh", "more than 20 % of the characters are one run of 4 characters"),
        (f"{_ZH}如此这般。{_ZH[:60]}", "zh", "more than 15 % of the characters are in repeated runs of 10 characters"),
    ],
)
def test_gopher_repetition(text: str, language: str, reason: str) -> None:
    assert _reason(GopherRepetition(), text, language) == f"gopher: {reason}"


_TEXTS = st.lists(
    st.lists(st.sampled_from(["ab", "c", "def", "灯", "塔", "\n"]), max_size=60).map(" ".join), max_size=4
)


def _plain_duplicates(words: list[str], n: int) -> int:
    seen: set[tuple[str, ...]] = set()
    covered = [False] * len(words)
    for i in range(len(words) - n + 1):
        run = tuple(words[i : i + n])
        if run in seen:
            covered[i : i + n] = [True] * n
        seen.add(run)
    return sum(len(word) for word, inside in zip(words, covered, strict=True) if inside)


@given(_TEXTS)
def test_runs_are_counted_as_one_by_one(texts: list[str]) -> None:
    words = Words(texts)
    of = np.repeat(np.arange(len(texts)), words.counts)
    single = [[words.word(i) for i in range(words.bounds[t], words.bounds[t + 1])] for t in range(len(texts))]
    for n, found in _duplicates(words, of, [2, 3, 5]):
        assert found.tolist() == [_plain_duplicates(each, n) for each in single]
    limits = {n: np.full(len(texts), 4) for n in (1, 2, 4)}
    for n, found in _tops(words, of, limits, 1):
        for value, each in zip(found.tolist(), single, strict=True):
            runs = Counter(" ".join(each[i : i + n]) for i in range(len(each) - n + 1))
            best = max((len(run) * times for run, times in runs.items() if times > 1), default=0)
            assert value == best or (value <= best <= 4)


def test_c4_removes_lines_and_keeps_paragraphs() -> None:
    page = f"Home | About\n\n{_EN}\nEnable JavaScript to go on.\n\nOK.\n\n{_EN} [1]\nWe use cookies here.\n“So be it.”"
    result = C4().apply([_document(page)])
    document = result.documents[0]
    assert document
    assert document.text == f"{_EN}\n\n{_EN} \n“So be it.”"
    assert document.sha256 == digest(document.text)
    assert {note.what: note.times for _, note in result.notes} == {
        "c4: citations removed": 1,
        "c4: lines with no end of a sentence removed": 1,
        "c4: lines with fewer than 3 words removed": 1,
        "c4: lines with javascript removed": 1,
        "c4: lines with terms of use or privacy removed": 1,
    }


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("One here now. Two here now! Three here now?", "en", "fewer than 5 sentences"),
        (f"{_EN} Done now.\nThen lorem  IPSUM dolor.", "en", "lorem ipsum"),
        (f"{_EN} Done now.\nif (x) {{ return the lamp. }} So it is.", "en", "a curly bracket"),
        (_POEM, "zh", "fewer than 5 sentences"),
    ],
)
def test_c4_pages(text: str, language: str, reason: str) -> None:
    assert _reason(C4(), text, language) == f"c4: {reason}"


def test_c4_reads_the_title_before_the_heading_goes() -> None:
    for text, language, title, author in (
        (f"The Keeper\nby A. Writer\n\n{_EN}\nEnd", "en", "The Keeper", "A. Writer"),
        (f"守灯人\n作者：许地山\n\n{_ZH}\n完", "zh", "守灯人", "许地山"),
    ):
        document = C4(min_sentences=4).apply([_document(text, language)]).documents[0]
        assert document
        assert document.text == text.split("\n")[3]
        assert (document.title, document.author) == (title, author)
    stated = replace(_document(f"Home\n\n{_EN}"), title="Known", author="B. Other")
    assert [(each.title, each.author) for each in C4(min_sentences=4).apply([stated]).documents if each] == [
        ("Known", "B. Other")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "守灯塔的人独自过了一年。",
        "他说：“灯还亮着！”",
        "船長は塔の中で本を読んでいた。」",
        "यह दीपक रात भर जलता रहा।",
        "هل كان المصباح مضاءً؟",
    ],
)
def test_c4_keeps_lines_that_end_in_any_language(line: str) -> None:
    """In an English document, and their sentences count."""
    text = f"{_EN}\n{line}"
    assert [each.text for each in C4(min_sentences=7).apply([_document(text)]).documents if each] == [text]
    assert _reason(C4(min_sentences=8), text) == "c4: fewer than 8 sentences"
    cut = C4().apply([_document(f"{_EN} So it was.\n{line[:-1].rstrip('！。')}，")]).documents[0]
    assert cut
    assert cut.text == f"{_EN} So it was."


def test_c4_chinese_lines() -> None:
    page = f"首页 产品\n{_ZH}\n版权所有：京ICP备12345678号。\n好的。\n“那就这样吧。”\n" + "灯" * 1500 + "。"
    document = C4().apply([_document(page, "zh")]).documents[0]
    assert document
    assert document.text == f"{_ZH}\n“那就这样吧。”\n" + "灯" * 1500 + "。"
    assert _reason(C4(zh_min_sentences=2), _POEM, "zh") == ""


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("\n".join(_EN.split(" and ")) + "\nmore\nlines" * 6, "en", "fewer than 12 % of the lines end a sentence"),
        ("Yes, I see.\n" * 2 + "No. Never.\n" + _EN, "en", "more than 67 % of the lines have at most 30 characters"),
        (f"{_EN}\n{_EN[:90]}\nAnd.\n{_EN[:90]}", "en", "more than 1 % of the characters are in repeated lines"),
        ("The lamp at dusk, by the sea..\n\n\n" * 1 + "The end of the long, long, long story.", "en", ""),
        ("\n\n\n\n".join(_EN.split(". ")) + "\n" * 20, "en", "more than 0.3 line ends a word"),
        ("首页。\n产品。\n联系。\n" + _ZH, "zh", "more than 67 % of the lines have at most 10 characters"),
        (_POEM, "zh", ""),
    ],
)
def test_fineweb(text: str, language: str, reason: str) -> None:
    assert _reason(FineWeb(), text, language) == (f"fineweb: {reason}" if reason else "")


def test_dialogue_ends_sentences_unless_as_in_finewebs_code() -> None:
    text = "\n".join(f"“The lamp number {n} burns by the sea tonight.”" for n in range(9))
    assert _reason(FineWeb(), text) == ""
    assert _reason(FineWeb(closing_quotes=False), text).endswith("of the lines end a sentence")


@given(st.lists(st.text(st.sampled_from("aB.…\n \u3000-。灯9"), max_size=30), max_size=4))
def test_lines_are_those_of_python(texts: list[str]) -> None:
    found = Measures(texts)
    first, last = found.edges
    lines = [line for text in texts for line in text.split("\n")]
    assert len(lines) == len(found.starts)
    for n, line in enumerate(lines):
        assert bool(found.filled[n]) == bool(line.strip())
        if line.strip():
            assert chr(found.words.codes[first[n]]) == line.strip()[0]
            assert chr(found.words.codes[last[n]]) == line.strip()[-1]
    assert len(found.tokens[0]) == sum(len(text.split()) for text in texts)
    assert found.tokens[1].tolist() == [len(token) for text in texts for token in text.split()]


@pytest.mark.parametrize("step", _STEPS, ids=lambda step: step.name)
def test_a_document_meets_the_same_verdict_in_any_batch(step: LocalStep) -> None:
    rng = random.Random(1)
    batch = [
        _document("\n".join(rng.choices([_EN, _ZH, "Yes.", "menu", "- item", "", "a [1] b {", "好的……"], k=6)), tag)
        for tag in rng.choices(["en", "zh", "fr"], k=40)
    ] + [_document("", "zh"), _document("\n \n", "en")]
    together = step.apply(batch)
    assert together == step.apply(batch)
    for n, document in enumerate(batch):
        alone = step.apply([document])
        assert alone.documents == [together.documents[n]]
        assert alone.notes == [(0, note) for place, note in together.notes if place == n]
    assert any(note.dropped for _, note in together.notes)


@pytest.mark.parametrize("step", _STEPS, ids=lambda step: step.name)
def test_every_setting_is_described(step: LocalStep) -> None:
    assert set(descriptions(type(step))) - {"name"} == {field.name for field in fields(step)}  # type: ignore[arg-type]
