"""Plain text from the command line to a T5 that Transformers loads."""

import json

import pytest
import tiny
import torch
from cli.test_train import _one_thread, daneel, place  # noqa: F401
from transformers import AutoTokenizer, T5ForConditionalGeneration

from daneel.corpus.build import read_corpus
from daneel.tokenizer.load import Tokenizer
from daneel.train.objectives import spans

FAST = ["--base", "scratch", "--size", "2m", "--length", "64", "--batch", "2", "--dtype", "float32", "--compile", "off"]
FAST += ["--steps", "4", "--evals", "1", "--set", "eval_rows=9999"]


def test_a_folder_becomes_a_t5_whose_held_out_loss_is_that_of_transformers(place, tmp_path, capsys):  # noqa: F811
    run = tmp_path / "run"
    code, out, err = daneel(
        capsys, "train", place / "stories", "--shape", "t5", "--set", "seed=3", "-o", run, "--json", *FAST
    )
    assert code == 0, err
    measured = json.loads(out)["heldout_loss"]
    model, tokenizer = T5ForConditionalGeneration.from_pretrained(run), AutoTokenizer.from_pretrained(run)
    (mark,) = tokenizer("<extra_id_7>", add_special_tokens=False).input_ids
    assert tokenizer.decode([mark]) == "<extra_id_7>"
    ours = Tokenizer.load(run)
    texts = [document.text for document in read_corpus(run / "daneel" / "corpus").heldout]
    total, count = 0.0, 0
    for document in spans(ours, ours.encode_batch(texts), model.config.decoder_start_token_id, 64, 3):
        source, target = (torch.tensor([ids.astype(int).tolist()]) for ids in (document.source, document.ids[1:]))
        with torch.no_grad():
            total += model(input_ids=source, labels=target).loss.item() * target.numel()
        count += target.numel()
    assert total / count == pytest.approx(measured, rel=1e-4)


def test_preview_tells_where_the_loss_is(place, tmp_path, capsys):  # noqa: F811
    tiny.tiny_model(tmp_path / "t5", "t5")
    for base, said in ((tmp_path / "t5", "gaps"), (place / "base", "every token carries loss")):
        code, _, err = daneel(capsys, "train", place / "stories", "--base", base, "--preview")
        assert (code, said in err) == (0, True), err


def test_a_marian_does_not_fill_gaps(place, tmp_path, capsys):  # noqa: F811
    code, _, err = daneel(capsys, "train", place / "stories", "--shape", "marian", "-o", tmp_path / "run", *FAST)
    assert (code, "give llama or t5" in err) == (2, True), err
