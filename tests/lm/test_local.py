"""A model of this machine behind the one interface."""

import json

import numpy as np
import pytest
import torch
from tiny import tiny_model

from daneel.errors import ModelError, UsageError
from daneel.generate.sampling import Sampling
from daneel.lm.base import Generation, Request
from daneel.lm.local import LocalModel


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return LocalModel(tiny_model(tmp_path_factory.mktemp("lm") / "tiny"), dtype="float32")


def params(n=8, **sampling):
    return Generation(n, Sampling(**{"seed": 3, **sampling}))


def written(answers):
    """Without the log-probabilities, whose last digits depend on the batch."""
    return [(a.text, [sampled.token for sampled in a.tokens], a.finish_reason) for a in answers]


def test_a_batch_gives_each_request_what_it_gets_alone(model):
    requests = [
        Request("The lamp"),
        Request("公元2042年"),
        Request("In 2042 the Slow Fleet came home", seed=9),
    ]
    together = model.complete(requests, params(20))
    for request, answer in zip(requests, together, strict=True):
        assert written(model.complete([request], params(20))) == written([answer])
    assert model.complete([Request("The lamp", seed=4)], params(20))[0].text != together[0].text


def test_more_requests_than_slots(model):
    answers = model.complete([Request("The lamp", seed=n) for n in range(40)], params(6))
    assert len(answers) == 40
    assert written(model.complete([Request("The lamp", seed=39)], params(6))) == written(answers[39:])


def test_without_a_seed_texts_differ(model):
    answers = model.complete([Request("The lamp")] * 4, Generation(20, Sampling(temperature=2.0)))
    assert len({answer.text for answer in answers}) > 1


def test_a_prompt_beyond_the_context_is_an_error_with_both_lengths(model, capsys):
    long = "lamp " * 300
    count = model.count(long)
    assert count > 128
    with pytest.raises(ModelError, match=rf"the prompt has {count} tokens.* at most 128"):
        model.generate([Request(long)], params())
    with pytest.raises(ModelError, match=rf"prompt 2 has {count} tokens"):
        model.generate([Request("lamp"), Request(long)], params())


def test_a_text_that_would_pass_the_context_ends_at_it_and_says_so(model, capsys):
    prompt = "lamp " * 30
    count = model.count(prompt)
    assert count < 120
    (answer,) = model.complete([Request(prompt)], params(200, logit_bias={2: -1e4}))
    assert answer.finish_reason == "length"
    assert len(answer.tokens) == 128 - count
    said = capsys.readouterr().err
    assert f"{count} tokens" in said
    assert f"after {128 - count} of the 200" in said
    model.complete([Request("lamp")], params(3))
    assert capsys.readouterr().err == ""


def test_score_is_the_log_probability_of_each_token(model):
    context, continuation = "The lamp was lit", " at dusk, 灯塔"
    scored = model.score(context, continuation)
    assert b"".join(scored.tokens).decode() == continuation
    ids = model.tokenizer.encode(context + continuation)
    rows = model.model(torch.tensor([ids]))[0].log_softmax(-1)
    first = len(ids) - len(scored.tokens)
    expected = [rows[i - 1, ids[i]].item() for i in range(first, len(ids))]
    np.testing.assert_allclose(scored.logprobs, expected, atol=1e-4)


def test_score_without_context_follows_the_begin_token(model):
    scored = model.score("", "The lamp")
    ids = model.tokenizer.encode("The lamp")
    rows = model.model(torch.tensor([[1, *ids]]))[0].log_softmax(-1)
    np.testing.assert_allclose(scored.logprobs, [rows[i, id].item() for i, id in enumerate(ids)], atol=1e-4)
    assert len(model.score("The lamp", "").logprobs) == 0


def test_conversations_follow_the_template(model):
    messages = [{"role": "user", "content": "lamp?"}]
    text = "<|im_start|>user\nlamp?<|im_end|>\n<|im_start|>assistant\n"
    assert model.encode(messages) == model.tokenizer.encode(text, special=True)
    prefilled = [*messages, {"role": "assistant", "content": "The"}]
    assert model.encode(prefilled) == model.tokenizer.encode(text + "The", special=True)
    # A text is a text, also where it looks like a template.
    assert model.encode(text) != model.encode(messages)


def test_a_model_without_template_refuses_a_conversation(tmp_path):
    folder = tiny_model(tmp_path / "raw")
    config = json.loads((folder / "tokenizer_config.json").read_text())
    del config["chat_template"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    raw = LocalModel(folder)
    assert not raw.capabilities.chat
    with pytest.raises(ModelError, match="no chat template"):
        raw.generate([Request([{"role": "user", "content": "lamp?"}])], params())


def test_an_empty_prompt_begins_a_text(model):
    (answer,) = model.complete([Request("")], params(4))
    assert answer.tokens


def test_what_cannot_be_generated_names_the_flag(model):
    with pytest.raises(UsageError, match="-n must be"):
        Generation(0)
    with pytest.raises(UsageError, match="--stop"):
        Generation(5, stop=("",))
    with pytest.raises(UsageError, match="names token 400"):
        model.generate([Request("a")], params(logit_bias={400: 1.0}))


def test_unfit_for_chinese_is_said_with_a_model_that_fits(model, capsys):
    # The small vocabulary has learnt a few of these characters, but none of the others.
    assert model.warn_if_unfit("龙鳞飞舞鹏程万里")
    said = capsys.readouterr().err
    assert "tokens for a Chinese character" in said
    assert "gemma3" in said
    assert not model.warn_if_unfit("The lamp was lit at dusk.")
    assert not model.warn_if_unfit("A 龙 is a dragon.")
    assert capsys.readouterr().err == ""


def test_bfloat16_runs_and_names_itself(model):
    small = LocalModel(model.folder, dtype="bfloat16")
    assert small.backend == "torch (bfloat16)"
    assert model.backend == "torch (float32)"
    assert len(small.complete([Request("The lamp")], params(5, logit_bias={2: -1e4}))[0].tokens) == 5
