"""Weights that are frozen by name do not move, and all others do."""

import json

import pytest
import tiny
import torch
from safetensors.torch import load_file

from daneel.errors import UsageError
from daneel.model.load import load_base
from daneel.train.freeze import freeze


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.tiny_model(tmp_path_factory.mktemp("freeze") / "base", std=0.05)


def learning(model):
    return {name for name, weight in model.named_parameters() if weight.requires_grad}


def test_patterns_choose_and_may_overlap(base):
    model = load_base(base, torch.float32).requires_grad_(True)
    every = learning(model)
    freeze(model, "embed*, blocks.0.*,blocks.?.norm1.weight")
    kept = {name for name in every if name.startswith(("embed", "blocks.0."))} | {"blocks.1.norm1.weight"}
    assert learning(model) == every - kept


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        ("blocks.7.*", ["'blocks.7.*'", "embed.weight, ", "blocks.*.mlp.down.weight"]),
        ("embed*,", ["''"]),
        ("词*", ["'词*'"]),
        ("*", ["nothing to learn"]),
    ],
)
def test_a_pattern_that_fits_nothing_or_everything_is_one_line(base, patterns, words):
    with pytest.raises(UsageError) as told:
        freeze(load_base(base, torch.float32).requires_grad_(True), patterns)
    assert "\n" not in str(told.value)
    assert all(word in str(told.value) for word in words), told.value


def run(capsys, *args):
    from daneel.cli import main

    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    return stop.value.code, capsys.readouterr().err


@pytest.fixture
def command(base, tmp_path):
    text = tmp_path / "灯.txt"
    text.write_text(
        "\n\n".join(f"第{n}盏灯亮了。The keeper lit lamp {n} at dusk, and wrote it down." for n in range(60))
    )
    return ["train", text, "--base", base, "-o", tmp_path / "run", "--steps", 3, "--length", 32, "--batch", 2,
            "--dtype", "float32", "--compile", "off", "--eval-bytes", 500, "--lr", "0.01"]  # fmt: skip


def test_frozen_weights_are_saved_as_they_were(base, command, tmp_path, capsys):
    code, err = run(capsys, *command, "--method", "full", "--freeze", "embed*,blocks.0.*", "--evals", 1)
    assert code == 0, err
    before, after = (load_file(path / "model.safetensors") for path in (base, tmp_path / "run"))
    same = {name for name in before if before[name].equal(after[name])}
    assert same == {name for name in before if "embed" in name or ".layers.0." in name}


def test_an_adapter_whose_first_half_is_frozen_is_saved_with_what_training_drew(command, tmp_path, capsys):
    """LoRA-FA (arXiv:2308.03303); the seed is not the default one."""
    code, err = run(capsys, *command, "--rank", 4, "--freeze", "*.lora_a", "--seed", 5)
    assert code == 0, err
    from daneel.road import go_on

    stage, _ = go_on(str(tmp_path / "run"), lambda line: None)
    names = set(stage.trainer.masters.weights)
    assert names
    assert all(".lora_b." in name for name in names)
    stage.trainer.run(3, lambda event: None)
    saved = load_file(tmp_path / "run" / "adapter_model.safetensors")
    held = {name: weight for name, weight in stage.trainer.model.named_parameters() if name.endswith("lora_a")}
    part = saved["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"]
    assert held["blocks.0.attention.qkv.lora_a"][:4].equal(part)
    assert json.loads((tmp_path / "run" / "daneel" / "config.json").read_text())["journey"]["config"]["freeze"]
