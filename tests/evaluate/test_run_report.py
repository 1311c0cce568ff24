import json
import re
from dataclasses import replace

import pytest
from fake_lm import UnigramModel, document

from daneel.charts import HeatMap
from daneel.config import duration
from daneel.evaluate.copying import compare_copying
from daneel.evaluate.run_report import Findings, likelihood_summary, write_report
from daneel.evaluate.voice import compare, measure
from daneel.interpret.surprise import surprise

TEXT = "\n\n".join(f"On day {i} the great lamp burned clean. " * (6 + i % 3) for i in range(14))
OTHER = "\n\n".join(f"Jim drove {i} hours for lunch, why not. " * (6 + i % 4) for i in range(14))
COPIED = TEXT[: TEXT.index(".", 60)]
BEFORE, AFTER = ["one <b>", "two"], ["eins", f"zwei — {COPIED.upper()} and new"]
BASE, TUNED = UnigramModel(TEXT + OTHER, name="base"), UnigramModel(TEXT, name="tuned")


@pytest.fixture
def found():
    author, stranger = [document(TEXT)], [document(OTHER)]
    voice = compare(
        measure(BASE, author, stranger),
        measure(TUNED, author, stranger),
        measure(BASE, author, stranger, "Day"),
    )
    return Findings(
        title="The keeper", base="base", author="Keeper", stranger="Jim", language="en", voice=voice,
        prompt="The year is 2042.", prompt_words=640, before=BEFORE, after=AFTER,
        copying=compare_copying([document(TEXT)], BEFORE, AFTER, [TEXT], [OTHER]),
        surprise=[surprise(BASE, "On day", label="Before"), surprise(TUNED, "On day", label="After")],
        attention=[HeatMap("Layer 2 of 2", ["a", "b"], ["a", "b"], [[1, 0], [0.5, 0.5]])],
        settings={"Rank": "16"}, machine={"Processor": "two cores"},
        seconds={"trained": 185.0, "measured": 61.0},
        versions={"daneel": "0.1.0"},
    )  # fmt: skip


@pytest.fixture
def run(tmp_path):
    (tmp_path / "daneel").mkdir()
    rows = [{"step": i, "loss": 4 - i / 10, "lr": 1e-4} for i in range(1, 11)] + [{"step": 10, "heldout": 3.4}]
    (tmp_path / "daneel" / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def _text(page: str) -> str:
    return re.sub("<[^>]*>", " ", page.split("<main>")[1])


def test_everything_found_is_on_the_page(run, found):
    write_report(run, found)
    page = (run / "report.html").read_text("utf-8")
    text = _text(page)
    for words in (
        "The keeper", found.voice.sentence, "one &lt;b&gt;", "two", "eins", "zwei", "Seed 1", "Seed 2",
        "held-out text", "Base model, prompted", "Layer 2 of 2", "Rank", "two cores", "3 min 05 s",
        "with 640 words of the author", "1 min 01 s", "0.1.0", "The author’s held-out text",
        "The longest copied passage",
    ):  # fmt: skip
        assert words in text, words
    assert text.index("one &lt;b&gt;") < text.index("eins") < text.index("two ") < text.index("zwei —")
    assert page.count('<polyline class="line') >= 2
    assert len(page) < 200_000


def test_the_numbers_are_in_the_json_too(run, found):
    facts = write_report(run, found)
    text = (run / "daneel" / "report.json").read_text("utf-8")
    assert json.loads(text) == json.loads(json.dumps(facts, allow_nan=False))
    assert facts["learned"] is True
    assert facts["headline"]["low"] > 0
    assert facts["scores"]["tuned"]["author"]["bits_per_byte"] < facts["scores"]["base"]["author"]["bits_per_byte"]
    assert facts["scores"]["prompted"]["stranger"]["n_paragraphs"] == len(found.voice.base.stranger.paragraphs)
    assert facts["copied_8grams"]["after"]["share"] == pytest.approx(9 / 12)
    assert facts["copied_8grams"]["after"]["longest_units"] == 16
    assert facts["samples"] == {"prompt": "The year is 2042.", "before": BEFORE, "after": AFTER}


def test_copied_parts_are_marked_with_their_source(run, found):
    facts = write_report(run, found)
    assert facts["copied_spans"]["before"] == [[], []]
    none, (span,) = facts["copied_spans"]["after"]
    assert none == []
    assert AFTER[1][span["start"] : span["end"]] == COPIED.upper()
    assert span["passage"]["copied"] == COPIED
    assert (span["passage"]["source"], span["passage"]["units"]) == ("memory", 16)
    page = (run / "report.html").read_text("utf-8")
    assert f'zwei — <mark class="copied" data-p="1: Untitled (memory)">{COPIED.upper()}</mark><sup>1</sup> and' in page
    assert f'<li><cite>Untitled (memory)</cite> <span lang="en">… <mark>{COPIED}</mark>' in page
    assert "All else is new" in page


def test_samples_that_copy_nothing_are_said_to_be_new(run, found):
    new = compare_copying([document(TEXT)], BEFORE, BEFORE, [TEXT], [OTHER])
    write_report(run, replace(found, copying=new))
    page = (run / "report.html").read_text("utf-8")
    assert "All of it is new" in page
    assert "<mark" not in page


def test_a_passage_that_is_copied_twice_has_one_footnote(run, found):
    twice = compare_copying([document(TEXT)], BEFORE, [AFTER[1], AFTER[1]], [TEXT], [OTHER])
    write_report(run, replace(found, after=[AFTER[1], AFTER[1]], copying=twice))
    page = (run / "report.html").read_text("utf-8")
    assert page.count('<mark class="copied"') == page.count("<sup>1</sup>") == 2
    assert page.count("<li>") == 1


def test_what_was_not_learned_is_said_first(run, found):
    author, stranger = [document(TEXT)], [document(OTHER)]
    same = compare(measure(BASE, author, stranger), measure(BASE, author, stranger))
    assert not write_report(run, replace(found, voice=same))["learned"]
    page = (run / "report.html").read_text("utf-8")
    assert 'class="verdict no"' in page
    assert "The voice was not learned: the interval includes 0" in page.split("<h2>")[0]


def test_without_stranger_log_samples_or_maps_the_rest_stands(tmp_path, found):
    author = [document(TEXT)]
    alone = compare(measure(BASE, author), measure(TUNED, author))
    copying = compare_copying([document(TEXT)], [], [], [TEXT])
    bare = replace(
        found,
        voice=alone,
        stranger="",
        before=[],
        after=[],
        copying=copying,
        surprise=[],
        attention=[],
        seconds={},
    )
    facts = write_report(tmp_path, bare)
    text = _text((tmp_path / "report.html").read_text("utf-8"))
    assert facts["headline"] is None
    assert facts["scores"]["base"]["stranger"] is None
    assert facts["copied_8grams"]["stranger"] is None
    assert "cannot be told" in text
    for heading in ("How it learned", "Before and after", "What surprises it", "What it looks at"):
        assert heading not in text


def test_summary_gives_numbers_at_the_names_that_others_rely_on(found):
    scores = found.voice.base.author
    facts = likelihood_summary(scores)
    assert facts["bits_per_byte"] == scores.bits_per_byte.value
    assert facts["intervals"]["perplexity"]["low"] < facts["perplexity"] < facts["intervals"]["perplexity"]["high"]
    assert (facts["n_tokens"], facts["n_bytes"]) == (len(TEXT), len(TEXT))


def test_correlated_paragraphs_are_said_to_narrow_the_interval(run, found):
    for correlation, words in ((-0.2, "can be taken as they are"), (0.36, "about 1.5 times as wide")):
        write_report(run, replace(found, voice=replace(found.voice, neighbours=correlation)))
        assert words in (run / "report.html").read_text("utf-8")


def test_durations():
    assert [duration(s) for s in (0.4, 59.4, 61, 3599.9, 7800)] == [
        "0 s",
        "59 s",
        "1 min 01 s",
        "1 h 00 min",
        "2 h 10 min",
    ]
