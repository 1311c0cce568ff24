"""`daneel.pipeline` gives the shapes that Transformers gives."""

import warnings

import pytest
from tiny import tiny_model

import daneel
from daneel.errors import UsageError
from daneel.lm.local import LocalModel

CHAT = [{"role": "user", "content": "lamp?"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("pipeline") / "tiny")


@pytest.fixture(scope="module")
def generator(folder):
    return daneel.pipeline("text-generation", model=LocalModel(folder, dtype="float32"), max_new_tokens=8)


def test_greedy_equals_transformers(folder, generator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import transformers

        theirs = transformers.pipeline("text-generation", model=str(folder), device="cpu", dtype="float32")

        def run(inputs, **more):
            return theirs(inputs, do_sample=False, max_new_tokens=8, **more)

        for inputs in ("The lamp was", ["The lamp", "In 2042"], CHAT, [CHAT, CHAT]):
            assert generator(inputs, do_sample=False) == run(inputs)
            assert generator(inputs, do_sample=False, return_full_text=False) == run(inputs, return_full_text=False)


def test_several_answers_to_each(generator):
    single = generator("The lamp", num_return_sequences=3, seed=5, temperature=1.5)
    assert len(single) == 3
    assert all(record["generated_text"].startswith("The lamp") for record in single)
    assert len({record["generated_text"] for record in single}) > 1
    assert generator("The lamp", num_return_sequences=3, seed=5, temperature=1.5) == single
    # The second answer is what the next seed gives.
    assert generator("The lamp", seed=6, temperature=1.5) == single[1:2]
    grouped = generator(["The lamp", "In 2042"], num_return_sequences=2, seed=5, temperature=1.5)
    assert [len(group) for group in grouped] == [2, 2]
    assert grouped[0] == single[:2]


def test_stop_strings_are_not_part_of_the_text(generator):
    free = generator("The lamp", do_sample=False, return_full_text=False)[0]["generated_text"]
    stop = free[2:4]
    cut = generator("The lamp", do_sample=False, return_full_text=False, stop_strings=stop)
    assert cut[0]["generated_text"] == free[: free.index(stop)]


def test_an_answer_that_was_begun_is_continued(generator):
    begun = [*CHAT, {"role": "assistant", "content": "It"}]
    ((record),) = generator(begun, do_sample=False)
    assert [message["role"] for message in record["generated_text"]] == ["user", "assistant"]
    assert record["generated_text"][1]["content"].startswith("It")


def test_wrong_calls_name_the_choices(generator):
    with pytest.raises(UsageError, match="text-generation"):
        daneel.pipeline("text-to-speech")
    with pytest.raises(UsageError, match="max_new_tokens"):
        generator("a", max_tokens=3)
    with pytest.raises(UsageError, match="num_return_sequences"):
        generator("a", do_sample=False, num_return_sequences=2)
    for wrong in ([], 3, [3], [{"role": "user"}], [["a"]]):
        with pytest.raises(UsageError, match="takes a text"):
            generator(wrong)
