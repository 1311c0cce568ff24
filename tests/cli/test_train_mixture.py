"""Sources with weights from the command line."""

import json

import pytest
import tiny
from cli.test_train import CHATS, _one_thread, daneel, place  # noqa: F401
from safetensors.torch import load_file

from daneel.train.prepare import open_shards

FAST = ["--length", "64", "--batch", "2", "--dtype", "float32", "--compile", "off", "--steps", "6", "--evals", "2"]
FAST += ["--checkpoint-every", "2", "--heldout", "0.25", "--rank", "4"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("mixture")
    tiny.tiny_model(root / "base", std=0.05)
    for name, words in (("a", "灯塔"), ("b", "ship")):
        rows = [{"prompt": f"What is {n}?", "completion": f"{words} {n}"} for n in range(12)]
        (root / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (root / "pairs.jsonl").write_text('{"source": "a", "target": "b"}\n' * 4)
    return root


def test_a_mixture_is_learned_and_a_killed_run_goes_on(data, tmp_path, capsys, monkeypatch):
    from daneel.train import loop

    args = ["train", f"{data}/a.jsonl=3", f"{data}/b.jsonl", "--base", data / "base", *FAST]
    code, _, err = daneel(capsys, *args, "-o", tmp_path / "whole")
    assert code == 0, err
    assert "a.jsonl: 9 records to learn from, 3 held out, 75% of what is read" in err
    train, heldout = open_shards(tmp_path / "whole" / "daneel" / "shards")
    assert train.meta.weights == heldout.meta.weights == [3, 1]
    assert len(train.meta.parts) == 2
    card = (tmp_path / "whole" / "README.md").read_text("utf-8")
    assert "- b.jsonl: 9 records to learn from, 3 held out, 25% of what is read" in card
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
    whole, killed = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("whole", "killed"))
    assert all(whole[key].equal(killed[key]) for key in whole)


@pytest.mark.parametrize(
    ("paths", "code", "word"),
    [
        (["a.jsonl=0", "b.jsonl"], 2, "a weight must be above 0"),
        (["a.jsonl=x", "b.jsonl"], 2, "a.jsonl=x does not exist"),
        (["none.jsonl=2", "b.jsonl"], 2, "none.jsonl does not exist"),
        (["a.jsonl=2", "pairs.jsonl"], 1, "conversations and pairs cannot be learned together"),
        (["a.jsonl=2", "STORIES"], 2, "only they have weights"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(data, place, tmp_path, capsys, paths, code, word):  # noqa: F811
    given = [place / "stories" if path == "STORIES" else f"{data}/{path}" for path in paths]
    got, _, err = daneel(capsys, "train", *given, "--base", data / "base", *FAST, "-o", tmp_path / "run")
    assert (got, word in err, "Traceback" in err) == (code, True, False), err
    assert not (tmp_path / "run").exists()
