"""Greedy and beam search give the sequences and scores of Transformers."""

import pytest
import tiny
import torch

from daneel.errors import UsageError
from daneel.generate.beam import Beams, search
from daneel.generate.torch_backend import TorchBeams
from daneel.model.load import load_base

SOURCES = [[5, 9, 200, 31, 7, 2], [77, 12, 2], [300, 301, 302, 303, 304, 305, 306, 307, 2], [2]]


@pytest.fixture(scope="module", params=["marian", "t5-tied", "llama"])
def pair(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / request.param
    # Flat enough that beams compete, steep enough that some end by themselves.
    reference = tiny.reference(request.param, seed=4)
    if request.param == "llama":
        reference.generation_config.pad_token_id = 0
    reference.save_pretrained(folder)
    return reference, load_base(folder, torch.float32)


def theirs(reference, prompts, eos, **options):
    longest = max(map(len, prompts))
    if reference.config.is_encoder_decoder:
        ids = torch.tensor([prompt + [0] * (longest - len(prompt)) for prompt in prompts])
        mask = torch.tensor([[1] * len(prompt) + [0] * (longest - len(prompt)) for prompt in prompts])
        skip = 1
    else:
        ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        skip = longest
    out = reference.generate(
        input_ids=ids, attention_mask=mask, do_sample=False, return_dict_in_generate=True, output_scores=True,
        eos_token_id=eos, **options,
    )  # fmt: skip
    sequences = []
    for row in out.sequences[:, skip:].tolist():
        end = next((n + 1 for n, token in enumerate(row) if token in eos), len(row))
        sequences.append(row[:end])
    return sequences, getattr(out, "sequences_scores", None)


ENDS = list(range(2, 400, 3))
CASES = [
    {"num_beams": 1},
    {"num_beams": 4},
    {"num_beams": 3, "length_penalty": 0.0, "early_stopping": "never"},
    {"num_beams": 5, "length_penalty": 2.0, "early_stopping": True, "num_return_sequences": 3},
    {"num_beams": 4, "length_penalty": -1.0, "num_return_sequences": 4},
    {"num_beams": 2, "length_penalty": 1.5, "early_stopping": "never", "num_return_sequences": 2},
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("eos", [[2], ENDS], ids=["no ends", "many ends"])
def test_sequences_and_scores_equal_transformers(pair, case, eos):
    reference, model = pair
    length = 12
    want, scores = theirs(reference, SOURCES, eos, max_new_tokens=length, **case)
    settings = Beams(
        case["num_beams"], length, case.get("length_penalty", 1.0), case.get("early_stopping", False),
        case.get("num_return_sequences", 1),
        forced_eos=getattr(reference.generation_config, "forced_eos_token_id", None),
    )  # fmt: skip
    found = search(TorchBeams(model), SOURCES, settings, eos)
    assert [one.tokens for ways in found for one in ways] == want
    if len(eos) > 1 and case.get("length_penalty", 1.0) < 0:  # short ones win
        assert min(map(len, want)) < length
    if scores is not None:
        got = torch.tensor([one.score for ways in found for one in ways])
        torch.testing.assert_close(got, scores, atol=1e-3, rtol=1e-4)


def test_a_sentence_alone_gives_what_it_gives_in_a_batch(pair):
    _, model = pair
    settings = Beams(3, 10, n_best=3)
    together = search(TorchBeams(model), SOURCES, settings, ENDS)
    for source, ways in zip(SOURCES, together, strict=True):
        (alone,) = search(TorchBeams(model), [source], settings, ENDS)
        assert [one.tokens for one in alone] == [one.tokens for one in ways]


def test_banned_tokens_are_never_written(pair):
    _, model = pair
    ((first,),) = search(TorchBeams(model), SOURCES[:1], Beams(2, 6), [2])
    banned = tuple(set(first.tokens))
    ((other,),) = search(TorchBeams(model), SOURCES[:1], Beams(2, 6, banned=banned), [2])
    assert not set(other.tokens) & set(banned)


@pytest.mark.parametrize("settings", [{"beams": 0}, {"n_best": 5}, {"max_new_tokens": 0}])
def test_what_cannot_be_is_said(settings):
    with pytest.raises(UsageError):
        Beams(**settings)
