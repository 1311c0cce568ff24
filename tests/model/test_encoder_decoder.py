"""Encoder-decoders: logits equal those of Transformers, every field matters, packing and caches change nothing."""

from dataclasses import replace

import pytest
import tiny
import torch
from model.test_parity import ids

from daneel.model.cache import Cache
from daneel.model.encoder_decoder import EncoderDecoder, Source, padded
from daneel.model.init import new_model
from daneel.model.load import load_base, save_weights

FAMILIES = sorted(tiny.SEQ2SEQ)
# Logits of T5 span seventy: its scores and states are not scaled.
NEAR = {"atol": 2e-4, "rtol": 1e-5}


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / request.param
    reference = tiny.reference(request.param)
    reference.save_pretrained(folder)
    model = load_base(folder, torch.float32)
    assert isinstance(model, EncoderDecoder)
    return reference, model, folder


def source(lengths=(19, 7)):
    return padded([ids(1, length, seed=length)[0].tolist() for length in lengths], pad=0)


def theirs(reference, source, targets, **options):
    mask = (source.segments >= 0).long()
    return reference(input_ids=source.ids, attention_mask=mask, decoder_input_ids=targets, **options)


@torch.no_grad()
def test_logits_equal_transformers(pair):
    reference, model, _ = pair
    targets = ids(2, 24)
    want = theirs(reference, source(), targets).logits
    assert want.max() - want.min() > 10
    torch.testing.assert_close(model(targets, memory=model.remember(source())), want, **NEAR)


@torch.no_grad()
def test_a_packed_row_equals_its_pairs_alone(pair):
    _, model, _ = pair
    first, second = source((9,)), source((6,))
    targets = ids(1, 12)
    packed = Source(
        torch.cat([first.ids, second.ids, torch.zeros(1, 3, dtype=torch.long)], 1),
        torch.tensor([[*range(9), *range(6), 0, 0, 0]]),
        torch.tensor([[0] * 9 + [1] * 6 + [-1] * 3]),
    )
    positions, segments = torch.tensor([[*range(5), *range(5), 0, 0]]), torch.tensor([[0] * 5 + [1] * 5 + [-1] * 2])
    got = model.hidden(targets, positions, segments, source=packed)
    assert got.isfinite().all()
    torch.testing.assert_close(got[:, :5], model.hidden(targets[:, :5], source=first), **NEAR)
    torch.testing.assert_close(got[:, 5:10], model.hidden(targets[:, 5:10], source=second), **NEAR)


@torch.no_grad()
def test_the_cache_gives_the_logits_of_one_pass(pair):
    _, model, _ = pair
    memory, targets = model.remember(source()), ids(2, 10)
    want = model(targets, memory=memory)
    cache = Cache(model.arch, 2, 16, torch.float32)
    model(targets[:1, :3], cache=cache, slots=[0], memory=memory.rows(torch.tensor([0])))
    model(targets[1:, :1], cache=cache, slots=[1], memory=memory.rows(torch.tensor([1])))
    for i in range(6):  # slots of different lengths
        step = model(torch.stack([targets[0, 3 + i : 4 + i], targets[1, 1 + i : 2 + i]]), cache=cache, memory=memory)
        torch.testing.assert_close(step[0, 0], want[0, 3 + i], **NEAR)
        torch.testing.assert_close(step[1, 0], want[1, 1 + i], **NEAR)


FLIPS = {
    "norm_eps": lambda v: v * 1e5,
    "attention_scale": lambda v: v * 1.1,
    "embed_scale": lambda v: v * 1.1,
    "activation": lambda v: "relu" if v != "relu" else "silu",
    "norms": lambda v: "before" if v == "after" else "after",
    "positions": lambda v: "relative" if v == "sinusoidal" else "sinusoidal",
    "final_norm": lambda v: not v,
    "head_bias": lambda v: not v,
    "head_scale": lambda v: v * 1.1,
    "buckets": lambda v: v + 2,
    "bucket_distance": lambda v: v * 2,
    "encoder_layers": lambda v: v - 1,
}


@torch.no_grad()
@pytest.mark.parametrize("name", sorted(FLIPS))
def test_flipping_a_field_changes_the_logits_or_does_not_load(pair, name):
    _, model, _ = pair
    if model.arch.positions == "sinusoidal" and name.startswith("bucket"):
        return
    targets = ids(2, 24)
    want = model(targets, memory=model.remember(source()))
    changed = EncoderDecoder(replace(model.arch, **{name: FLIPS[name](getattr(model.arch, name))})).eval()
    try:
        changed.load_state_dict(model.state_dict())
    except RuntimeError:
        return
    got = changed(targets, memory=changed.remember(source()))
    assert (got - want).abs().max() > 1e-2


@torch.no_grad()
def test_what_is_saved_loads_in_transformers(pair, tmp_path):
    reference, model, folder = pair
    fresh = new_model(model.arch, seed=3)
    save_weights(tmp_path / "model.safetensors", fresh.arch, fresh.state_dict())
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    loaded = type(reference).from_pretrained(tmp_path).eval()
    targets = ids(2, 24)
    want = theirs(loaded, source(), targets).logits
    torch.testing.assert_close(fresh(targets, memory=fresh.remember(source())), want, **NEAR)
