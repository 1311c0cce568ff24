"""The questions before and after."""

from fake_lm import UnigramModel, document

from daneel.evaluate.exam import PAGE, PROMPTS, fitting_words, make_exam

SHORT = "Dusk came over the water, and nobody wrote it down. " * 5
LONG = "The lamp was lit at dusk, and the keeper wrote it down in the book of the light. " * 5
CHINESE = "灯塔的看守人在黄昏时点亮了灯，把这件事写进了日志。海上没有风，也没有船。" * 6


def test_the_passage_is_the_first_of_a_size_to_look_at_with_what_stands_before_it() -> None:
    story = document(f"{SHORT}\n\n{LONG}\n\n{SHORT}\n\n")
    context, shown = make_exam([story], [story], [], 40_000, None).passage
    assert (context, shown) == (f"{SHORT}\n\n", LONG.rstrip())


def test_the_passage_of_a_text_without_one_of_that_size_is_its_beginning() -> None:
    story = document(f"{SHORT}\n\n")
    assert make_exam([story], [story], [], 40_000, None).passage == ("", SHORT.rstrip())


def test_context_of_the_passage_is_a_page_at_most() -> None:
    story = document("".join(f"{SHORT}\n\n" for _ in range(40)) + LONG)
    context, _ = make_exam([story], [story], [], 40_000, None).passage
    assert len(context) == PAGE


def test_every_document_gives_its_beginning() -> None:
    stories = [document(f"{SHORT}\n\n" * 40) for _ in range(3)]
    exam = make_exam(stories, stories, stories[:1], 9_000, None)
    assert [2_000 < len(d.text.encode()) <= 3_000 for d in exam.author] == [True] * 3
    assert len(exam.stranger) == 1


def test_the_prompt_follows_the_language_unless_it_is_given() -> None:
    chinese = document(CHINESE, "zh")
    assert make_exam([chinese], [chinese], [], 40_000, None).prompt == PROMPTS["zh"]
    assert make_exam([chinese], [chinese], [], 40_000, "灯").prompt == "灯"


def test_fewer_words_are_given_to_a_model_with_little_room() -> None:
    words, opening = fitting_words(UnigramModel(context=400), [document(LONG * 20)])
    assert words == 31
    assert len(opening) <= 200
