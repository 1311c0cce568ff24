"""A model in the form another tool wants, called good once that tool has loaded it and its logits were compared.

The other tool computes in a process of its own (`peers.py`), in which daneel cannot be imported. It must agree with our
model with the weights rounded as the file stores them. Only then does the result appear under its name.
"""

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tokenizers
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

import daneel.formats.ct2 as ct2
import daneel.formats.gguf_write as gguf
from daneel.errors import ModelError, UsageError
from daneel.formats.architecture import Architecture
from daneel.formats.families import FAMILIES
from daneel.formats.gguf_write_tokenizer import ROLES, vocabulary
from daneel.formats.hf import read_config, read_json
from daneel.formats.peft import CONFIG, read_adapter
from daneel.model.decoder import Decoder
from daneel.model.encoder_decoder import EncoderDecoder, padded
from daneel.model.load import hf_tensors, load_model, save_weights
from daneel.run import sync
from daneel.store import resolve, tokenizer_folder
from daneel.store.progress import megabytes
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.patterns import PATTERNS, ggml_pre

Target = Literal["hf", "gguf", "ct2"]
Say = Callable[[str], None]
Floats = NDArray[np.float32]
GENERATION = "generation_config.json"
# What each takes as `quant`, the first if nothing is asked for.
QUANTS: dict[Target, tuple[str, ...]] = {
    "hf": ("float32", "bfloat16"),
    "gguf": ("q8_0", "q4_1", "q4_0", "bf16", "f32"),
    "ct2": ("int8", "int16", "bfloat16", "float32"),
}


@dataclass(frozen=True)
class Tool:
    """Who must be able to load the result."""

    name: str
    package: str
    extra: str

    @property
    def version(self) -> str | None:
        """None where it is not installed."""
        if importlib.util.find_spec(self.package) is None:
            return None
        return f"{self.name} ({self.package} {importlib.metadata.version(self.package)})"


TOOLS: dict[Target, Tool] = {
    "hf": Tool("Transformers", "transformers", "hf"),
    "gguf": Tool("llama.cpp", "xllamacpp", "export"),
    "ct2": Tool("CTranslate2", "ctranslate2", "export"),
}
# How far logits may differ, as `relative_difference` counts it; docs/export.md has what was measured. Transformers and
# CTranslate2 compute in float32. llama.cpp keeps keys and values in 16 bits and rounds what it multiplies by weights of
# bfloat16 to bfloat16, by integers to 8 bits in groups of 32.
TOLERANCES = {"f32": 0.005, "bf16": 0.05, "q8_0": 0.15, "q4_0": 0.15, "q4_1": 0.15}
EXACT = 1e-3
# Of the tokens. A first token has activations a hundred times as large as the rest (arXiv:2402.17762): what is near it
# may tip over when they are rounded, in a file that is right.
MOST = 0.9
# Digits, joins, spaces, line ends, scripts: where tokenizers part.
TEXTS = (
    "In 2042, the keeper's lamp burned;  it didn't go out.\n\nSo it is entered: 1984 ships, 3.5% lost.",
    "公元2042年，灯塔的看守人写下了最后一页日志：“海上没有风，也没有船。”他没有再点灯。",
    "def tally(lamps: int) -> int:\n    return lamps + 1  # naïve\n",
)
LONGEST = 64
"""Tokens of each text whose logits are compared."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    format: Target
    quant: str
    bytes: int
    verified_by: str | None
    """The tool and its version; None where it is not installed."""
    max_difference: float | None
    """The largest between two logits."""
    relative_difference: float | None
    """The root of the mean square between a token's logits, as a share of the standard deviation of all: what nine of
    ten tokens do not exceed, in the worst of the texts."""


@dataclass(frozen=True)
class Source:
    """A model of the store, an adapter merged."""

    name: str
    base: Path
    """The folder with the configuration."""
    model: Decoder
    tokenizer: Tokenizer
    tokenizer_folder: Path
    generation: dict[str, Any]

    def tensors(self) -> dict[str, Tensor]:
        """The weights by their Hugging Face names."""
        return hf_tensors(self.model.arch, self.model.state_dict())


def export(name: str, to: Target, out: Path, quant: str | None = None, say: Say = print) -> Exported:
    """Write the model that the store knows as `name` to `out`, whole or not at all.

    Raises UsageError if `out` exists or the format has no such `quant`; ModelError for a model that the format cannot
    describe, and for a result with which the other tool does not give the logits of ours: that is deleted.
    """
    quant = quant or QUANTS[to][0]
    if quant not in QUANTS[to]:
        raise UsageError(f"{to} has no {quant}: take one of {', '.join(QUANTS[to])}")
    if out.exists():
        raise UsageError(f"{out} exists already: name another place with -o, or remove it")
    if to == "ct2" and (missing := [p for p in ("ctranslate2", "transformers") if importlib.util.find_spec(p) is None]):
        raise ModelError(f"ct2 is converted by {' and '.join(missing)}: pip install 'daneel[export]'")
    source = _source(name)
    with _staged(out) as new:
        try:
            WRITERS[to](source, new, quant, say)
            tool = TOOLS[to]
            largest = share = None
            if tool.version is None:
                say(f"not verified: install {tool.name} with pip install 'daneel[{tool.extra}]'")
            else:
                say(f"comparing with {tool.version}")
                tolerance = TOLERANCES[quant] if to == "gguf" else EXACT
                largest, share = _compare(source, to, new, tolerance)
        except ModelError as error:
            raise ModelError(f"{out} was not written: {str(error).replace(str(new), out.name)}") from None
        files = [new] if new.is_file() else list(new.rglob("*"))
        size = sum(file.stat().st_size for file in files)
    return Exported(out, to, quant, size, tool.version, largest, share)


def _source(name: str) -> Source:
    folder = resolve(name)
    words = tokenizer_folder(folder)
    base = resolve(read_adapter(folder).base) if (folder / CONFIG).exists() else folder
    tokenizer = Tokenizer.load(words)
    made = {"bos_token_id": tokenizer.bos, "eos_token_id": list(tokenizer.eos) or None}
    found = next((place / GENERATION for place in (folder, base) if (place / GENERATION).exists()), None)
    generation = read_json(found) if found else {key: value for key, value in made.items() if value is not None}
    model = load_model(folder)
    if model.arch.labels:
        raise ModelError(f"{name} tells labels apart: it is a folder for Transformers as it stands, and not exported")
    return Source(Path(name).name, base, model, tokenizer, words, generation)


@contextmanager
def _staged(out: Path) -> Iterator[Path]:
    """A place beside `out` for what takes its name when the block ends well; nothing stays behind otherwise."""
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out.name}.new-"
    for leftover in out.parent.glob(f"{prefix}*"):  # of a kill
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=out.parent) as folder:
        new = Path(folder) / out.name
        try:
            yield new
            for path in [new, *new.rglob("*")]:
                path.chmod(0o755 if path.is_dir() else 0o644)
            sync(Path(folder))
        except OSError as error:
            error.filename = str(out)  # a full disk is noticed where the system knows no name
            raise
        os.replace(new, out)


def _require(out: Path, size: int) -> None:
    free = shutil.disk_usage(out.parent).free
    if free < size:
        raise ModelError(
            f"it needs {megabytes(size)}, the disk has {megabytes(free)} free: free some, or name another disk with -o"
        )


def _write_hf(source: Source, new: Path, quant: str, say: Say) -> None:
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[quant]
    _round(source.model, lambda weight, value: value.to(dtype).float())
    _require(new, sum(value.numel() for value in source.model.state_dict().values()) * dtype.itemsize)
    new.mkdir()
    source.tokenizer.save(new)
    config = {**read_config(source.base), "dtype": quant}
    config.pop("torch_dtype", None)
    for name, value in (("config.json", config), (GENERATION, source.generation)):
        (new / name).write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    state = {name: value.to(dtype) for name, value in source.model.state_dict().items()}
    try:
        save_weights(new / "model.safetensors", source.model.arch, state)
    except SafetensorError as error:
        raise ModelError(f"its weights cannot be written ({error})") from None
    with safe_open(new / "model.safetensors", framework="pt") as file:
        for name, tensor in source.tensors().items():
            if not torch.equal(file.get_tensor(name).float(), tensor):
                raise ModelError(f"tensor {name} is not what was written")


def _write_gguf(source: Source, new: Path, quant: str, say: Say) -> None:
    arch, tokenizer = source.model.arch, source.tokenizer
    tensors = _arrays(source.tensors())
    layout = gguf.places(arch, tensors, quant)
    if small := gguf.fallbacks(layout, quant):
        say(f"{len(small)} matrices, {small[0]} among them, keep 16 bits: their rows do not divide into blocks of 32")
    words = _vocabulary(source, arch.vocab_size)
    _require(new, gguf.file_bytes(layout, tensors))
    gguf.write_gguf(new, arch, layout, tensors, quant, source.name, words)
    kinds = {place.source: place.kind for place in layout}
    _round(source.model, lambda weight, value: torch.from_numpy(gguf.rounded(value.numpy(), kinds[weight])))
    gguf.read_back(new, arch, layout, _arrays(source.tensors()))
    if rest := tokenizer.eos[len(ROLES) :]:
        names = ", ".join(map(tokenizer.token, rest))
        say(f"GGUF has room for {len(ROLES)} ends of a text: llama.cpp stops at {names} only if it knows them by name")


def _vocabulary(source: Source, size: int) -> dict[str, Any]:
    """The tokenizer as metadata."""
    folder, tokenizer = source.tokenizer_folder, source.tokenizer
    pre = ggml_pre(folder)
    if pre is None:
        raise ModelError(
            "llama.cpp has no tokenizer like that of this model; take --to hf, or a vocabulary of "
            f"`daneel tokenizer train --pattern {'|'.join(PATTERNS)}`"
        )
    raw = read_json(folder / "tokenizer.json")
    first = tokenizer.token_bytes(tokenizer.encode("a")[0])
    template = tokenizer.chat.source if tokenizer.chat else None
    return vocabulary(
        raw, pre=pre, size=size, bos=tokenizer.bos, eos=tokenizer.eos, pad=tokenizer.names.get("pad_token"),
        unknown=tokenizer.names.get("unk_token"), add_bos=tokenizer.add_bos, space_prefix=first.startswith(b" "),
        template=template,
    )  # fmt: skip


def _write_ct2(source: Source, new: Path, quant: str, say: Say) -> None:
    middle = new.parent / "hf"
    _require(new, 2 * torch.float32.itemsize * sum(value.numel() for value in source.model.state_dict().values()))
    _write_hf(source, middle, "float32", say)
    if source.model.arch.family == "t5" and source.model.head is not None:
        _scale_head(middle, source.model.arch)
    _fill_tokenizer(middle, source)
    converter = [sys.executable, "-c", "from ctranslate2.converters.transformers import main; main()"]
    _run(
        [*converter, "--model", str(middle), "--output_dir", str(new), "--quantization", quant], "the converter failed"
    )
    shutil.rmtree(middle)

    def keep(weight: str, value: Tensor) -> Tensor:
        matrix = value.ndim == 2 and not weight.endswith(("wpe.weight", "attention_bias.weight", "logits_bias"))
        # The converter lays Q, K and V together, but not the two halves that are one matrix here.
        parts = value.chunk(2) if ".gate_proj." in weight or ".wi_0." in weight else (value,)
        return torch.cat([torch.from_numpy(ct2.rounded(part.numpy(), quant, matrix)) for part in parts])

    _round(source.model, keep)


def _scale_head(folder: Path, arch: Architecture) -> None:
    """The converter takes every T5 for one whose states are scaled before the head, so the head makes up for it."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors["lm_head.weight"] *= arch.width**0.5
    save_file(tensors, path, metadata={"format": "pt"})


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, Floats]:
    return {name: value.numpy() for name, value in tensors.items()}


def _round(model: Decoder, keep: Callable[[str, Tensor], Tensor]) -> None:
    """Give the model the weights that the file keeps; `keep` gets the Hugging Face name of the first part of each."""
    state = model.state_dict()
    for weight in FAMILIES[model.arch.family].weights(model.arch):
        state[weight.ours].copy_(keep(weight.theirs[0], state[weight.ours]))


def _fill_tokenizer(folder: Path, source: Source) -> None:
    """CTranslate2 wants a name for every row of the embedding, and all three roles: GPT-2 has its end in each."""
    tokenizer = source.tokenizer
    end = tokenizer.token(tokenizer.eos[0] if tokenizer.eos else 0)
    settings = {"bos_token": end, "eos_token": end, "unk_token": end} | read_json(folder / "tokenizer_config.json")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    raw = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    raw.add_tokens([f"[PAD{id}]" for id in range(tokenizer.vocab_size, source.model.arch.vocab_size)])
    raw.save(str(folder / "tokenizer.json"))


WRITERS: dict[Target, Callable[[Source, Path, str, Say], None]] = {
    "hf": _write_hf,
    "gguf": _write_gguf,
    "ct2": _write_ct2,
}


def _run(command: list[str], what: str) -> None:
    """Run another tool. Raises ModelError with its last line."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise ModelError(f"{what}: {lines[-1] if lines else f'it ended with code {done.returncode}'}")


@torch.no_grad()
def _compare(source: Source, to: Target, new: Path, tolerance: float) -> tuple[float, float]:
    """The differences of `Exported`. Raises ModelError naming the place where the tool differs."""
    tokenizer, tool = source.tokenizer, TOOLS[to].name
    whole = [_read(source, text) for text in TEXTS]
    ids = [row[: min(LONGEST, source.model.arch.context)] for row in whole]
    request: dict[str, Any] = {"texts": TEXTS, "ids": ids, "tokens": _named(tokenizer, ids)}
    # Of an encoder-decoder: the beginning of the next text.
    targets = [ids[(n + 1) % len(ids)][: LONGEST // 2] for n in range(len(ids))]
    if isinstance(source.model, EncoderDecoder):
        begun = [[source.model.arch.start, *row] for row in targets]
        request |= {"begun": begun, "target_tokens": _named(tokenizer, targets)}
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "request.json", Path(folder) / "answer.npz"
        asked.write_text(json.dumps(request), encoding="utf-8")
        script = str(Path(__file__).with_name("peers.py"))
        _run([sys.executable, "-P", script, to, str(new), str(asked), str(answered)], f"{tool} cannot run it")
        with np.load(answered) as file:
            answer = dict(file)
    largest = worst = 0.0
    for n, text in enumerate(TEXTS):
        if f"ids{n}" in answer and (theirs := answer[f"ids{n}"].tolist()) != whole[n]:
            at = next((i for i, (a, b) in enumerate(zip(whole[n], theirs, strict=False)) if a != b), len(theirs))
            ours, others = (list(map(tokenizer.token, row[at : at + 4])) for row in (whole[n], theirs))
            raise ModelError(
                f"{tool} reads {text[:40]!r} as other tokens, from token {at} on: {others} where ours are {ours}"
            )
        want, got = _logits(source.model, ids[n], targets[n]), answer.get(f"logits{n}")
        if got is None:  # of a target CTranslate2 tells only how probable each token is
            want, got = _logprobs(source.model, want, [*targets[n], tokenizer.eos[0]]), answer[f"logprobs{n}"]
        if got.shape != want.shape:
            raise ModelError(f"{tool} has {got.shape[-1]} logits a token, not {want.shape[-1]}")
        difference = np.abs(got - want)
        tokens = np.sqrt(np.square(difference).mean(axis=-1)) / want.std()
        share = float(np.quantile(tokens, MOST))
        if not share <= tolerance:
            row = int(tokens.argmax())
            raise ModelError(
                f"{tool} gives other logits than daneel, most at token {row} of {text[:40]!r}: they differ by "
                f"{share:.1%} of their spread, {tolerance:.1%} is what rounding explains"
            )
        largest, worst = max(largest, float(difference.max())), max(worst, share)
    return largest, worst


def _read(source: Source, text: str) -> list[int]:
    """What the model reads for a text; of an encoder-decoder, for a source."""
    tokenizer = source.tokenizer
    ids = tokenizer.prefix + tokenizer.encode(text)
    return [*ids, tokenizer.eos[0]] if isinstance(source.model, EncoderDecoder) else ids


def _named(tokenizer: Tokenizer, rows: list[list[int]]) -> list[list[str]]:
    return [[tokenizer.token(id) for id in row] for row in rows]


def _logits(model: Decoder, ids: list[int], targets: list[int]) -> Floats:
    """Of the ids, or of what an encoder-decoder that reads them writes as targets."""
    if not isinstance(model, EncoderDecoder):
        logits: Floats = model(torch.tensor([ids]))[0].numpy()
        return logits
    begun = torch.tensor([[model.arch.start, *targets]])
    written: Floats = model(begun, memory=model.remember(padded([ids], 0)))[0].numpy()
    return written


def _logprobs(model: Decoder, logits: Floats, targets: list[int]) -> Floats:
    """Of the targets, [T, 1]; CTranslate2 knows no padding of a Marian."""
    rows = torch.from_numpy(logits)
    if model.arch.zero_pad:
        rows[:, model.arch.pad] = -torch.inf
    out: Floats = rows.log_softmax(-1).gather(1, torch.tensor(targets)[:, None]).numpy()
    return out
