"""Every setting: frozen dataclasses whose field docstrings become `--help`, TOML in, JSON beside each result."""

import ast
import inspect
import textwrap
import tomllib
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from daneel.errors import UsageError


@dataclass(frozen=True)
class TrainConfig:
    """How a model learns."""

    method: Literal["lora", "full"] = "lora"
    """lora trains small adapters beside frozen weights; full trains every weight."""
    steps: int | None = None
    """Optimiser steps; default: as many as the epochs need."""
    epochs: float | None = None
    """Passes over the training text; default: 3, from scratch as the size asks, or as many as the budget fits."""
    budget: str | None = None
    """Time to fit, as 90s, 20m or 1h30m: plans the steps by measuring a few."""
    lr: float | None = None
    """Peak learning rate; default 1e-3 for LoRA, 1e-4 for full, from scratch as the size asks."""
    optimiser: Literal["auto", "adamw", "muon"] = "auto"
    """muon moves the matrices of the blocks in all directions alike (arXiv:2502.16982), and adamw the rest; auto is
    muon for pairs from scratch."""
    schedule: Literal["cosine", "wsd"] = "cosine"
    """cosine falls from the peak to a tenth; wsd (warm-up, stable, decay) stays and falls to 0 in the last fifth."""
    warmup: float = 0.05
    """Share of the steps in which the rate rises to its peak."""
    batch: int | None = None
    """Rows of text a forward pass; default 4, from scratch as the size asks."""
    accumulate: int = 1
    """Forward passes an optimiser step."""
    length: int | None = None
    """Tokens a row, default 512, of pairs 128; documents are packed so that no place is padding."""
    rank: int = 16
    """LoRA rank."""
    alpha: float = 32.0
    """LoRA scale: the product is multiplied by alpha / rank."""
    targets: str = "all-linear"
    """Linears that get an adapter: all-linear, or names as q_proj,v_proj."""
    freeze: str | None = None
    """Weights that stay as they are: patterns over daneel's names, as embed*,blocks.0.*"""
    weight_decay: float = 0.01
    """AdamW's decay of matrices."""
    dropout: float = 0.0
    """Share of activations left out at random while training."""
    label_smoothing: float = 0.0
    """Share of a target's probability that is spread over all tokens."""
    beta: float = 0.1
    """Of preferences: how much a gain on the model that learning starts from counts; the less, the farther it goes."""
    temperature: float = 1.0
    """Of a teacher: above 1, what it holds unlikely counts more."""
    clip: float = 1.0
    """Longest gradient (its norm); longer ones are scaled down."""
    seed: int = 0
    """Everything drawn at random follows from it."""
    average: float | None = None
    """Decay of a moving average of the weights, as 0.999; the run ends with it if it is better on the held-out text."""
    evals: int = 6
    """Times the held-out text is measured on the way, and once before; 0 never measures it."""
    eval_rows: int = 32
    """Held-out rows a measurement reads at most."""
    patience: int = 3
    """Measurements without a better one after which training stops; 0 never stops early."""
    checkpoint_every: int = 100
    """Steps between checkpoints; every measurement that is the best so far makes one too."""
    keep: int = 2
    """Checkpoints kept besides the best."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic; auto is bfloat16 where the processor has it. Learned weights are float32 always."""
    compile: Literal["auto", "off"] = "auto"
    """auto fuses operations with the machine's C++ compiler when the run is long enough to pay for it."""

    @property
    def rows(self) -> int:
        """Rows of text a forward pass."""
        return self.batch or 4

    def __post_init__(self) -> None:
        least = {"steps": 1, "batch": 1, "accumulate": 1, "length": 8, "rank": 1, "evals": 0, "eval_rows": 1}
        least |= {"patience": 0, "checkpoint_every": 1, "keep": 1, "weight_decay": 0, "warmup": 0}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise UsageError(f"--{name.replace('_', '-')} is {value}; it must be {bound} or more")
        if self.average is not None and not 0 < self.average < 1:
            raise UsageError(f"--average is {self.average}; it must be above 0 and below 1")
        for name in ("dropout", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')} is {getattr(self, name)}; it must be from 0 to below 1")
        for name in ("epochs", "lr", "alpha", "beta", "temperature", "clip"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(f"--{name} is {value}; it must be above 0")
        if self.budget is not None:
            seconds(self.budget)


Config = TypeVar("Config", bound=Any)


def descriptions(config: type[Any]) -> dict[str, str]:
    """The docstring under each field."""
    body = ast.parse(textwrap.dedent(inspect.getsource(config))).body[0]
    assert isinstance(body, ast.ClassDef)
    out = {}
    for field, doc in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            out[field.target.id] = str(doc.value.value)
    return out


def _typed(name: str, kind: Any, value: Any) -> Any:
    """The value as the field's type. Raises UsageError."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if value is None or value == "none":
            return None
        kind = next(k for k in get_args(kind) if k is not type(None))
    elif origin is Literal:
        if value not in get_args(kind):
            raise UsageError(f"{name} is {value!r}; it must be one of {', '.join(map(str, get_args(kind)))}")
        return value
    try:
        if kind is int and float(value) != int(float(value)):
            raise ValueError
        return int(float(value)) if kind is int else kind(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{name} is {value!r}; it must be of type {kind.__name__}") from None


def override(config: Config, settings: Mapping[str, Any]) -> Config:
    """The config with some fields changed; strings are converted. Raises UsageError for an unknown name."""
    kinds = get_type_hints(type(config))
    known = [field.name for field in fields(config)]
    for name in settings:
        if name not in known:
            raise UsageError(f"no setting is called {name!r}; known: {', '.join(known)}")
    changed: Config = replace(config, **{k: _typed(k, kinds[k], v) for k, v in settings.items()})
    return changed


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file's table. Raises UsageError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist") from None
    except (
        ValueError,
        RecursionError,
    ) as error:  # also bytes that are no text, numbers and nesting beyond Python's limits
        raise UsageError(f"{path} is not valid TOML: {error}") from None


def seconds(text: str) -> float:
    """A duration such as 90s, 20m, 1h30m or 45 (seconds). Raises UsageError."""
    units = {"h": 3600, "m": 60, "s": 1}
    total, number = 0.0, ""
    try:
        for char in text:
            if char in units:
                total += float(number) * units[char]
                number = ""
            else:
                number += char
        total += float(number) if number else 0.0
    except ValueError:
        raise UsageError(f"{text!r} is not a duration; write 90s, 20m or 1h30m") from None
    if not 0 < total < float("inf"):
        raise UsageError(f"{text!r} is not a duration above zero")
    return total


def duration(seconds: float) -> str:
    """A time for people: `41 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
