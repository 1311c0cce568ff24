"""LoRA in PEFT's format, in and out."""

import json
import warnings

import pytest
import tiny
import torch

from daneel.errors import ModelError, UsageError
from daneel.formats.peft import AdapterConfig, read_adapter
from daneel.model.load import load_base, load_model
from daneel.model.lora import add_lora, load_adapter, lora_layers, merge_lora, save_adapter

TIGHT = {"atol": 1e-4, "rtol": 1e-4}
IDS = torch.randint(3, 400, (2, 12), generator=torch.Generator().manual_seed(3))


def peft_model(folder, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        base = AutoModelForCausalLM.from_pretrained(folder)
        model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **settings))
    torch.manual_seed(5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn_like(parameter) * 0.3)
    return model.eval()


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma3"])
@pytest.mark.parametrize(
    "settings",
    [
        {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"},
        {"r": 3, "lora_alpha": 7, "use_rslora": True, "target_modules": "some"},
    ],
)
@torch.no_grad()
def test_adapters_of_peft_give_pefts_logits(tmp_path, family, settings):
    base = tiny.tiny_model(tmp_path / "base", family)
    if settings["target_modules"] == "some":
        settings = {
            **settings,
            "target_modules": ["c_attn"] if family == "gpt2" else ["q_proj", "v_proj", "down_proj"],
        }
    theirs = peft_model(base, **settings)
    theirs.save_pretrained(tmp_path / "adapter")
    want = theirs(IDS).logits
    torch.testing.assert_close(load_model(tmp_path / "adapter")(IDS), want, **TIGHT)
    assert not torch.allclose(load_model(base)(IDS), want, atol=1e-2)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@torch.no_grad()
def test_our_adapters_load_in_peft_with_equal_logits(tmp_path, family):
    base = tiny.tiny_model(tmp_path / "base", family)
    model = load_base(base, torch.float32)
    config = AdapterConfig(4, 8, "all-linear", str(base))
    add_lora(model, config)
    torch.manual_seed(2)
    for layer in lora_layers(model).values():
        for b in layer.lora_b:
            b.copy_(torch.randn_like(b) * 0.3)
    (tmp_path / "adapter").mkdir()
    save_adapter(tmp_path / "adapter", model, config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from peft import AutoPeftModelForCausalLM

        theirs = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "adapter").eval()
    want = model(IDS)
    torch.testing.assert_close(theirs(IDS).logits, want, **TIGHT)
    merge_lora(model)
    assert not lora_layers(model)
    torch.testing.assert_close(model(IDS), want, **TIGHT)


def test_a_new_adapter_changes_nothing_and_learns_alone(tmp_path):
    base = tiny.tiny_model(tmp_path / "base", "qwen3")
    model = load_base(base, torch.float32)
    before = model(IDS)
    add_lora(model, AdapterConfig(2, 4, ("q_proj", "up_proj"), str(base)))
    torch.testing.assert_close(model(IDS), before)
    assert all("lora" in name for name, p in model.named_parameters() if p.requires_grad)
    assert len(lora_layers(model)) == 2 * model.arch.layers


def test_wrong_adapters_are_refused_in_a_line(tmp_path):
    base = tiny.tiny_model(tmp_path / "base", "llama")
    model = load_base(base, torch.float32)
    with pytest.raises(UsageError, match="down_proj"):
        add_lora(model, AdapterConfig(2, 4, ("nothing",), str(base)))
    folder = tmp_path / "adapter"
    folder.mkdir()
    good = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"]}
    for change, word in [
        ({"peft_type": "IA3"}, "IA3"),
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias"),
    ]:
        (folder / "adapter_config.json").write_text(json.dumps({**good, **change}))
        with pytest.raises(ModelError, match=word):
            read_adapter(folder)
    (folder / "adapter_config.json").write_text(json.dumps(good))
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors"):
        load_adapter(model, folder, read_adapter(folder))
