"""Real weights: our logits beside Transformers', our perplexity beside llama.cpp's.

    python bench/parity.py [--english PATH] [--chinese PATH] [--json]

Logits: 512 tokens in float32, both from the dequantised folder. Perplexity: 2,000 tokens, teacher-forced, the same
ids; ours in float32 from the folder, and as `daneel write` computes by default, a token at a time; llama.cpp from the
GGUF file, and as a control from the same weights in a GGUF file of float32. On quantised weights llama.cpp rounds
activations to 8 bits, so the two need not agree; on float32 they must. Perplexity ratios are llama.cpp's over ours:
1 is equal, and 0.995 to 1.005 the goal.
"""

import ctypes
import importlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import torch
from common import ROOT, Row, installed, parser, pulled, read_text, report, say
from numpy.typing import NDArray

from daneel.generate.torch_backend import TorchBackend
from daneel.lm.local import LocalModel
from daneel.model.likelihood import Reader
from daneel.model.load import load_model
from daneel.tokenizer.load import Tokenizer

LOGITS, TOKENS = 512, 2000
LANGUAGES = {"smollm2": ("english",), "gemma3": ("english", "chinese")}
# Rows of logits that llama.cpp keeps at a time: 128 x 262,144 x 4 bytes is 134 MB.
ROWS = 128
Floats = NDArray[np.float32]


class Struct(ctypes.Structure):
    """Parameters that llama.cpp passes by value: the first fields are known, the rest is room enough."""

    _fields_ = [("sizes", ctypes.c_uint32 * 4), ("rest", ctypes.c_byte * 1008)]


class Batch(ctypes.Structure):
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


class LlamaCpp:
    """llama.cpp's C interface, which the extension module of xllamacpp exports.

    Its server gives no probabilities of a prompt, and asking it for one token after each prefix takes minutes.
    """

    def __init__(self, gguf: Path, context: int) -> None:
        lib = ctypes.CDLL(importlib.import_module("xllamacpp.xllamacpp").__file__)
        pointer = ctypes.c_void_p
        self._quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, pointer)(lambda *_: None)
        lib.llama_log_set(self._quiet, None)
        for name, result, takes in (
            ("llama_model_default_params", Struct, []),
            ("llama_context_default_params", Struct, []),
            ("llama_model_load_from_file", pointer, [ctypes.c_char_p, Struct]),
            ("llama_init_from_model", pointer, [pointer, Struct]),
            ("llama_set_n_threads", None, [pointer, ctypes.c_int32, ctypes.c_int32]),
            ("llama_model_get_vocab", pointer, [pointer]),
            ("llama_vocab_n_tokens", ctypes.c_int32, [pointer]),
            ("llama_batch_init", Batch, [ctypes.c_int32] * 3),
            ("llama_decode", ctypes.c_int32, [pointer, Batch]),
            ("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float), [pointer, ctypes.c_int32]),
        ):
            function = getattr(lib, name)
            function.restype, function.argtypes = result, takes
        lib.llama_backend_init()
        model = lib.llama_model_load_from_file(str(gguf).encode(), lib.llama_model_default_params())
        settings = lib.llama_context_default_params()
        settings.sizes[:] = [context, ROWS, ROWS, 1]  # n_ctx, n_batch, n_ubatch, n_seq_max
        self._context = lib.llama_init_from_model(model, settings)
        assert self._context, f"llama.cpp could not open {gguf}"
        cores = os.cpu_count() or 1
        lib.llama_set_n_threads(self._context, cores, cores)
        self._vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
        self._lib = lib

    def logits(self, ids: list[int]) -> Iterator[Floats]:
        """What follows each of the ids, row by row."""
        batch = self._lib.llama_batch_init(ROWS, 0, 1)
        for start in range(0, len(ids), ROWS):
            part = ids[start : start + ROWS]
            batch.count = len(part)
            for i, token in enumerate(part):
                batch.token[i], batch.pos[i], batch.seqs[i], batch.logits[i] = token, start + i, 1, 1
                batch.seq[i][0] = 0
            status = self._lib.llama_decode(self._context, batch)
            assert status == 0, f"llama_decode gave {status}"
            for i in range(len(part)):
                row = self._lib.llama_get_logits_ith(self._context, i)
                yield np.ctypeslib.as_array(row, (self._vocabulary,))


def in_float32(source: Path, target: Path) -> None:
    """The same model in a GGUF file without quantisation; all that is said of it is copied."""
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        inner = field.types[-1] if field.types[0] is gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], inner)
    for tensor in reader.tensors:
        weights = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, weights, raw_shape=weights.shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def theirs(file: Path, read: list[int], targets: list[int]) -> float:
    """llama.cpp's perplexity."""
    return perplexity(LlamaCpp(file, TOKENS).logits(read), targets)


def decoded(folder: Path, ids: list[int]) -> Iterator[Floats]:
    """What follows each of the ids as `daneel write` computes it: one token at a time, through its cache."""
    model = LocalModel(folder, dtype="auto")
    say(f"{folder.name}: {model.backend}")
    backend = TorchBackend(model.model)
    backend.open(1, len(ids))
    yield backend.prefill(0, ids[:1])
    for token in ids[1:]:
        yield backend.decode([token])[0]


def perplexity(rows: Iterator[Floats], targets: list[int]) -> float:
    """e to the mean of -log p of the targets."""
    total = 0.0
    for row, target in zip(rows, targets, strict=True):
        highest = row.max()
        total += float(highest - row[target]) + float(np.log(np.exp(row - highest).sum(dtype=np.float64)))
    return float(np.exp(total / len(targets)))


@torch.inference_mode()
def logit_row(name: str, language: str, folder: Path, ids: list[int]) -> Row:
    """The largest difference to Transformers."""
    from transformers import AutoModelForCausalLM

    ids_BT = torch.tensor([ids])
    ours = load_model(folder)(ids_BT)
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()(ids_BT).logits
    return {
        "model": name, "text": language, "tokens": len(ids), "compared with": "transformers, float32 logits",
        "largest difference": float(f"{(ours - theirs).abs().max():.2e}"),
        "logits from": round(float(theirs.min()), 1), "logits to": round(float(theirs.max()), 1),
        "same next token": float((ours.argmax(-1) == theirs.argmax(-1)).float().mean()),
    }  # fmt: skip


def main() -> None:
    arguments = parser(__doc__)
    samples = ROOT / "samples"
    arguments.add_argument("--english", type=Path, default=samples / "keeper", help="a .txt file or a folder")
    arguments.add_argument("--chinese", type=Path, default=samples / "chinese", help="a .txt file or a folder")
    args = arguments.parse_args()
    transformers, llamacpp = installed("Transformers", "transformers"), installed("llama.cpp", "xllamacpp")
    rows: list[Row] = []
    ratios = {}
    for name, languages in LANGUAGES.items():
        folder = pulled(name)
        for language in languages if folder else ():
            assert folder is not None
            tokenizer = Tokenizer.load(folder)
            text = read_text(getattr(args, language))
            ids = (tokenizer.prefix + tokenizer.encode(text))[: TOKENS + 1]
            if transformers:
                rows.append(logit_row(name, language, folder, ids[:LOGITS]))
                say(str(rows[-1]))
            if llamacpp:
                read, targets = ids[:-1], ids[1:]
                exact = float(np.exp(-Reader(load_model(folder)).logprobs(ids).mean()))
                quantised = next(folder.glob("*.gguf"))
                with tempfile.TemporaryDirectory() as temporary:
                    in_float32(quantised, Path(temporary) / "float32.gguf")
                    control = theirs(Path(temporary) / "float32.gguf", read, targets)
                found = {
                    "llama.cpp": theirs(quantised, read, targets),
                    "llama.cpp, float32 file": control,
                    "as write decodes": perplexity(decoded(folder, read), targets),
                }
                rows.append({
                    "model": name, "text": language, "tokens": len(targets), "compared with": "llama.cpp, perplexity",
                    "float32": round(exact, 4), **{label: round(value, 4) for label, value in found.items()},
                    "within 0.5 %": abs(found["llama.cpp"] / exact - 1) <= 0.005,
                })  # fmt: skip
                ratios[f"{name}_{language}_perplexity"] = found["llama.cpp"] / exact
                ratios[f"{name}_{language}_perplexity_control"] = control / exact
                ratios[f"{name}_{language}_perplexity_as_written"] = found["llama.cpp"] / found["as write decodes"]
                say(str(rows[-1]))
    report(rows, ratios, ("torch", "transformers", "xllamacpp"), args.json)


if __name__ == "__main__":
    main()
