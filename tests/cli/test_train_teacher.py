"""A teacher named on the command line, and what is learned from it."""

import json

import pytest
import tiny
import torch
import torch.nn.functional as F
from cli.test_train import CHATS, STORY, _one_thread, daneel  # noqa: F401
from transformers import AutoModelForCausalLM, AutoTokenizer

from daneel.tokenizer.train import train_tokenizer

FAST = [
    "--length",
    "64",
    "--batch",
    "2",
    "--dtype",
    "float32",
    "--compile",
    "off",
    "--evals",
    "1",
    "--eval-bytes",
    "500",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("teacher")
    for seed, name in enumerate(("base", "teacher")):
        tiny.tiny_model(root / name, std=0.1, seed=seed)
    tiny.tiny_model(root / "other")
    train_tokenizer(tiny.TEXT, root / "other", 300)
    (root / "story.txt").write_text(STORY, encoding="utf-8")
    (root / "chats.jsonl").write_text("\n".join(json.dumps(chat) for chat in CHATS), encoding="utf-8")
    rows = ['{"text": "a", "label": 1}', '{"text": "b", "label": 2}']
    (root / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return root


def distance(learner, teacher) -> float:
    """KL of their logits on a text."""
    tokenizer = AutoTokenizer.from_pretrained(teacher)
    ids = tokenizer(STORY[:200], return_tensors="pt").input_ids
    with torch.no_grad():
        found, wanted = (
            AutoModelForCausalLM.from_pretrained(name)(ids).logits[0].log_softmax(-1) for name in (learner, teacher)
        )
    return F.kl_div(found, wanted, reduction="batchmean", log_target=True).item()


@pytest.mark.parametrize(("data", "share"), [("story.txt", 0.6), ("chats.jsonl", 0.9)])
def test_a_learner_comes_near_to_its_teacher(place, tmp_path, capsys, data, share):
    run = tmp_path / "run"
    code, _, err = daneel(
        capsys, "train", place / data, "--base", place / "base", "--teacher", place / "teacher", "--temperature", "2",
        "--method", "full", "--lr", "0.01", "--steps", "40", "--heldout", "0", "-o", run, *FAST,
    )  # fmt: skip
    assert code == 0, err
    assert distance(run, place / "teacher") < share * distance(place / "base", place / "teacher")
    card = (run / "README.md").read_text("utf-8")
    assert "| teacher | teacher |" in card
    assert "| temperature | 2.0 |" in card


def test_from_scratch_takes_the_vocabulary_of_the_teacher_and_a_killed_run_goes_on(
    place, tmp_path, capsys, monkeypatch
):
    from daneel.train import loop

    teacher = tmp_path / "teacher"
    tiny.tiny_model(teacher, std=0.1, seed=1)
    args = [
        "train", place / "story.txt", "--base", "scratch", "--teacher", teacher, "--steps", "6", "--heldout", "0",
        "--checkpoint-every", "2", *FAST,
    ]  # fmt: skip
    code, _, err = daneel(capsys, *args, "-o", tmp_path / "whole")
    assert code == 0, err
    assert json.loads((tmp_path / "whole" / "config.json").read_text())["vocab_size"] == 400
    step, calls = loop.Trainer.backward, []

    def interrupted(self):
        calls.append(1)
        if len(calls) == 8:  # three of the estimate, then the fifth step
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(loop.Trainer, "backward", interrupted)
    assert daneel(capsys, *args, "-o", tmp_path / "killed")[0] == 130
    monkeypatch.undo()
    code, _, err = daneel(capsys, "train", "--resume", "-o", tmp_path / "killed")
    assert code == 0, err
    assert "going on at step 4 of 6" in err
    whole, killed = (AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in ("whole", "killed"))
    for (name, a), b in zip(whole.named_parameters(), killed.parameters(), strict=True):
        assert torch.equal(a, b), name
    tiny.tiny_model(teacher, std=0.1, seed=3)
    code, _, err = daneel(capsys, "train", "--resume", "-o", tmp_path / "killed")
    assert (code, "teacher changed since the run began" in err) == (1, True), err


@pytest.mark.parametrize(
    ("data", "args", "code", "word"),
    [
        ("story.txt", ["--teacher", "OTHER"], 1, "has another vocabulary than base"),
        ("story.txt", ["--teacher", "TEACHER", "--length", "256"], 2, "reads at most"),
        ("story.txt", ["--teacher", "TEACHER", "--label-smoothing", "0.1"], 2, "leave one of them out"),
        ("story.txt", ["--teacher", "TEACHER", "--temperature", "0"], 2, "--temperature"),
        ("story.txt", ["--teacher", "absent/model"], 1, "absent/model"),
        ("labels.jsonl", ["--teacher", "TEACHER"], 2, "not for labels"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(place, tmp_path, capsys, data, args, code, word):
    names = {"OTHER": place / "other", "TEACHER": place / "teacher"}
    got, _, err = daneel(
        capsys, "train", place / data, "--base", place / "base", "--heldout", "0", "--steps", "1", *FAST,
        *(names.get(arg, arg) for arg in args), "-o", tmp_path / "run",
    )  # fmt: skip
    assert (got, word in err, "Traceback" in err) == (code, True, False), err
    assert not (tmp_path / "run").exists()
