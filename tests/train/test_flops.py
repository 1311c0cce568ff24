"""The arithmetic that we claim is the arithmetic that PyTorch does."""

import pytest
import tiny
import torch
from torch.utils.flop_counter import FlopCounterMode

from daneel.formats.peft import AdapterConfig
from daneel.model.encoder_decoder import EncoderDecoder, Source
from daneel.model.load import load_base
from daneel.model.lora import add_lora
from daneel.train.flops import flops_per_token, gemm_rate

T = 16


def counted(model):
    """Operations a token of the products that PyTorch does in a step, attention left out."""
    ids = torch.arange(3, 3 + T)[None]
    places = torch.arange(T)[None]
    source = {}
    if isinstance(model, EncoderDecoder):
        source["source"] = Source(ids, places, torch.zeros_like(ids))
    with FlopCounterMode(display=False) as counter:
        states = model.hidden(ids, places, torch.zeros_like(ids), **source)
        (states @ model.head_weight.T).sum().backward()
    products = ("mm", "addmm")
    return sum(n for op, n in counter.get_flop_counts()["Global"].items() if str(op).split(".")[-1] in products) / T


def attention(model):
    arch = model.arch
    seen = arch.layers / 2 + (arch.encoder_layers + arch.layers if arch.encoder_layers else 0)
    return 12 * arch.heads * arch.head_dim * seen * T


@pytest.mark.parametrize("family", ["llama", "gpt2", "marian", "t5"])
def test_each_weight_that_multiplies_takes_six(tmp_path, family):
    tiny.tiny_model(tmp_path, family)
    model = load_base(tmp_path, torch.float32).requires_grad_(True)
    bias = 0 if model.head_bias is None else model.head_bias.numel() * 6
    assert flops_per_token(model, T) - attention(model) - bias == pytest.approx(counted(model), rel=1e-6)


def test_a_frozen_weight_takes_four(tmp_path):
    tiny.tiny_model(tmp_path)
    model = load_base(tmp_path, torch.float32)
    add_lora(model, AdapterConfig(4, 8.0, "all-linear", str(tmp_path)))
    assert flops_per_token(model, T) - attention(model) == pytest.approx(counted(model), rel=1e-6)


def test_a_window_is_all_that_a_token_sees(tmp_path):
    tiny.tiny_model(tmp_path, "gemma3")
    model = load_base(tmp_path, torch.float32).requires_grad_(True)
    arch = model.arch
    assert sorted(window or 0 for window in arch.window) == [0, 5, 5]
    per_token = 12 * arch.heads * arch.head_dim
    longer = flops_per_token(model, 100) - flops_per_token(model, 50)
    assert longer == pytest.approx(per_token * 25)  # the one layer without a window, and there half of what came


def test_measuring_the_peak_draws_nothing():
    before = torch.get_rng_state()
    assert gemm_rate.__wrapped__(torch.float32) > 1e8
    assert torch.equal(torch.get_rng_state(), before)
