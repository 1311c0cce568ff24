"""Pairs from the command line to an encoder-decoder that Transformers loads and that writes the same."""

import json

import pytest
import torch
import transformers
from cli.test_train import _one_thread, daneel  # noqa: F401

from daneel.generate.sampling import Sampling
from daneel.lm.base import Generation, Request
from daneel.lm.local import LocalModel

FAST = ["--base", "scratch", "--size", "2m", "--batch", "4", "--length", "32", "--steps", "8", "--dtype", "float32"]
FAST += ["--compile", "off", "--evals", "1"]
WORDS = ["lamp", "drift", "keeper", "灯塔", "star", "星", "ledger", "ship"]


def pairs(count=120):
    rows = [[WORDS[(n * step) % 8] for step in (1, 3, 5)] for n in range(count)]
    return [
        {"source": f"{n} {' '.join(row)}", "target": f"{' '.join(reversed(row))} {n}"} for n, row in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(pair, ensure_ascii=False) for pair in pairs()), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["marian", "t5"])
def test_what_is_trained_loads_in_transformers_and_writes_the_same(data, tmp_path, capsys, shape):
    run = tmp_path / "run"
    code, out, err = daneel(
        capsys, "train", data, *FAST, "--shape", shape, "--optimiser", "muon", "--dropout", "0.1",
        "--label-smoothing", "0.1", "-o", run, "--json",
    )  # fmt: skip
    assert code == 0, err
    facts = json.loads(out)
    assert facts["pairs"]["n"] == 12
    assert 0 <= facts["pairs"]["exact_match"]["value"] <= 1
    page = (run / "report.html").read_text("utf-8")
    assert "wanted" in page
    assert "BLEU" in page

    reference = transformers.AutoModelForSeq2SeqLM.from_pretrained(run).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(run)
    lm = LocalModel(run, dtype="float32")
    sources = [pair["source"] for pair in pairs(4)]
    batch = tokenizer(sources, return_tensors="pt", padding=True)
    assert batch.input_ids[0][: len(lm.encode(sources[0]))].tolist() == lm.encode(sources[0])
    want = reference.generate(
        input_ids=batch.input_ids, attention_mask=batch.attention_mask, max_new_tokens=12, num_beams=1, do_sample=False,
        forced_eos_token_id=None,
    )  # fmt: skip
    answers = lm.complete([Request(source) for source in sources], Generation(12, Sampling(temperature=0)))
    for row, answer in zip(want[:, 1:].tolist(), answers, strict=True):
        ids = [token.token for token in answer.tokens]
        assert row[: len(ids)] == ids


def test_a_base_that_cannot_learn_pairs_is_named(data, tmp_path, capsys):
    code, _, err = daneel(capsys, "train", data, *FAST, "--shape", "llama", "-o", tmp_path / "run")
    assert code == 2
    assert "--shape llama does not learn pairs" in err
    assert not (tmp_path / "run").exists()
    (tmp_path / "story.txt").write_text("The lamp was lit at dusk. " * 200)
    code, _, err = daneel(capsys, "train", tmp_path / "story.txt", *FAST, "--shape", "marian", "-o", tmp_path / "run")
    assert code == 2
    assert "does not learn documents" in err


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"source": "a", "target": "b"}, {"source": "a"}], "in no known form"),
        ([{"source": "a", "target": ""}], "must both be text"),
        ([{"source": "a", "target": "b"}, {"text": "c"}], "pairs.jsonl:2"),
    ],
)
def test_what_is_no_pair_is_named(tmp_path, capsys, rows, message):
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    code, _, err = daneel(capsys, "train", path, *FAST, "-o", tmp_path / "run")
    assert code in (1, 2)
    assert message in err


def test_a_model_for_pairs_neither_scores_nor_chats(data, tmp_path, capsys):
    run = tmp_path / "run"
    code, _, err = daneel(
        capsys,
        "train",
        data,
        *FAST[:-4],
        "--compile",
        "off",
        "--steps",
        "1",
        "--evals",
        "0",
        "--heldout",
        "0",
        "-o",
        run,
    )
    assert code == 0, err
    code, _, err = daneel(capsys, "eval", run, "--on", data, "--limit", "2", "--beams", "1")
    assert code == 0, err
    code, out, err = daneel(
        capsys, "write", "0 lamp lamp lamp", "-m", run, "--beams", "3", "--n-best", "2", "-n", "5", "--json"
    )
    assert code == 0, err
    assert len(json.loads(out)["texts"]) == 2
    story = tmp_path / "story.txt"
    story.write_text("The lamp was lit at dusk. " * 20)
    code, _, err = daneel(capsys, "eval", run, "--on", story)
    assert code == 1
    code, _, err = daneel(capsys, "chat", "-m", run)
    assert code != 0
    assert torch.get_num_threads() == 1
