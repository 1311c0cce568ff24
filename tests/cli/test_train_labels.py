"""Texts with labels from the command line to a classifier that Transformers loads."""

import json

import pytest
import tiny
import torch
from cli.test_train import _one_thread, daneel  # noqa: F401
from transformers import AutoModelForSequenceClassification, pipeline

from daneel.corpus.records import read_records

FAST = ["--length", "64", "--batch", "2", "--dtype", "float32", "--compile", "off", "--steps", "40", "--evals", "2"]
FAST += ["--lr", "0.01", "--heldout", "0.25", "--set", "patience=0"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("labels")
    tiny.tiny_model(root / "base", std=0.05)
    texts = {"calm": "The lamp {} was lit at dusk", "静": "灯塔{}的看守人写下了日志"}
    rows = [{"text": text.format(n), "label": label} for n in range(24) for label, text in texts.items()]
    (root / "rows.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return root


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_classifier_is_right_and_transformers_says_the_same(place, tmp_path, capsys, method):
    run = tmp_path / "run"
    code, out, err = daneel(
        capsys, "train", place / "rows.jsonl", "--base", place / "base", "--method", method, "-o", run, "--json", *FAST
    )
    assert code == 0, err
    facts = json.loads(out)
    assert facts["labels"]["accuracy"] == facts["labels"]["macro_f1"] == 1
    assert ("the adapter is added" in err) is (method == "lora")
    assert not (run / "adapter_config.json").exists()
    log = [json.loads(line) for line in (run / "daneel" / "log.jsonl").read_text().splitlines()]
    assert {"accuracy", "macro_f1"} < next(row for row in log if "heldout" in row).keys()
    model = AutoModelForSequenceClassification.from_pretrained(run)
    assert model.config.id2label == {0: "calm", 1: "静"}
    classify = pipeline("text-classification", model=str(run), device="cpu")
    texts = [(record.text, record.label) for record in read_records(place / "rows.jsonl")]
    found = classify([text for text, _ in texts], batch_size=8)
    assert [each["label"] for each in found] == [label for _, label in texts]
    card = (run / "README.md").read_text("utf-8")
    assert "pipeline_tag: text-classification" in card
    assert "calm, 静" in card
    for call in (["write", "The lamp", "-m", run], ["export", run, "--to", "gguf", "-o", tmp_path / "model.gguf"]):
        code, _, err = daneel(capsys, *call)
        assert (code, "labels apart" in err) == (1, True), err


def test_it_goes_on_from_a_classifier_and_knows_its_labels(place, tmp_path, capsys):
    args = ["--length", "64", "--dtype", "float32", "--compile", "off", "--steps", "1", "--heldout", "0"]
    first, second = tmp_path / "first", tmp_path / "second"
    daneel(capsys, "train", place / "rows.jsonl", "--base", place / "base", "-o", first, *args)
    (tmp_path / "one.jsonl").write_text('{"text": "lamp", "label": "静"}\n{"text": "ship", "label": "calm"}\n')
    code, _, err = daneel(capsys, "train", tmp_path / "one.jsonl", "--base", first, "-o", second, *args)
    assert code == 0, err
    assert json.loads((second / "config.json").read_text("utf-8"))["label2id"] == {"calm": 0, "静": 1}
    (tmp_path / "new.jsonl").write_text('{"text": "lamp", "label": "new"}\n{"text": "ship", "label": "calm"}\n')
    code, _, err = daneel(capsys, "train", tmp_path / "new.jsonl", "--base", first, "-o", tmp_path / "third", *args)
    assert (code, "not new" in err) == (1, True), err
    (tmp_path / "story.txt").write_text("The lamp was lit at dusk. " * 40)
    code, _, err = daneel(capsys, "train", tmp_path / "story.txt", "--base", first, "-o", tmp_path / "third", *args)
    assert (code, "learns nothing else" in err) == (2, True), err


def test_a_killed_run_goes_on(place, tmp_path, capsys, monkeypatch):
    from daneel.train import loop

    args = ["--base", place / "base", "--steps", "6", "--checkpoint-every", "2", *FAST[:8]]
    daneel(capsys, "train", place / "rows.jsonl", "-o", tmp_path / "whole", *args)
    step, calls = loop.Trainer.backward, []

    def interrupted(self):
        calls.append(1)
        if len(calls) == 8:  # three of the estimate, then the fifth step
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(loop.Trainer, "backward", interrupted)
    assert daneel(capsys, "train", place / "rows.jsonl", "-o", tmp_path / "killed", *args)[0] == 130
    monkeypatch.undo()
    code, _, err = daneel(capsys, "train", "--resume", "-o", tmp_path / "killed")
    assert code == 0, err
    assert "going on at step 4 of 6" in err
    whole, killed = (
        AutoModelForSequenceClassification.from_pretrained(tmp_path / name) for name in ("whole", "killed")
    )
    for (name, a), b in zip(whole.named_parameters(), killed.parameters(), strict=True):
        assert torch.equal(a, b), name


def test_for_eval_texts_with_labels_are_texts(place, capsys):
    code, out, err = daneel(capsys, "eval", place / "base", "--on", place / "rows.jsonl", "--json")
    assert code == 0, err
    assert json.loads(out)["bits_per_byte"] > 0


def test_preview_tells_the_label(place, capsys):
    code, _, err = daneel(capsys, "train", place / "rows.jsonl", "--base", place / "base", "--preview")
    assert code == 0, err
    assert "灯塔0的看守人" in err
    assert "rows.jsonl:2: its label is 静" in err


@pytest.mark.parametrize(
    ("rows", "args", "code", "word"),
    [
        ([{"text": "a", "label": "b"}], [], 1, "every text has the label b"),
        ([{"text": "a", "label": 0.5}], [], 1, "rows.jsonl:1: \"label\" is 0.5"),
        ([{"text": "a", "label": ""}], [], 1, "empty \"label\""),
        ([{"text": "a", "label": "b"}, {"text": "a"}], [], 1, "rows.jsonl:2: labels and conversations cannot"),
        ([{"text": str(n), "label": n} for n in range(500)], [], 1, "500 labels are more than"),
        (None, ["--base", "scratch"], 2, "knows its language already"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_and_leave_nothing(place, tmp_path, capsys, rows, args, code, word):
    data = place / "rows.jsonl"
    if rows:
        data = tmp_path / "rows.jsonl"
        data.write_text("\n".join(map(json.dumps, rows)))
    got, _, err = daneel(
        capsys, "train", data, "--base", place / "base", "-o", tmp_path / "run", "--heldout", "0", *FAST[:8], *args
    )
    assert (got, word in err, "Traceback" in err) == (code, True, False), err
    assert not (tmp_path / "run").exists()
