import numpy as np
import pytest
from fake_lm import UnigramModel, document

from daneel.evaluate.voice import compare, measure, opening_words

# Two hands: one writes with these letters, one with those.
random = np.random.default_rng(0)


def text(letters: str, paragraphs: int) -> str:
    words = lambda: "".join(random.choice(list(letters), 5))  # noqa: E731
    return "\n\n".join(" ".join(words() for _ in range(50)) for _ in range(paragraphs))


AUTHOR, STRANGER = [document(text("abcde", 15))], [document(text("vwxyz", 15))]
BASE = UnigramModel("abcde vwxyz")
SCORES = measure(BASE, AUTHOR, STRANGER)


def judge(favourite: str, **changes):
    return compare(SCORES, measure(UnigramModel(favourite), AUTHOR, STRANGER), **changes)


def test_a_model_that_took_to_the_author_alone_has_learned():
    voice = judge("abcde " * 3 + "vwxyz ")
    assert voice.tuning.author.low > 0
    assert voice.tuning.stranger.high < 0
    assert voice.tuning.headline.low > 0
    assert voice.learned
    assert voice.sentence.startswith("The voice was learned: the author gained more than the stranger (+")


def test_an_equal_gain_on_both_is_not_the_voice():
    both = UnigramModel("abcdevwxyz  ")
    voice = compare(measure(UnigramModel(), AUTHOR, STRANGER), measure(both, AUTHOR, STRANGER))
    assert voice.tuning.author.low > 0
    assert voice.tuning.stranger.low > 0
    assert not voice.learned
    assert voice.sentence.startswith("The voice was not learned: the interval includes 0 (")


def test_the_stranger_may_gain_more():
    voice = judge("abcde " + "vwxyz " * 3)
    assert not voice.learned
    assert "the stranger gained more than the author (−" in voice.sentence


def test_the_headline_is_the_difference_of_the_gains():
    tuning = judge("abcde " * 2 + "vwxyz ").tuning
    assert tuning.headline.value == pytest.approx(tuning.author.value - tuning.stranger.value)


def test_few_paragraphs_cannot_tell():
    few = [document("\n\n".join(AUTHOR[0].text.split("\n\n")[:4]))]
    base, tuned = measure(BASE, few, STRANGER), measure(UnigramModel("abcde"), few, STRANGER)
    voice = compare(base, tuned)
    assert voice.tuning.headline.low > 0
    assert not voice.learned
    assert "4 held-out paragraphs are too few" in voice.sentence


def test_one_paragraph_cannot_tell_either():
    one = [document(AUTHOR[0].text.split("\n\n")[0])]
    assert not compare(measure(BASE, one, STRANGER), measure(UnigramModel("abcde"), one, STRANGER)).learned


def test_without_a_stranger_nothing_is_claimed():
    voice = compare(measure(BASE, AUTHOR), measure(UnigramModel("abcde"), AUTHOR))
    assert voice.tuning.author.low > 0
    assert voice.tuning.headline is None
    assert not voice.learned
    assert "cannot be told" in voice.sentence


def test_the_prompt_is_measured_beside_the_training():
    prompted = measure(UnigramModel("abcde " * 2 + "vwxyz "), AUTHOR, STRANGER, "A prompt")
    voice = judge("abcde " * 4 + "vwxyz ", prompted=prompted)
    assert voice.prompting.headline.low > 0
    assert voice.over_prompt.value == pytest.approx(voice.tuning.author.value - voice.prompting.author.value)
    assert judge("abcde").over_prompt is None


def test_correlation_of_neighbours_is_within_documents():
    class Drifting(UnigramModel):
        """Gains more and more through a document."""

        def score(self, context, continuation):
            scored = super().score(context, continuation)
            return type(scored)(scored.tokens, scored.logprobs * np.linspace(1.0, 0.5, len(scored.logprobs)))

    # Short enough to be read in one pass. Across the border the gain falls back: not a pair of neighbours.
    drifting = [document(AUTHOR[0].text[:1900])] * 2
    base = measure(UnigramModel("abcde ", context=3000), drifting)
    assert compare(base, measure(Drifting("abcde ", context=3000), drifting)).neighbours > 0.95
    assert abs(judge("abcde " * 2 + "vwxyz ").neighbours) < 0.6


def test_opening_words_counts_words_and_chinese_characters():
    documents = [document("One two, three."), document("Four five six seven.")]
    assert opening_words(documents, 5) == "One two, three\n\nFour five"
    assert opening_words(documents, 100) == "One two, three\n\nFour five six seven"
    assert len(opening_words([document("公" * 5000)])) == 1600
