from pathlib import Path

from daneel.corpus.document import Document
from daneel.corpus.facts import facts
from daneel.corpus.pipeline import Batch
from daneel.corpus.statistics import measure


def batch(*texts: str) -> Batch:
    documents = [Document(text, "", "", "", "", "", "") for text in texts]
    return Batch(Path("x"), sizes=[len(text.split()) for text in texts], statistics=measure(documents))


def told(*texts: str, key: str) -> dict[str, int]:
    return {text: count for count, text in facts([batch(*texts)])["frequent"][key]}


def test_lengths_and_scripts_of_all_batches():
    found = facts([batch("one two three", "one"), Batch(Path("y")), batch("灯塔 a")])
    assert found["lengths"]["words"] == {"0": 1, "10": 1, "25": 1, "50": 2, "75": 2, "90": 2, "100": 3}
    assert found["lengths"]["bins"][:2] == [1, 2]
    assert list(found["scripts"].items()) == [("Latin", 15), ("white space", 3), ("Chinese", 2)]
    assert found["characters"] == 20


def test_counting_twice_gives_the_same():
    batches = [batch("she was strong " * 9), batch("he was strong " * 9)]
    assert facts(batches) == facts(batches)


def test_words_without_function_words():
    assert told("the lamp, and us through the Lamp. 42 42", key="words") == {"lamp": 2}


def test_phrases_stand_between_words_that_tell_something():
    text = "the time machine of Captain Nemo. Nemo saw the machine. "
    assert told(text * 2, key="phrases").keys() == {
        "time machine of captain",
        "machine of captain nemo",
        "nemo saw the machine",
    }
    # Over the end of a clause is no phrase, and a part of a longer one is none of its own.
    assert told("the red lamp. green door; red lamp, " * 3, key="phrases") == {"red lamp": 6, "green door": 3}


def test_chinese_runs_and_what_they_are_part_of():
    found = told("多九公道：“好灯塔。”多九公了，九公了，" * 3, key="chinese")
    assert found["多九公"] == 6
    assert found["九公"] == 9
    assert "多九" not in found
    assert "九公道" not in found
    assert not told("他自己的时候。" * 5, key="chinese")
