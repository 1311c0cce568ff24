"""Ids and logits of another tool, for texts: run as a script of its own, in which `daneel` cannot be imported.

    python -P peers.py hf|gguf|ct2 MODEL REQUEST.json ANSWER.npz

The request has `texts`, and for each of them `ids` and `tokens` (their names). The answer has for text n the tool's own
ids (`ids0`; CTranslate2 has no tokenizer) and the logits of the requested ids, [T, V] (`logits0`). For an
encoder-decoder the request also has `begun`, what its decoder reads beside the ids, and `target_tokens`, what it gives
but for the end; the logits are then those of the targets, or only log-probabilities, [T, 1] (`logprobs0`).
"""

import ctypes
import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Request = dict[str, list[Any]]
Answer = dict[str, NDArray[Any]]


def hf(path: str, request: Request) -> Answer:
    """Transformers in float32, whatever type the file has."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path)
    kind = AutoModelForSeq2SeqLM if "begun" in request else AutoModelForCausalLM
    model: Any = kind.from_pretrained(path, dtype=torch.float32)
    model.eval()
    out: Answer = {}
    with torch.no_grad():
        for n, (text, ids) in enumerate(zip(request["texts"], request["ids"], strict=True)):
            out[f"ids{n}"] = np.array(tokenizer(text)["input_ids"])
            begun = {"decoder_input_ids": torch.tensor([request["begun"][n]])} if "begun" in request else {}
            out[f"logits{n}"] = model(torch.tensor([ids]), **begun).logits[0].numpy()
    return out


def ct2(path: str, request: Request) -> Answer:
    """CTranslate2, which computes what it stored in float32."""
    import ctranslate2

    if "begun" in request:
        translator = ctranslate2.Translator(path, device="cpu", compute_type="float32")
        scores = translator.score_batch(request["tokens"], request["target_tokens"])
        return {f"logprobs{n}": np.array(score.log_probs)[:, None] for n, score in enumerate(scores)}
    generator = ctranslate2.Generator(path, device="cpu", compute_type="float32")
    return {f"logits{n}": np.array(generator.forward_batch([tokens]))[0] for n, tokens in enumerate(request["tokens"])}


class _Parameters(ctypes.Structure):
    """What llama.cpp passes by value: room enough, and never looked into but for four sizes of a context."""

    _fields_ = [("sizes", ctypes.c_uint32 * 4), ("rest", ctypes.c_byte * 1008)]


class _Batch(ctypes.Structure):
    """`llama_batch`."""

    _fields_ = [
        ("count", ctypes.c_int32),
        ("token", ctypes.POINTER(ctypes.c_int32)),
        ("embd", ctypes.c_void_p),
        ("pos", ctypes.POINTER(ctypes.c_int32)),
        ("seqs", ctypes.POINTER(ctypes.c_int32)),
        ("seq", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
        ("logits", ctypes.POINTER(ctypes.c_int8)),
    ]


def gguf(path: str, request: Request) -> Answer:
    """llama.cpp through its C interface, which the extension module of xllamacpp exports.

    The interface of Python gives no probabilities of a prompt.
    """
    lib = ctypes.CDLL(importlib.import_module("xllamacpp.xllamacpp").__file__)
    pointer, integer, text = ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p
    for name, result, takes in (
        ("llama_model_default_params", _Parameters, []),
        ("llama_context_default_params", _Parameters, []),
        ("llama_model_load_from_file", pointer, [text, _Parameters]),
        ("llama_init_from_model", pointer, [pointer, _Parameters]),
        ("llama_set_n_threads", None, [pointer, integer, integer]),
        ("llama_model_get_vocab", pointer, [pointer]),
        ("llama_vocab_n_tokens", integer, [pointer]),
        (
            "llama_tokenize",
            integer,
            [pointer, text, integer, ctypes.POINTER(integer), integer, ctypes.c_bool, ctypes.c_bool],
        ),
        ("llama_batch_init", _Batch, [integer] * 3),
        ("llama_decode", integer, [pointer, _Batch]),
        ("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float), [pointer, integer]),
    ):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, takes
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(os.fsencode(path), lib.llama_model_default_params())
    if not model:
        raise RuntimeError("llama.cpp cannot load the file")
    vocabulary = lib.llama_model_get_vocab(model)
    size, cores = lib.llama_vocab_n_tokens(vocabulary), os.cpu_count() or 1
    longest = max(map(len, request["ids"]))
    out: Answer = {}
    for n, (words, ids) in enumerate(zip(request["texts"], request["ids"], strict=True)):
        raw, room = words.encode(), 4 * len(words.encode()) + 8
        found = (integer * room)()
        count = lib.llama_tokenize(vocabulary, raw, len(raw), found, room, True, False)
        out[f"ids{n}"] = np.array(found[:count])
        settings = lib.llama_context_default_params()
        settings.sizes[:] = [longest, longest, longest, 1]  # n_ctx, n_batch, n_ubatch, n_seq_max
        context = lib.llama_init_from_model(model, settings)
        lib.llama_set_n_threads(context, cores, cores)
        batch = lib.llama_batch_init(len(ids), 0, 1)
        batch.count = len(ids)
        for i, token in enumerate(ids):
            batch.token[i], batch.pos[i], batch.seqs[i], batch.logits[i] = token, i, 1, 1
            batch.seq[i][0] = 0
        if status := lib.llama_decode(context, batch):
            raise RuntimeError(f"llama_decode gave {status}")
        rows = [np.ctypeslib.as_array(lib.llama_get_logits_ith(context, i), (size,)).copy() for i in range(len(ids))]
        out[f"logits{n}"] = np.stack(rows)
    return out


if __name__ == "__main__":
    sys.modules["daneel"] = None  # type: ignore[assignment]  # importing it now raises
    warnings.simplefilter("ignore")
    tools: dict[str, Callable[[str, Request], Answer]] = {"hf": hf, "gguf": gguf, "ct2": ct2}
    tool, path, request, answer = sys.argv[1:]
    with open(request, encoding="utf-8") as file:
        np.savez(answer, **tools[tool](path, json.load(file)))  # type: ignore[arg-type]
