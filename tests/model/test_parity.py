"""Logits equal those of Transformers, and every field of the architecture matters."""

import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
import tiny
import torch

from daneel.formats.architecture import Architecture
from daneel.formats.hf import read_architecture
from daneel.model.cache import Cache
from daneel.model.decoder import Decoder
from daneel.model.likelihood import Reader
from daneel.model.load import load_base, load_model, save_weights

FAMILIES = sorted(tiny.CONFIGS)
TIGHT = {"atol": 3e-5, "rtol": 1e-5}


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request, tmp_path_factory):
    """A Transformers model and ours with the same weights."""
    folder = tmp_path_factory.mktemp("model") / request.param
    reference = tiny.reference(request.param)
    reference.save_pretrained(folder)
    return reference, load_base(folder, torch.float32), folder


def ids(rows=2, length=24, seed=1):
    return torch.randint(3, 400, (rows, length), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_logits_equal_transformers(pair):
    reference, model, _ = pair
    want = reference(ids()).logits
    assert want.max() - want.min() > 10
    torch.testing.assert_close(model(ids()), want, **TIGHT)


@torch.no_grad()
@pytest.mark.parametrize("side", ["left", "right"])
def test_padded_batches_equal_transformers(pair, side):
    reference, model, _ = pair
    mask = torch.ones(2, 24, dtype=torch.long)
    mask[1, : 7 if side == "left" else None] = 0
    if side == "right":
        mask[1] = 1
        mask[1, 17:] = 0
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    want = reference(ids(), attention_mask=mask, position_ids=positions).logits
    got = model(ids(), positions, mask - 1)
    torch.testing.assert_close(got[mask.bool()], want[mask.bool()], **TIGHT)


@torch.no_grad()
def test_a_packed_row_equals_its_documents_alone(pair):
    _, model, _ = pair
    whole = ids(1, 24)
    segments = torch.tensor([[0] * 9 + [1] * 15])
    positions = torch.tensor([[*range(9), *range(15)]])
    packed = model(whole, positions, segments)
    torch.testing.assert_close(packed[:, :9], model(whole[:, :9]), **TIGHT)
    torch.testing.assert_close(packed[:, 9:], model(whole[:, 9:]), **TIGHT)


@torch.no_grad()
def test_the_cache_gives_the_logits_of_one_pass(pair):
    _, model, _ = pair
    whole = ids()
    want = model(whole)
    cache = Cache(model.arch, 2, 64, torch.float32)
    # Slots of different lengths, a prompt in two chunks, then one token at a time for both.
    model(whole[:1, :5], cache=cache, slots=[0])
    first = model(whole[:1, 5:9], cache=cache, slots=[0], last_only=True)
    model(whole[1:, :13], cache=cache, slots=[1])
    torch.testing.assert_close(first[0, 0], want[0, 8], **TIGHT)
    for i in range(8):
        step = model(torch.stack([whole[0, 9 + i : 10 + i], whole[1, 13 + i : 14 + i]]), cache=cache)
        torch.testing.assert_close(step[0, 0], want[0, 9 + i], **TIGHT)
        torch.testing.assert_close(step[1, 0], want[1, 13 + i], **TIGHT)
    cache.truncate(1, 13)
    cache.move(1, 0)
    again = model(whole[1:, 13:14], cache=cache, slots=[0])
    torch.testing.assert_close(again[0, 0], want[1, 13], **TIGHT)


@torch.no_grad()
def test_long_texts_take_the_blocked_attention_and_agree(pair):
    reference, model, _ = pair
    long = ids(1, 100)
    torch.testing.assert_close(model(long), reference(long).logits, **TIGHT)


@torch.no_grad()
def test_attention_maps_are_probabilities_and_causal(pair):
    reference, model, _ = pair
    row = ids(1, 12)
    layers = list(range(model.arch.layers))
    maps = model.attention_maps(row[0], layers)
    torch.testing.assert_close(maps.sum(-1), torch.ones_like(maps.sum(-1)))
    assert maps.triu(1).abs().max() == 0
    want = torch.stack([a[0] for a in reference(row, output_attentions=True).attentions])
    torch.testing.assert_close(maps, want, atol=1e-5, rtol=1e-4)


FLIPS = {
    "norm_eps": lambda v: v * 1e4,
    "norm_offset": lambda v: not v,
    "attention_scale": lambda v: v * 1.1,
    "embed_scale": lambda v: v * 1.1,
    "rope_theta": lambda v: tuple(t * 3 + 1 for t in v),
    "rope_scaling": lambda v: tuple(None if s else {"rope_type": "linear", "factor": 2.0} for s in v),
    "window": lambda v: tuple(None if w else 4 for w in v),
    "activation": lambda v: "relu",
    "qk_norm": lambda v: not v,
    "norms": lambda v: "both" if v == "before" else "before",
    "gated": lambda v: not v,
    "qkv_bias": lambda v: not v,
    "output_bias": lambda v: not v,
    "mlp_bias": lambda v: not v,
    "tied": lambda v: not v,
    "kv_heads": lambda v: 1 if v != 1 else 2,
    "heads": lambda v: v // 2,
    "head_dim": lambda v: v * 2,
    "norm": lambda v: "layer" if v == "rms" else "rms",
    "positions": lambda v: "learned" if v == "rope" else "rope",
    "width": lambda v: v * 2,
    "hidden": lambda v: v * 2,
    "layers": lambda v: v - 1,
    "vocab_size": lambda v: v + 1,
    "labels": lambda v: v + 3,
}
# What a forward pass does not read, and what only encoder-decoders have (test_encoder_decoder.py flips that).
ELSEWHERE = {"family", "context", "init_std", "bos", "eos", "start", "pad", "zero_pad"}
SEQ2SEQ = {"encoder_layers", "final_norm", "head_bias", "head_scale", "buckets", "bucket_distance"}


def test_every_field_is_flipped_or_named_as_read_elsewhere():
    assert {field.name for field in fields(Architecture)} == set(FLIPS) | ELSEWHERE | SEQ2SEQ


@torch.no_grad()
@pytest.mark.parametrize("name", sorted(FLIPS))
def test_flipping_a_field_changes_the_logits_or_does_not_load(pair, name):
    reference, model, _ = pair
    arch = model.arch
    if arch.positions == "learned" and name in ("rope_theta", "rope_scaling"):
        return  # GPT-2 has no rotary positions to change
    if arch.norm == "layer" and name == "norm_offset":
        return  # only RMS norms know an offset
    changed = replace(arch, **{name: FLIPS[name](getattr(arch, name))})
    other = Decoder(changed).eval()
    try:
        other.load_state_dict(model.state_dict(), strict=True)
        got = other(ids())
    except (RuntimeError, IndexError):
        return  # missing, surplus or misshapen weights: the flip cannot pass unnoticed
    assert not torch.allclose(got, reference(ids()).logits, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("llama", {"tie_word_embeddings": False}),
        ("llama", {"hidden_act": "gelu"}),
        ("llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 500.0, "factor": 3.0}}),
        ("llama", {"num_key_value_heads": 4, "rms_norm_eps": 1e-2}),
        ("qwen2", {"use_sliding_window": False, "layer_types": None}),
        ("qwen3", {"attention_bias": True}),
        ("gemma3", {"tie_word_embeddings": False, "query_pre_attn_scalar": 7}),
        ("gpt2", {"activation_function": "gelu", "scale_attn_weights": False, "n_inner": 100}),
    ],
)
def test_variants_equal_transformers(tmp_path, family, changes):
    reference = tiny.reference(family, **changes)
    reference.save_pretrained(tmp_path / "m")
    torch.testing.assert_close(load_base(tmp_path / "m", torch.float32)(ids()), reference(ids()).logits, **TIGHT)


def test_sharded_folders_load(tmp_path):
    reference = tiny.reference("llama")
    reference.save_pretrained(tmp_path, max_shard_size="50KB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    with torch.no_grad():
        torch.testing.assert_close(load_model(tmp_path)(ids()), reference(ids()).logits, **TIGHT)


def test_transformers_4_configs_are_read(tmp_path):
    """The older keys, `rope_theta` and `rope_scaling`, mean the same."""
    import json

    tiny.reference("llama3").save_pretrained(tmp_path)
    new = read_architecture(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    scaling = config.pop("rope_parameters")
    config["rope_theta"] = scaling["rope_theta"]
    del scaling["rope_theta"]
    config["rope_scaling"] = scaling
    (tmp_path / "config.json").write_text(json.dumps(config))
    old = read_architecture(tmp_path)
    assert old.rope_theta == new.rope_theta
    assert {k: v for k, v in new.rope_scaling[0].items() if k != "rope_theta"} == {
        k: v for k, v in old.rope_scaling[0].items() if k != "rope_theta"
    }
    assert new.rope_scaling[0]["factor"] == 4.0


OUTSIDE = """
import sys
sys.modules["daneel"] = None  # importing it now raises
import json, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
model = AutoModelForCausalLM.from_pretrained(sys.argv[1]).eval()
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
text = "The lamp was lit. 公元年的灯塔"  # no digits: Transformers splits them for Qwen2 whatever the file says
ids = tokenizer(text, add_special_tokens=False)["input_ids"]
with torch.no_grad():
    logits = model(torch.tensor([ids])).logits
torch.save({"ids": ids, "logits": logits}, sys.argv[2])
"""


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_what_we_save_transformers_loads_without_us(tmp_path, family):
    folder = tiny.tiny_model(tmp_path / "model", family)
    model = load_base(folder, torch.float32)
    (folder / "model.safetensors").unlink()
    save_weights(folder / "model.safetensors", model.arch, model.state_dict())
    run = [sys.executable, "-W", "ignore", "-c", OUTSIDE, str(folder), str(tmp_path / "out.pt")]
    subprocess.run(run, check=True, capture_output=True, env={"PATH": ""}, cwd=tmp_path)
    theirs = torch.load(tmp_path / "out.pt", weights_only=True)
    from daneel.tokenizer.load import Tokenizer

    assert theirs["ids"] == Tokenizer.load(folder).encode("The lamp was lit. 公元年的灯塔")
    with torch.no_grad():
        torch.testing.assert_close(model(torch.tensor([theirs["ids"]])), theirs["logits"], **TIGHT)


@torch.no_grad()
def test_likelihood_equals_log_softmax_and_windows_score_each_token_once(pair):
    _, model, _ = pair
    row = ids(1, 60)[0].tolist()
    logits = model(torch.tensor([row]))[0].log_softmax(-1)
    want = torch.tensor([logits[i - 1, row[i]] for i in range(1, 60)])
    got = torch.from_numpy(Reader(model).logprobs(row))
    torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-4)
    windowed = Reader(model, window=16).logprobs(row)
    assert len(windowed) == 59
    torch.testing.assert_close(torch.from_numpy(windowed[:15]), want[:15], atol=1e-4, rtol=1e-4)
    # Token 16 is scored with the eight tokens before it.
    near = model(torch.tensor([row[8:17]]))[0].log_softmax(-1)[-2, row[16]]
    torch.testing.assert_close(torch.tensor(windowed[15]), near, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(torch.from_numpy(Reader(model).logprobs(row, start=40)), want[39:], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_what_two_texts_begin_with_is_read_once(pair, monkeypatch):
    _, model, _ = pair
    reader = Reader(model)
    first = ids(1, 60)[0].tolist()
    second = first[:40] + [(token + 1) % 100 for token in first[40:50]]
    reader.logprobs(first)
    read, hidden = [], model.hidden
    monkeypatch.setattr(model, "hidden", lambda x, **more: read.append(x.shape[1]) or hidden(x, **more))
    # The second goes on from the first, is scored again, and the longer one comes back.
    for text, start, new in ((second, 40, 10), (second, 40, 10), (second, 1, 49), (first, 45, 19)):
        fresh = Reader(model).logprobs(text, start)
        read.clear()
        got = reader.logprobs(text, start)
        np.testing.assert_allclose(got, fresh, atol=1e-4, rtol=1e-4)
        assert read == [new]
