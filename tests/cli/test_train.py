"""`daneel train` from the command line to a run that others load."""

import json
import re

import pytest
import tiny
import torch
from safetensors.torch import load_file

from daneel.cli import main
from daneel.data.loader import unpack
from daneel.tokenizer.load import Tokenizer
from daneel.train.prepare import open_shards

FAST = ["--length", "32", "--batch", "2", "--dtype", "float32", "--compile", "off", "--eval-bytes", "2000"]
STORY = "\n\n".join(
    f"The keeper lit lamp {i} at dusk. She counted it, and wrote it down in the ledger, and the drift went by. "
    "So it is entered." for i in range(40)
)  # fmt: skip
OTHER = "\n\n".join(f"Dez runs! Block {i} blurs past, neon everywhere, and who's counting anyway?" for i in range(40))
CHATS = [
    {"messages": [{"role": "user", "content": f"What is {i}?"}, {"role": "assistant", "content": f"灯 {i}"}]}
    for i in range(12)
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("train")
    tiny.tiny_model(root / "base", std=0.05)
    (root / "stories").mkdir()
    for i in range(5):
        (root / "stories" / f"{i}.txt").write_text(f"Story {i}\n\n{STORY}", encoding="utf-8")
    (root / "other.txt").write_text(OTHER, encoding="utf-8")
    (root / "chats.jsonl").write_text("\n".join(json.dumps(chat) for chat in CHATS), encoding="utf-8")
    return root


@pytest.fixture(autouse=True)
def _one_thread():
    """So small a model is faster on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def daneel(capsys, *args):
    """Exit code, stdout and stderr of a call."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    out, err = capsys.readouterr()
    return stop.value.code, out, err


def test_a_folder_becomes_an_adapter_with_report_and_card(place, tmp_path, capsys):
    run = tmp_path / "run"
    code, out, err = daneel(
        capsys, "train", place / "stories", "--base", place / "base", "--stranger", place / "other.txt", "-o", run,
        "--steps", 12, "--rank", 4, "--lr", "0.02", "--json", *FAST,
    )  # fmt: skip
    assert code == 0, err
    facts = json.loads(out)
    assert facts["gain"]["tuned"]["author"]["low"] > 0
    assert facts["steps"] == 12
    assert json.loads((run / "daneel" / "report.json").read_text()) == facts
    estimate = facts["estimate"]
    assert estimate["steps"] == {"foreseen": 12, "happened": 12}
    for name, least, most in (("memory_bytes", 0.5, 2), ("disk_bytes", 0.3, 3)):
        assert least < estimate[name]["happened"] / estimate[name]["foreseen"] < most, name
    assert estimate["seconds"]["happened"] > 0
    assert len(facts["samples"]["after"]) == 5
    page = (run / "report.html").read_text(encoding="utf-8")
    assert facts["sentence"].split(":")[0] in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    adapter = json.loads((run / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == str(place / "base")
    card = (run / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    assert "- recipe `default`: " in card
    assert "](daneel/corpus/card.md)" in card
    assert (run / "daneel/corpus/card.md").is_file()
    code, out, _ = daneel(capsys, "write", "The keeper", "-m", run, "-n", 8, "--seed", 1, "--json")
    assert json.loads(out)["completion_tokens"] == 8
    # And the same folder again is refused, not overwritten.
    code, _, err = daneel(capsys, "train", place / "stories", "--base", place / "base", "-o", run, *FAST)
    assert code == 2
    assert "--resume" in err


def test_a_terminal_sees_how_it_goes_and_whether_it_was_foreseen(place, tmp_path, capsys):
    run = tmp_path / "run"
    args = ["train", place / "stories", "--base", place / "base", "--steps", 3, "--rank", 4, *FAST]
    code, _, err = daneel(capsys, *args, "-o", run, "--tensorboard")
    assert code == 0, err
    number = r"[\d.]+"
    assert re.search(
        rf"step 2/3  loss {number} \({number} bits per byte\)  gradient {number}  \d+ tokens/s  \d+% of peak  "
        rf"{number} GB  \d+ s left", err,
    )  # fmt: skip
    assert re.search(rf"held-out loss {number} \({number} bits per byte\)", err)
    assert re.search(
        rf"foreseen and happened: \d+ s and \d+ s of training, {number} and {number} GB of memory, "
        rf"{number} and {number} GB of disk", err,
    )  # fmt: skip
    assert list((run / "daneel" / "tensorboard").glob("events.out.tfevents.*"))


def test_averaged_weights_are_measured_and_the_better_ones_saved(place, tmp_path, capsys):
    run = tmp_path / "run"
    args = ["train", place / "stories", "--base", place / "base", "--steps", 4, "--rank", 4, "--average", "0.9", *FAST]
    code, _, err = daneel(capsys, *args, "-o", run)
    assert code == 0, err
    loss = float(re.search(r"step 4/4  held-out loss of the averaged weights ([\d.]+)", err)[1])
    facts = json.loads((run / "daneel" / "report.json").read_text())
    log = [json.loads(line) for line in (run / "daneel" / "log.jsonl").read_text().splitlines()]
    best = min(row["heldout"] for row in log if "heldout" in row)
    assert facts["heldout_loss"] == pytest.approx(min(best, loss), abs=1e-4)
    assert ("the average up to step 4" in err) is (loss < best)
    code, _, err = daneel(capsys, *args, "-o", tmp_path / "none", "--evals", 0)
    assert (code, "--average" in err, (tmp_path / "none").exists()) == (2, True, False)


def test_tensorboard_without_its_package_is_one_line_before_any_work(place, tmp_path, capsys, monkeypatch):
    from daneel.train import watch

    monkeypatch.setattr(watch, "find_spec", lambda name: None)
    run = tmp_path / "run"
    args = ["train", place / "stories", "--base", place / "base", "-o", run, "--tensorboard", *FAST]
    code, _, err = daneel(capsys, *args)
    assert (code, "pip install 'daneel[tensorboard]'" in err, run.exists()) == (2, True, False)


def test_merge_writes_a_whole_model_and_full_changes_every_matrix(place, tmp_path, capsys):
    base = load_file(place / "base" / "model.safetensors")
    for name, extra in (("merged", ["--merge", "--rank", 4]), ("full", ["--method", "full"])):
        run = tmp_path / name
        code, _, err = daneel(
            capsys, "train", place / "stories", "--base", place / "base", "-o", run, "--steps", 3, *extra, *FAST
        )
        assert code == 0, err
        tensors = load_file(run / "model.safetensors")
        assert tensors.keys() == base.keys()
        changed = {key for key in base if not base[key].equal(tensors[key])}
        assert all("proj" in key for key in changed) is (name == "merged")
        assert not (run / "adapter_config.json").exists()


def test_merge_adds_the_adapter_to_the_base_as_it_was_not_as_training_rounded_it(place, tmp_path, capsys):
    base = load_file(place / "base" / "model.safetensors")
    run = tmp_path / "run"
    fast = [word if word != "float32" else "bfloat16" for word in FAST]
    code, _, err = daneel(
        capsys, "train", place / "stories", "--base", place / "base", "-o", run, "--steps", 2, "--merge",
        "--targets", "q_proj, v_proj", *fast,
    )  # fmt: skip
    assert code == 0, err
    tensors = load_file(run / "model.safetensors")
    changed = {key.split(".")[-2] for key in base if not base[key].equal(tensors[key])}
    assert changed == {"q_proj", "v_proj"}


@pytest.mark.parametrize("inside", ["daneel", "daneel/config.json", "notes.txt"])
def test_a_folder_that_is_no_run_is_left_as_it_is(place, tmp_path, capsys, inside):
    mine = tmp_path / "mine" / inside
    mine.parent.mkdir(parents=True)
    if "." in inside:
        mine.write_text("{}")
    else:
        mine.mkdir()
    code, _, err = daneel(capsys, "train", place / "stories", "--base", place / "base", "-o", tmp_path / "mine", *FAST)
    assert code == 2
    assert "not empty" in err
    assert mine.exists()


def test_a_run_that_was_killed_before_its_first_checkpoint_gives_way(place, tmp_path, capsys):
    left = tmp_path / "run" / "daneel" / "unfinished"
    left.parent.mkdir(parents=True)
    left.touch()
    code, _, err = daneel(
        capsys, "train", place / "stories", "--base", place / "base", "-o", tmp_path / "run", "--steps", 1, *FAST
    )
    assert code == 0, err
    assert not left.exists()


@pytest.mark.slow
def test_a_demo_replaces_a_demo_but_only_when_the_new_one_is_under_way(place, tmp_path, capsys):
    base = tiny.tiny_model(tmp_path / "base", std=0.05, max_position_embeddings=1024)
    demo = ["demo", place / "stories", "-m", base, "-o", tmp_path / "run"]
    assert daneel(capsys, *demo, "--budget", "3s")[0] == 0
    report = tmp_path / "run" / "report.html"
    before = report.stat().st_ino
    assert daneel(capsys, *demo, "--budget", "0.01s")[0] == 1
    assert report.stat().st_ino == before
    assert daneel(capsys, *demo, "--budget", "3s")[0] == 0
    assert report.stat().st_ino != before
    assert {path.name for path in tmp_path.iterdir()} == {"base", "run"}


def test_a_note_of_one_paragraph_trains_and_says_that_there_is_no_interval(place, tmp_path, capsys):
    paragraph = "The lamp was lit at dusk, and the keeper wrote it down in the book. " * 12
    (tmp_path / "note.txt").write_text(f"{paragraph}\n\n" * 4)
    code, _, err = daneel(
        capsys, "train", tmp_path / "note.txt", "--base", place / "base", "-o", tmp_path / "run", "--steps", 1, *FAST
    )
    assert code == 0, err
    assert "no interval" in err


def test_an_adapter_refuses_a_base_that_changed(place, tmp_path, capsys):
    base = tiny.tiny_model(tmp_path / "base", std=0.05)
    code, _, err = daneel(
        capsys, "train", place / "stories", "--base", base, "-o", tmp_path / "run", "--steps", 1, *FAST
    )
    assert code == 0, err
    tiny.tiny_model(base, seed=1)
    code, _, err = daneel(capsys, "write", "The", "-m", tmp_path / "run")
    assert code == 1
    assert "has changed since" in err


def test_conversations_learn_the_answers_only(place, tmp_path, capsys):
    run = tmp_path / "run"
    code, _, err = daneel(
        capsys, "train", place / "chats.jsonl", "--base", place / "base", "-o", run, "--steps", 4, "--heldout", 0.25,
        "--length", 64, *FAST[2:],
    )  # fmt: skip
    assert code == 0, err
    assert "9 records to learn from, 3 held out" in err
    train, heldout = open_shards(run / "daneel" / "shards")
    assert heldout is not None
    batch = unpack(**train.rows(__import__("numpy").arange(len(train))))
    tokenizer = Tokenizer.load(place / "base")
    learned = tokenizer.decode(batch.targets[batch.weights > 0].tolist())
    assert "灯" in learned
    assert "What is" not in learned
    assert json.loads((run / "daneel" / "report.json").read_text())["heldout_loss"] > 0


def test_conversations_in_several_files_beside_a_readme(place, tmp_path, capsys):
    folder = tmp_path / "chats"
    folder.mkdir()
    (folder / "README.md").write_text("Conversations.")
    for name in "ab":
        (folder / f"{name}.jsonl").write_text((place / "chats.jsonl").read_text("utf-8"), "utf-8")
    code, _, err = daneel(
        capsys, "train", folder, place / "chats.jsonl", "--base", place / "base", "-o", tmp_path / "run", "--steps", 1,
        "--length", 64, "--stranger", place / "other.txt", *FAST[2:],
    )  # fmt: skip
    assert code == 0, err
    assert "32 records to learn from, 4 held out" in err
    assert "--stranger is left out" in err


def test_preview_shows_what_carries_loss(place, capsys):
    code, _, err = daneel(capsys, "train", place / "chats.jsonl", "--base", place / "base", "--preview")
    assert code == 0
    assert "tokens carry loss" in err


@pytest.mark.slow
def test_from_scratch_makes_a_vocabulary_and_a_model(place, tmp_path, capsys):
    run = tmp_path / "run"
    code, out, err = daneel(
        capsys,
        "train",
        place / "stories",
        "--base",
        "scratch",
        "--size",
        "3m",
        "-o",
        run,
        "--steps",
        6,
        "--json",
        *FAST,
    )
    assert code == 0, err
    assert json.loads(out)["gain"]["tuned"]["author"]["low"] > 0
    assert json.loads((run / "config.json").read_text())["model_type"] == "llama"


def test_dry_run_leaves_nothing(place, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = daneel(
        capsys, "train", place / "stories", "--base", place / "base", "--steps", 7, "--dry-run", "--json", *FAST
    )
    assert code == 0, err
    plan = json.loads(out)
    assert plan["steps"] == 7
    assert plan["seconds"] > 0
    assert plan["disk_bytes"] > 0
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_goes_on_from_the_command_line(place, tmp_path, capsys, monkeypatch):
    from daneel.train import loop

    run = tmp_path / "run"
    whole = tmp_path / "whole"
    args = ["--base", place / "base", "--steps", 6, "--checkpoint-every", 2, "--rank", 4, *FAST]
    daneel(capsys, "train", place / "stories", "-o", whole, *args)
    step = loop.Trainer.backward
    calls = []

    def interrupted(self):
        calls.append(1)
        if len(calls) == 8:  # three of the estimate, then the fifth step
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(loop.Trainer, "backward", interrupted)
    code, _, err = daneel(capsys, "train", place / "stories", "-o", run, *args)
    assert code == 130
    assert "--resume" in err
    monkeypatch.undo()
    code, _, err = daneel(capsys, "train", "--resume", "-o", run)
    assert code == 0, err
    assert "going on at step 4 of 6" in err
    a, b = (load_file(r / "adapter_model.safetensors") for r in (run, whole))
    assert all(a[key].equal(b[key]) for key in a)


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (["nowhere"], 2, "nowhere does not exist"),
        ([], 2, "name the text"),
        (["STORIES", "--set", "nothing=1"], 2, "nothing"),
        (["STORIES", "--set", "lr"], 2, "lacks a value"),
        (["STORIES", "--steps", "many"], 2, "many"),
        (["STORIES", "--budget", "soon"], 2, "soon"),
        (["STORIES", "--budget", "0.01s"], 1, "too short"),
        (["STORIES", "--targets", "nothing"], 2, "no linear"),
        (["STORIES", "--targets", "q_proj,w_proj"], 2, "no linear called w_proj"),
        (["STORIES", "--set", "length=4096"], 2, "reads at most 128 tokens"),
        (["STORIES", "--eval-bytes", "0"], 2, "eval-bytes"),
        (["--resume", "-o", "absent", "--steps", "9"], 2, "leave out steps"),
        (["STORIES", "--base", "scratch", "--size", "9t"], 2, "9t"),
        (["STORIES", "--recipe", "absent.toml"], 2, "absent.toml"),
        (["--resume", "-o", "absent"], 1, "no run to resume"),
        (["EMPTY"], 1, "no usable text"),
        (["STORIES", "--batch", "0"], 2, "batch"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(place, tmp_path, capsys, monkeypatch, args, code, word):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    names = {"STORIES": place / "stories", "EMPTY": tmp_path / "empty"}
    args = [names.get(arg, arg) for arg in args]
    base = [] if "--base" in args or "--resume" in args else ["--base", place / "base"]
    got, _, err = daneel(
        capsys, "train", *args, *base, *[f for f in FAST[:8] if "--resume" not in args and "0" not in args]
    )
    assert (got, word in err, "Traceback" in err) == (code, True, False), err
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_the_card_of_a_corpus_follows_the_model(place, tmp_path, capsys):
    code, _, err = daneel(capsys, "corpus", "build", place / "stories", "-o", tmp_path / "corpus", "--recipe", "books")
    assert code == 0, err
    args = ["train", tmp_path / "corpus", "--base", place / "base", "-o", tmp_path / "run", "--steps", 2, *FAST]
    code, _, err = daneel(capsys, *args)
    assert code == 0, err
    card = (tmp_path / "run/README.md").read_text(encoding="utf-8")
    assert "- recipe `books`: " in card
    assert "](daneel/corpus-card/card.md)" in card
    for name in ("card.md", "report.html"):
        assert (tmp_path / "run/daneel/corpus-card" / name).read_bytes() == (tmp_path / "corpus" / name).read_bytes()
    assert not (tmp_path / "run/daneel/corpus").exists()
    # Gone on with from the corpus itself.
    code, _, err = daneel(capsys, "train", "--resume", "-o", tmp_path / "run")
    assert code == 0, err
