"""A recipe: which steps clean a corpus, in which order, with which settings; one TOML file says all of it."""

import importlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from daneel.config import override, read_toml
from daneel.corpus.read import ReadSettings
from daneel.corpus.step import Step
from daneel.errors import UsageError

# A table of the recipe: the module below `steps`, and the class. Only what a recipe names is imported.
STEPS = {
    "unicode": ("unicode", "Unicode"),
    "pages": ("pages", "Pages"),
    "gutenberg": ("gutenberg", "Gutenberg"),
    "licence_blocks": ("licences", "LicenceBlocks"),
    "whitespace": ("whitespace", "Whitespace"),
    "script": ("script", "Script"),
    "language": ("language", "Language"),
    "gopher_quality": ("gopher", "GopherQuality"),
    "gopher_repetition": ("gopher", "GopherRepetition"),
    "c4": ("c4", "C4"),
    "fineweb": ("fineweb", "FineWeb"),
    "repeated_lines": ("repeated_lines", "RepeatedLines"),
    "exact_duplicates": ("exact", "ExactDuplicates"),
    "pairs": ("pairs", "Pairs"),
    "near_duplicates": ("near", "NearDuplicates"),
    "near_paragraphs": ("near", "NearParagraphs"),
    "privacy": ("privacy", "Privacy"),
    "decontaminate": ("decontaminate", "Decontaminate"),
}
READ = "read"
Kind = Literal["documents", "pairs", "conversations"]


@dataclass(frozen=True)
class Recipe:
    """Steps in their order, and how the sources are read."""

    name: str
    steps: tuple[Step, ...]
    reading: ReadSettings
    kind: Kind = "documents"
    """What the corpus is made of."""

    def settings(self) -> dict[str, Any]:
        """All of it but secrets, as plain values, for the manifest."""
        parts: dict[str, Any] = {READ: self.reading, **{step.name: step for step in self.steps}}
        plain = {
            # What a dataclass does not print is a secret.
            name: {item.name: getattr(part, item.name) for item in fields(part) if item.repr}
            for name, part in parts.items()
        }
        told: dict[str, Any] = json.loads(json.dumps(plain))
        return told


def folder() -> Path:
    """Where the recipes that come with daneel lie."""
    inside = Path(str(files("daneel"))) / "recipes" / "corpus"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "recipes" / "corpus"


def recipes() -> list[str]:
    """The names of those recipes."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def load_recipe(name: str, changes: Iterable[str] = ()) -> Recipe:
    """A recipe by name or file, with changes such as `near_duplicates.threshold=0.9`. Raises UsageError."""
    own = folder() / f"{name}.toml"
    known = name in recipes()
    if not known and not Path(name).is_file():
        raise UsageError(f"no recipe is called {name}: give one of {', '.join(recipes())}, or a TOML file")
    tables = read_toml(own if known else Path(name))
    for change in changes:
        key, found, value = change.partition("=")
        step, dot, setting = key.partition(".")
        if not (found and dot and setting):
            raise UsageError(f"--set {change} is not understood: write --set STEP.SETTING=VALUE")
        tables.setdefault(step, {})[setting] = value
    reading = tables.pop(READ, {})
    kind = tables.pop("kind", "documents")
    if kind not in get_args(Kind):
        raise UsageError(f"kind is {kind!r} in {name}; it must be one of {', '.join(get_args(Kind))}")
    return Recipe(
        name if known else Path(name).stem,
        tuple(_step(table, settings) for table, settings in tables.items()),
        _with(ReadSettings(), READ, reading),
        kind,
    )


def _step(table: str, settings: Any) -> Step:
    step: Step = _with(step_class(table)(), table, settings)
    return step


def step_class(name: str) -> type[Any]:
    """The class of a step by its name in a recipe. Raises UsageError."""
    if name not in STEPS:
        raise UsageError(f"no step is called {name}: the steps are {', '.join(STEPS)}")
    module, title = STEPS[name]
    found: type[Any] = getattr(importlib.import_module(f"daneel.corpus.steps.{module}"), title)
    return found


def _with(default: Any, table: str, settings: Any) -> Any:
    if not isinstance(settings, dict):
        raise UsageError(f"{table} must be a table in the recipe: [{table}]")
    known = {field.name: getattr(default, field.name) for field in fields(default)}
    try:
        return override(default, {key: _plain(known.get(key), value) for key, value in settings.items()})
    except UsageError as error:
        raise UsageError(f"[{table}] {error}") from None


def _plain(now: Any, value: Any) -> Any:
    """What TOML and `--set` write differently from Python: lists, and truth."""
    if isinstance(now, tuple):
        parts: Sequence[Any] = value.split(",") if isinstance(value, str) else value
        return tuple(part.strip() if isinstance(part, str) else part for part in parts if part != "")
    if isinstance(now, bool) and isinstance(value, str):
        if value not in ("true", "false"):
            raise UsageError(f"{value!r} is neither true nor false")
        return value == "true"
    return value
