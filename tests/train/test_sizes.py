"""The dial for models from scratch: what it gives is what its rules say, and what is given stays."""

from dataclasses import replace

import pytest
import torch

from daneel.config import TrainConfig
from daneel.formats.families import llama, marian
from daneel.model.init import empty_model
from daneel.train import flops
from daneel.train.sizes import PAIR_SIZES, PASS, SIZES, Size, batch_tokens, derived, peak_lr

CONFIG = TrainConfig(method="full", length=512, dtype="float32")


def architecture(name, pairs=False):
    if pairs:
        size = PAIR_SIZES[name]
        settings = marian.config(vocab_size=size.vocabulary, width=size.width, layers=size.layers, heads=size.heads,
                                 hidden=size.hidden, context=1024, pad=1, eos=0)  # fmt: skip
        return marian.architecture(settings)
    size = SIZES[name]
    settings = llama.config(vocab_size=size.vocabulary, width=size.width, layers=size.layers, heads=size.heads,
                            kv_heads=size.heads, hidden=size.hidden, context=1024, bos=None, eos=0)  # fmt: skip
    return llama.architecture(settings)


def parameters(arch):
    with torch.device("meta"):
        return sum(weight.numel() for weight in empty_model(arch).parameters())


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("name", ["3m", "10m", "30m", "100m"])
def test_a_size_has_the_parameters_that_it_is_called_by(name, pairs):
    named = float(name.removesuffix("m")) * 1e6
    assert parameters(architecture(name, pairs)) == pytest.approx(named, rel=0.07)


def test_small_shapes_are_those_that_runs_were_made_with():
    assert SIZES["3m"] == Size(4096, 192, 5, 3, 512)
    assert SIZES["10m"] == Size(8192, 320, 6, 5, 864)
    assert PAIR_SIZES["2m"] == Size(512, 144, 4, 4, 576)
    assert PAIR_SIZES["10m"] == Size(8192, 256, 4, 4, 1024)


@pytest.mark.parametrize("size", [*SIZES.values(), *PAIR_SIZES.values()])
def test_shapes_are_such_as_kernels_like(size):
    assert size.width % size.heads == 0
    assert size.hidden % 32 == 0
    assert 36 <= size.width // size.heads <= 64


def test_without_a_word_it_reads_what_chinchilla_says_or_the_text_four_times():
    arch = architecture("3m")
    little, much = (derived(CONFIG, arch, tokens) for tokens in (1_000_000, 10**9))
    assert little.epochs == 4
    assert much.epochs * 10**9 == pytest.approx(20 * parameters(arch))
    assert derived(replace(CONFIG, steps=9), arch, 10**6).epochs is None
    assert (little.lr, much.lr) == (2e-3, 2e-3)
    assert little.batch * little.accumulate == round(batch_tokens(4e6) / 512) == 7
    assert much.batch * 512 <= PASS
    assert much.batch * much.accumulate * 512 == pytest.approx(batch_tokens(20 * parameters(arch)), rel=0.05)


def test_what_is_given_stays():
    given = replace(CONFIG, lr=5e-4, batch=3, accumulate=2, epochs=1.5)
    assert derived(given, architecture("10m"), 10**8) == given
    apart = derived(replace(CONFIG, accumulate=4), architecture("3m"), 10**6)
    assert (apart.batch, apart.accumulate) == (2, 4)


def test_a_budget_is_read_in_smaller_steps(monkeypatch):
    monkeypatch.setattr(flops, "gemm_rate", lambda dtype: 1e11)
    arch = architecture("3m")
    short, long = (derived(replace(CONFIG, budget=time), arch, 10**9) for time in ("1m", "10h"))
    assert short.epochs is None
    assert short.batch * short.accumulate == 4 < long.batch * long.accumulate


def test_a_large_model_with_little_to_read_goes_slower():
    assert derived(CONFIG, architecture("100m"), 10**6).lr < 1e-3
    # As the step law has it within what it was fitted on (arXiv:2503.04715): 1B weights, 100B tokens.
    assert peak_lr(1e9, 1e11) == pytest.approx(1.6e-3, rel=0.05)
    assert batch_tokens(1e11) == pytest.approx(1.1e6, rel=0.05)


def test_encoder_decoders_turn_by_the_same_dial():
    found = derived(replace(CONFIG, length=128), architecture("10m", pairs=True), 10**6)
    assert found.epochs == 4
    assert found.batch * found.accumulate * 128 == pytest.approx(batch_tokens(4e6), rel=0.05)
