"""A recipe: which steps clean a corpus, in which order, with which settings; one TOML file says all of it."""

import importlib
import json
from collections.abc import Callable, Iterable
from dataclasses import Field, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from daneel.config import read_toml
from daneel.corpus.read import Makes, ReadSettings
from daneel.corpus.settings import made
from daneel.corpus.step import Directed, Hides, Step
from daneel.errors import UsageError

# A table of the recipe: the module below `steps`, and the class. Only what a recipe names is imported. The order is one
# of sense: repairs, what is read of a text, personal data before examples are shown, judgements, duplicates.
STEPS = {
    "unicode": ("unicode", "Unicode"),
    "gutenberg": ("gutenberg", "Gutenberg"),
    "pages": ("pages", "Pages"),
    "licence_blocks": ("licences", "LicenceBlocks"),
    "whitespace": ("whitespace", "Whitespace"),
    "language": ("language", "Language"),
    "script": ("script", "Script"),
    "privacy": ("privacy", "Privacy"),
    "repeated_lines": ("repeated_lines", "RepeatedLines"),
    "gopher_repetition": ("gopher", "GopherRepetition"),
    "gopher_quality": ("gopher", "GopherQuality"),
    "c4": ("c4", "C4"),
    "fineweb": ("fineweb", "FineWeb"),
    "pairs": ("pairs", "Pairs"),
    "exact_duplicates": ("exact", "ExactDuplicates"),
    "near_duplicates": ("near", "NearDuplicates"),
    "near_paragraphs": ("near", "NearParagraphs"),
    "decontaminate": ("decontaminate", "Decontaminate"),
}
_LISTED = ", ".join(STEPS)
READ = ReadSettings.name
Kind = Makes


@dataclass(frozen=True)
class Recipe:
    """Steps in their order, and how the sources are read."""

    name: str
    steps: tuple[Step, ...]
    reading: ReadSettings
    kind: Kind = "documents"
    """What the corpus is made of."""

    @property
    def hidden(self) -> Callable[[str], str]:
        """What of a source's name may be told: without personal data, if those go out of the texts."""
        return next((step.hidden for step in self.steps if isinstance(step, Hides)), str)

    @property
    def languages(self) -> tuple[str, ...]:
        """Of source and target of pairs, where the step that judges them is told."""
        return next((step.languages for step in self.steps if isinstance(step, Directed)), ())

    def settings(self) -> dict[str, Any]:
        """All of it but secrets, as plain values, for the manifest."""
        parts: dict[str, Any] = {READ: self.reading, **{step.name: step for step in self.steps}}
        plain = {
            # What a dataclass does not print is a secret.
            name: {item.name: _told(item, getattr(part, item.name)) for item in fields(part) if item.repr}
            for name, part in parts.items()
        }
        told: dict[str, Any] = json.loads(json.dumps(plain))
        return told


def _told(item: Field[Any], value: Any) -> Any:
    """A setting as anybody may read it: where files lie on a machine is nobody's business."""
    return [Path(path).name for path in value] if item.metadata.get("paths") else value


def folder() -> Path:
    """Where the recipes that come with daneel lie."""
    inside = Path(str(files("daneel"))) / "recipes" / "corpus"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "recipes" / "corpus"


def recipes() -> list[str]:
    """The names of those recipes."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def load_recipe(name: str, changes: Iterable[str] = ()) -> Recipe:
    """A recipe by name or file, with changes such as `near_duplicates.threshold=0.9`. Raises UsageError.

    A step that a change names and the recipe has not runs before the first one that follows it in `STEPS`.
    """
    own = folder() / f"{name}.toml"
    known = name in recipes()
    if not known and not Path(name).is_file():
        raise UsageError(f"no recipe is called {name}: give one of {', '.join(recipes())}, or a TOML file")
    tables = read_toml(own if known else Path(name))
    reading = _settings(READ, tables.pop(READ, {}))
    kind = tables.pop("kind", "documents")
    if kind not in get_args(Kind):
        raise UsageError(f"kind is {kind!r} in {name}; it must be one of {', '.join(get_args(Kind))}")
    steps = {step: _settings(step, settings) for step, settings in tables.items()}
    for change in changes:
        key, found, value = change.partition("=")
        step, dot, setting = key.partition(".")
        if not (found and dot and setting):
            raise UsageError(f"--set {change} is not understood: write --set STEP.SETTING=VALUE")
        if step != READ and step not in steps:
            steps = _inserted(steps, step)
        (reading if step == READ else steps[step])[setting] = value
    if not steps:
        raise UsageError(f"{name} has no step: write a table for each, such as [unicode]; the steps are {_LISTED}")
    if "pairs" in steps and kind != "pairs":
        raise UsageError(f'[pairs] is for sentence pairs: use the recipe parallel, or write kind = "pairs" in {name}')
    return Recipe(
        name if known else Path(name).stem,
        tuple(made(step_class(step), settings) for step, settings in steps.items()),
        made(ReadSettings, reading),
        kind,
    )


def _settings(table: str, settings: Any) -> dict[str, Any]:
    if not isinstance(settings, dict):
        raise UsageError(f"{table} must be a table in the recipe: [{table}]")
    return settings


def _inserted(steps: dict[str, dict[str, Any]], new: str) -> dict[str, dict[str, Any]]:
    """The steps with a new one at its place in the order of `STEPS`. Raises UsageError."""
    step_class(new)
    order = list(STEPS)
    names = list(steps)
    at = next((n for n, name in enumerate(names) if name in STEPS and order.index(name) > order.index(new)), len(names))
    return {name: steps.get(name, {}) for name in [*names[:at], new, *names[at:]]}


def step_class(name: str) -> type[Any]:
    """The class of a step by its name in a recipe. Raises UsageError."""
    if name not in STEPS:
        raise UsageError(f"no step is called {name}: the steps are {_LISTED}")
    module, title = STEPS[name]
    found: type[Any] = getattr(importlib.import_module(f"daneel.corpus.steps.{module}"), title)
    return found
