"""The engine on small random models: the tokens of Transformers, alone and in a batch."""

import warnings

import numpy as np
import pytest
import torch
from tiny import tiny_model

from daneel.generate.engine import Engine, Job
from daneel.generate.sampling import Sampling
from daneel.generate.torch_backend import TorchBackend
from daneel.model.load import load_model
from daneel.tokenizer.load import Tokenizer

GREEDY = Sampling(temperature=0)
LENGTHS = (1, 3, 17, 40, 9)


def prompts(seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(3, 400, length).tolist() for length in LENGTHS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def parts(folder):
    return TorchBackend(load_model(folder, "float32")), Tokenizer.load(folder)


def tokens_of(parts, jobs, slots):
    out = [[] for _ in jobs]
    for chunk in Engine(*parts, slots, 128).run(jobs):
        out[chunk.request] += [sampled.token for sampled in chunk.tokens]
    return out


@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen3", "gemma3"])
def test_greedy_equals_transformers(tmp_path, family):
    folder = tiny_model(tmp_path, family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import AutoModelForCausalLM

        theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        expected = []
        for ids in prompts():
            out = theirs.generate(
                torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids)),
                do_sample=False,
                max_new_tokens=20,
                eos_token_id=2,
            )
            expected.append(out[0, len(ids) :].tolist())
    parts = TorchBackend(load_model(folder, "float32")), Tokenizer.load(folder)
    jobs = [Job(ids, GREEDY, 20) for ids in prompts()]
    assert tokens_of(parts, jobs, slots=5) == expected
    # Fewer slots than requests: the later ones join as others leave.
    assert tokens_of(parts, jobs, slots=2) == expected


def test_alone_as_in_a_batch(parts):
    jobs = [
        Job(ids, Sampling(seed=7, temperature=1.0, repetition_penalty=1.2, top_k=0), 5 + 9 * n)
        for n, ids in enumerate(prompts(1))
    ]
    alone = [tokens_of(parts, [job], 1)[0] for job in jobs]
    assert tokens_of(parts, jobs, 5) == alone
    assert tokens_of(parts, jobs[::-1], 3) == alone[::-1]


def test_logprobs_equal_a_pass_without_a_cache(parts):
    backend, tokenizer = parts
    ids = prompts()[2]
    (chunks,) = [list(Engine(backend, tokenizer, 1, 64).run([Job(ids, Sampling(seed=3), 10, top_logprobs=2)]))]
    sampled = [token for chunk in chunks for token in chunk.tokens]
    written = [token.token for token in sampled]
    rows = backend.model(torch.tensor([ids + written]))[0, len(ids) - 1 : -1].log_softmax(-1)
    for row, token in zip(rows, sampled, strict=True):
        assert token.logprob == pytest.approx(row[token.token].item(), abs=1e-4)
        assert token.top[0][1] == pytest.approx(row.max().item(), abs=1e-4)


def test_the_end_token_stops_and_is_not_text(parts):
    # Made certain by a bias: 2 is <|im_end|>, 0 a special token that does not end the text.
    ended = list(Engine(*parts, 1, 64).run([Job([5, 6], Sampling(logit_bias={2: 1e4}), 9)]))
    assert [(c.text, c.tokens[0].token, c.finish_reason) for c in ended] == [("", 2, "stop")]
    hidden = list(Engine(*parts, 1, 64).run([Job([5, 6], Sampling(logit_bias={0: 1e4}), 3)]))
    assert [(c.text, c.finish_reason) for c in hidden] == [("", None), ("", None), ("", "length")]


def test_stop_strings_across_tokens(parts):
    _, tokenizer = parts
    ids = [tokenizer.encode(c)[0] for c in "abc"]
    # A model of one habit would be needed for real text; a bias per step does the same.
    job = Job([5], Sampling(temperature=0, logit_bias={ids[0]: 1e4}), 9, stop=("aaa",))
    chunks = list(Engine(*parts, 1, 64).run([job]))
    assert [c.text for c in chunks] == ["", "", ""]
    assert chunks[-1].finish_reason == "stop"
    job = Job([5], Sampling(temperature=0, logit_bias={ids[0]: 1e4}), 4, stop=("ab", "aaaaaa"))
    chunks = list(Engine(*parts, 1, 64).run([job]))
    assert "".join(c.text for c in chunks) == "aaaa"
    assert chunks[-1].finish_reason == "length"


def test_cancel_of_running_and_waiting_requests(parts):
    engine = Engine(*parts, 2, 64)
    for ids in prompts()[:3]:
        engine.submit(Job(ids, Sampling(seed=1, logit_bias={2: -1e4}), 20))
    engine.step()
    assert [c.finish_reason for c in engine.cancel(0)] == ["cancelled"]
    assert [c.finish_reason for c in engine.cancel(2)] == ["cancelled"]
    assert engine.cancel(0) == []
    rest = []
    while engine.busy:
        rest += engine.step()
    assert {chunk.request for chunk in rest} == {1}
    assert len(rest) == 19
    assert rest[-1].finish_reason == "length"


def test_a_closed_iterator_cancels(parts):
    engine = Engine(*parts, 2, 64)
    chunks = engine.run([Job(ids, Sampling(seed=1), 20) for ids in prompts()[:3]])
    next(chunks)
    chunks.close()
    assert not engine.busy


def test_a_request_can_join_while_others_run(parts):
    ids = prompts()
    alone = tokens_of(parts, [Job(ids[3], GREEDY, 8)], 1)[0]
    engine = Engine(*parts, 2, 64)
    engine.submit(Job(ids[0], Sampling(seed=1, logit_bias={2: -1e4}), 20))
    engine.step()
    late = engine.submit(Job(ids[3], GREEDY, 8))
    found = []
    while engine.busy:
        found += [t.token for chunk in engine.step() if chunk.request == late for t in chunk.tokens]
    assert found == alone


def test_dry_breakers_come_from_the_vocabulary(parts):
    # "a" again and again: DRY ends the run unless "a" itself is a breaker.
    _, tokenizer = parts
    a = tokenizer.encode("a")[0]
    plain = Sampling(temperature=0, dry_multiplier=5.0, logit_bias={a: 60.0})
    free = Sampling(temperature=0, dry_multiplier=5.0, dry_sequence_breakers=("a",), logit_bias={a: 60.0})
    assert set(tokens_of(parts, [Job([5], plain, 20)], 1)[0]) != {a}
    assert set(tokens_of(parts, [Job([5], free, 20)], 1)[0]) == {a}
