"""Preferences from the command line to a model that Transformers and PEFT load."""

import json
import math

import pytest
import tiny
import torch
from cli.test_train import _one_thread, daneel  # noqa: F401
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM

FAST = ["--length", "128", "--batch", "2", "--dtype", "float32", "--compile", "off", "--steps", "12", "--evals", "2"]
FAST += ["--lr", "0.003"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("preferences")
    tiny.tiny_model(root / "base", std=0.05)
    rows = [{"prompt": f"谁点的灯{n}?", "chosen": f"The keeper {n}.", "rejected": f"没有人{n}"} for n in range(20)]
    (root / "rows.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return root


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT asks Transformers for it
@pytest.mark.parametrize("method", ["lora", "full"])
def test_held_out_margins_grow_and_others_load_the_model(place, tmp_path, capsys, method):
    run = tmp_path / "run"
    code, out, err = daneel(
        capsys, "train", place / "rows.jsonl", "--base", place / "base", "--method", method, "--beta", "0.5",
        "-o", run, "--json", *FAST,
    )  # fmt: skip
    assert code == 0, err
    assert "18 records to learn from, 2 held out" in err
    found = json.loads(out)["preferences"]
    log = [json.loads(line) for line in (run / "daneel" / "log.jsonl").read_text().splitlines()]
    measured = [row for row in log if "margin" in row]
    # Before the first step there is nothing but the reference itself.
    assert measured[0]["heldout"] == pytest.approx(math.log(2), abs=1e-5)
    assert measured[0]["margin"] == pytest.approx(0, abs=1e-5)
    assert found["heldout"] == pytest.approx(measured[-1]["heldout"], abs=1e-5)
    assert found["heldout"] < 0.6
    assert found["margin"] > 0.1
    assert found["accuracy"] == 1
    assert "margin" in err
    kind = AutoPeftModelForCausalLM if method == "lora" else AutoModelForCausalLM
    logits = kind.from_pretrained(run)(torch.tensor([[5, 6, 7]])).logits
    base = AutoModelForCausalLM.from_pretrained(place / "base")(torch.tensor([[5, 6, 7]])).logits
    assert not torch.allclose(logits, base)
    assert ("| beta | 0.5 |" in (run / "README.md").read_text("utf-8")) is True


def test_preview_shows_both_answers(place, capsys):
    code, _, err = daneel(capsys, "train", place / "rows.jsonl", "--base", place / "base", "--preview")
    assert code == 0, err
    assert "⟦The keeper 0.<|im_end|>⟧" in err
    assert "⟦没有人0<|im_end|>⟧" in err
    assert "rows.jsonl:3, rejected: " in err


@pytest.mark.parametrize(
    ("rows", "args", "code", "word"),
    [
        ([{"prompt": "a", "chosen": "b", "rejected": "b"}], [], 1, "rows.jsonl:1: \"chosen\" and"),
        ([{"prompt": "a", "chosen": "b", "rejected": []}], [], 1, "\"rejected\": no assistant's message"),
        ([{"prompt": [], "chosen": "b", "rejected": "c"}], [], 1, "empty \"prompt\""),
        ([{"prompt": "a", "chosen": "b", "rejected": "c"}, {"prompt": "a", "completion": "b"}], [], 1,
         "rows.jsonl:2: preferences and conversations cannot be learned together"),
        (None, ["--base", "scratch"], 2, "knows its language already"),
        (None, ["--label-smoothing", "0.1"], 2, "--label-smoothing"),
        (None, ["--beta", "0"], 2, "--beta"),
        (None, ["--length", "16"], 1, "nothing to learn"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_and_leave_nothing(place, tmp_path, capsys, rows, args, code, word):
    data = place / "rows.jsonl"
    if rows:
        data = tmp_path / "rows.jsonl"
        data.write_text("\n".join(map(json.dumps, rows)))
    got, _, err = daneel(
        capsys, "train", data, "--base", place / "base", "-o", tmp_path / "run", "--heldout", "0", *FAST, *args
    )
    assert (got, word in err, "Traceback" in err) == (code, True, False), err
    assert not (tmp_path / "run").exists()
