import math

import numpy as np
import pytest
from fake_lm import Rewriting, UnigramModel, document
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_model

from daneel.errors import DataError, ModelError
from daneel.evaluate.likelihood import MARGIN, evaluate, first_bytes, windows
from daneel.evaluate.paragraphs import paragraphs
from daneel.lm.base import Capabilities

STORY = "".join(f"On day {i} the great lamp burned clean, and Jory had his tea. " * 5 + "\n\n" for i in range(12))
CHINESE = "".join(f"第{i}天，大灯烧得很干净，老人喝了{'一' * i}杯茶。" * 8 + "\n" for i in range(10))


@pytest.mark.parametrize("text", [STORY, CHINESE])
def test_scores_are_those_reckoned_by_hand(text):
    lm = UnigramModel(text)
    scores = evaluate(lm, [document(text)])
    nats = -sum(map(lm.logprob, text))
    assert scores.n_bytes == len(text.encode())
    assert scores.n_tokens == len(text)
    assert scores.cross_entropy.value == pytest.approx(nats / len(text), rel=1e-6)
    assert scores.perplexity.value == pytest.approx(math.exp(nats / len(text)), rel=1e-6)
    assert scores.bits_per_byte.value == pytest.approx(nats / math.log(2) / len(text.encode()), rel=1e-6)
    for e in (scores.cross_entropy, scores.perplexity, scores.bits_per_byte):
        assert e.low < e.value < e.high
    assert scores.perplexity.low == pytest.approx(math.exp(scores.cross_entropy.low))


def test_each_paragraph_has_its_own_bits():
    lm = UnigramModel("the lamp burned")
    scores = evaluate(lm, [document(STORY), document(STORY[:700])])
    assert [p.text for p in scores.paragraphs] == paragraphs(STORY) + paragraphs(STORY[:700])
    assert {p.document for p in scores.paragraphs} == {0, 1}
    for p in scores.paragraphs:
        assert p.tokens == len(p.text)
        assert p.bits == pytest.approx(-sum(map(lm.logprob, p.text)) / math.log(2), rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.sampled_from("ab é公。 \n"), min_size=1, max_size=1500),
    st.integers(60, 300),
    st.sampled_from(["", "A prompt."]),
)
def test_windows_fit_cover_and_have_context(text, context, prompt):
    lm = UnigramModel(context=context)
    pairs = list(windows(lm, text, prompt))
    assert "".join(fresh for _, fresh in pairs) == text
    done = ""
    for before, fresh in pairs:
        assert fresh
        assert len(before) + len(fresh) <= context - MARGIN
        assert before.startswith(prompt)
        own = before.removeprefix(prompt + "\n\n") if prompt else before
        assert done.endswith(own)
        # A quarter of the room, but for what does not fit a whole piece.
        room = context - MARGIN - (len(prompt) + 2 if prompt else 0)
        assert not done or len(own) > room // 4 - room // 8 - 1
        done += fresh


def test_a_document_that_fits_is_read_in_one_pass():
    lm = UnigramModel(context=4000)
    evaluate(lm, [document(STORY[:1500]), document(STORY[:900])])
    assert lm.asked == [("", STORY[:1500]), ("", STORY[:900])]


def test_long_texts_cost_at_most_half_more_than_their_length():
    lm = UnigramModel(context=400)
    evaluate(lm, [document(STORY)])
    assert sum(len(c) + len(f) for c, f in lm.asked) < 1.5 * len(STORY)


def test_cuts_fall_between_words():
    lm = UnigramModel(context=300)
    for _, fresh in windows(lm, STORY):
        assert fresh[0] in " O"


def test_every_window_begins_with_the_prompt():
    lm = UnigramModel(context=300)
    evaluate(lm, [document(STORY)], prompt="The Keeper writes.")
    assert all(context.startswith("The Keeper writes.\n\n") for context, _ in lm.asked)


def test_a_prompt_that_leaves_no_room_is_an_error():
    with pytest.raises(ModelError, match="reads 100 tokens at a time, too few for a prompt of 92"):
        evaluate(UnigramModel(context=100), [document(STORY)], prompt="p" * 90)


def test_progress_counts_every_byte():
    done = []
    evaluate(UnigramModel(context=200), [document(CHINESE)], progress=done.append)
    assert sum(done) == len(CHINESE.encode())
    assert len(done) > 1


def test_a_token_that_begins_in_the_context_is_mapped_by_its_end():
    first, second = paragraphs(STORY)[:2]

    def tokens(context: str, text: str) -> list[bytes]:
        raw = text.encode()
        return [context[-1:].encode() + raw[:1], *(raw[i : i + 1] for i in range(1, len(raw)))]

    scores = evaluate(Rewriting(tokens, context=300), [document(first + second)])
    assert [p.tokens for p in scores.paragraphs] == [len(first), len(second)]


def test_tokens_of_half_characters_and_over_borders_are_counted_once():
    a, b = "公" * 80 + "\n\n", "元" * 80

    def tokens(context: str, text: str) -> list[bytes]:
        raw = text.encode()
        return [raw[i : i + 7] for i in range(0, len(raw), 7)]

    scores = evaluate(Rewriting(tokens, context=1000), [document(a + b)])
    assert [p.bytes for p in scores.paragraphs] == [242, 240]
    # 35 tokens begin before byte 242, the last of them at 238.
    assert [p.tokens for p in scores.paragraphs] == [35, 34]
    assert sum(p.bits for p in scores.paragraphs) == pytest.approx(69)


def test_a_tokenizer_that_rewrites_the_text_is_stretched_to_it():
    a, b = "e\u0301" * 100 + "\n\n", "e\u0301" * 100
    lm = Rewriting(lambda _, text: [c.encode() for c in text.replace("e\u0301", "é")], context=1000)
    scores = evaluate(lm, [document(a + b)])
    assert [p.tokens for p in scores.paragraphs] == [102, 100]
    assert scores.n_bytes == len((a + b).encode())


def test_nothing_to_score_is_an_error():
    with pytest.raises(DataError, match="no text to score"):
        evaluate(UnigramModel(), [document("")])


def test_a_model_without_probabilities_is_an_error():
    lm = UnigramModel()
    lm.capabilities = Capabilities(score=False)
    with pytest.raises(ModelError, match="does not give the probability"):
        evaluate(lm, [document(STORY)])


def test_first_bytes_keeps_whole_paragraphs_in_order():
    a, b, c = paragraphs(STORY)[:3]
    documents = [document(a + b), document(c)]
    assert [d.text for d in first_bytes(documents, len(a))] == [a]
    assert [d.text for d in first_bytes(documents, len(a + b + c) - 1)] == [a + b]
    assert [d.text for d in first_bytes(documents, len(a + b + c))] == [a + b, c]
    assert [d.text for d in first_bytes(documents, 1)] == [a]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    from daneel.lm.local import LocalModel

    return LocalModel(tiny_model(tmp_path_factory.mktemp("model")), "tiny", "float32")


def test_a_real_model_gives_the_sum_of_its_token_probabilities(local):
    from daneel.model.likelihood import Reader

    text = "The lamp burned clean. 公元2042年。"
    ids = local.encode("") + local.tokenizer.encode(text)
    assert len(ids) < local.context
    expected = -float(np.sum(Reader(local.model).logprobs(ids), dtype=np.float64))
    scores = evaluate(local, [document(text)])
    assert scores.n_tokens == len(ids) - 1
    assert scores.cross_entropy.value == pytest.approx(expected / (len(ids) - 1), rel=1e-4)
    assert scores.bits_per_byte.value == pytest.approx(expected / math.log(2) / len(text.encode()), rel=1e-4)


def test_a_real_model_reads_a_long_text_once(local):
    text = STORY[:900] + CHINESE[:200]
    scores = evaluate(local, [document(text)])
    count = len(local.tokenizer.encode(text))
    assert count > 3 * local.context
    assert abs(scores.n_tokens - count) <= 0.01 * count
    assert scores.n_bytes == len(text.encode())
