"""A grammar file -> a grammar; whatever is not understood is one error with its place and what is known."""

import difflib
import random
from collections.abc import Callable, Mapping, Set
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from daneel.config import read_toml
from daneel.conlang import english
from daneel.conlang.check import check_rules, faults
from daneel.conlang.grammar import (
    KINDS,
    PERSONS,
    TENSES,
    Case,
    Grammar,
    Harmony,
    Lexicon,
    Mutation,
    Noun,
    NounMarking,
    Number,
    Order,
    RelativeMarking,
    Sounds,
    Verb,
    VerbMarking,
    Word,
)
from daneel.conlang.sounds import Phonology
from daneel.errors import DataError

Table = Mapping[str, Any]
T = TypeVar("T")
Node = TypeVar("Node", Noun, Verb, Word)
_SECTIONS: dict[str, type[Any]] = {
    "sounds": Sounds, "order": Order, "number": Number, "case": Case, "noun": NounMarking, "verb": VerbMarking,
    "relative": RelativeMarking, "harmony": Harmony, "mutation": Mutation,
}  # fmt: skip
_NEEDED = ("sounds", "order", "number")
_MAPS = ("tense", "agreement", "irregular")
_LEXICON = tuple(part.name for part in fields(Lexicon))
_ROUNDS, _DRAWS, _SHOWN = 60, 10_000, 80


def load(path: Path) -> Grammar:
    """The grammar of a file. Raises UsageError (no such file, no TOML) and DataError, naming the place."""
    return parse(read_toml(path), str(path))


def parse(tables: Table, where: str) -> Grammar:
    """The grammar of a file's tables; `where` names the file in errors. Raises DataError."""
    try:
        return _grammar(tables)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def _grammar(tables: Table) -> Grammar:
    known = ("name", "seed", *_SECTIONS, *_MAPS, *_LEXICON)
    _refuse_unknown("the file", tables, known)
    parts = {key: _section(kind, key, tables[key]) for key, kind in _SECTIONS.items() if key in tables}
    for name in ("name", *_NEEDED, "tense", "nouns", "verbs"):
        if name not in tables:
            raise DataError(f"[{name}] is missing" if name != "name" else "name is missing")
    name, seed = _typed("name", str, tables["name"]), _typed("seed", int, tables.get("seed", 0))
    tense = _strings("tense", tables["tense"], tuple(TENSES))
    agreement = _strings("agreement", tables.get("agreement", {}), PERSONS)
    irregular = {
        gloss: _strings(f"irregular.{gloss}", forms) for gloss, forms in _table("irregular", tables).items()
    }  # fmt: skip
    grammar = Grammar(
        name=name, seed=seed, tense=tense, agreement=agreement, irregular=irregular, lexicon=lexicon(tables), **parts
    )
    return spelled(grammar)


def spelled(grammar: Grammar) -> Grammar:
    """The checked grammar with a form for each root that has none, drawn by its seed. Raises DataError."""
    check_rules(grammar)
    drawn = {gloss for gloss, root in grammar.lexicon.roots.items() if not root.form}
    rng = random.Random(f"{grammar.seed} roots")  # noqa: S311
    missing = set(drawn)
    for _ in range(_ROUNDS):
        grammar = _filled(grammar, missing, rng)
        found = list(faults(grammar))
        missing = set()
        for fault in found:
            # The later root of two gives way.
            guilty = [gloss for gloss in fault.glosses if gloss in drawn]
            # Two forms of one root with one sound: its affixes are to blame.
            if not guilty or fault.glosses[1:] == fault.glosses[:1]:
                raise DataError(fault.message)
            missing.add(guilty[-1])
        if not found:
            return grammar
    raise DataError(f"[sounds] makes too few words for this grammar: {found[0].message}")


def _filled(grammar: Grammar, missing: Set[str], rng: random.Random) -> Grammar:
    """The grammar with new forms for the roots that are missing."""
    sounds = Phonology(grammar.sounds, grammar.harmony, grammar.mutation)
    used = {root.form for gloss, root in grammar.lexicon.roots.items() if gloss not in missing}

    def fill(root: Node) -> Node:
        if root.gloss not in missing:
            return root
        form = next((form for _ in range(_DRAWS) if (form := sounds.root(rng)) not in used), None)
        if form is None:
            raise DataError(f"[sounds] makes too few words: no form is left for {root.gloss!r}; allow longer roots")
        used.add(form)
        return replace(root, form=form)

    parts = {name: {key: fill(root) for key, root in getattr(grammar.lexicon, name).items()} for name in _LEXICON}
    return replace(grammar, lexicon=Lexicon(**parts))


def lexicon(tables: Table) -> Lexicon:
    """The roots of a file's tables. Raises DataError."""
    nouns: dict[str, Noun] = {}
    kinds = _table("nouns", tables)
    _refuse_unknown("[nouns]", kinds, KINDS)
    for kind in kinds:
        for gloss, entry in _table(kind, kinds).items():
            if gloss in nouns:
                raise DataError(f"[nouns.{kind}] {gloss!r} is in [nouns.{nouns[gloss].kind}] too: choose one")
            plain = {"gloss": gloss, "form": "", "kind": kind, "plural": english.plural(gloss)}
            nouns[gloss] = _entry(Noun, f"nouns.{kind}.{gloss}", entry, plain, ("form", "plural"))
    verbs = {
        gloss: _entry(
            Verb, f"verbs.{gloss}", entry, {"gloss": gloss, "form": "", "past": english.past(gloss)},
            ("form", "past", "subject", "object", "recipient"),
        )
        for gloss, entry in _table("verbs", tables).items()
    }  # fmt: skip
    others = {
        part: {
            gloss: _entry(Word, f"{part}.{gloss}", entry, {"gloss": gloss, "form": ""}, ("form",))
            for gloss, entry in _table(part, tables).items()
        }
        for part in ("adjectives", "adverbs", "adpositions", "pronouns")
    }
    _refuse_unknown("[pronouns]", others["pronouns"], tuple(english.PRONOUNS))
    found = Lexicon(nouns=nouns, verbs=verbs, **others)
    english.check(found)
    return found


def _entry(kind: Callable[..., T], where: str, entry: Any, plain: Table, known: tuple[str, ...]) -> T:
    """A root: its form alone, or a table with more about it; without a form it is drawn later."""
    values = {"form": entry} if isinstance(entry, str) else entry
    if not isinstance(values, Mapping):
        raise DataError(f"{where} is {_short(entry)}; it must be the form in quotes or a table")
    _refuse_unknown(f"[{where}]", values, known)
    hints = get_type_hints(kind)
    return kind(**{**plain, **{key: _typed(f"{where}.{key}", hints[key], each) for key, each in values.items()}})


def _table(name: str, tables: Table) -> Table:
    value = tables.get(name, {})
    if not isinstance(value, Mapping):
        raise DataError(f"{name} is {_short(value)}; it must be a table")
    return value


def _section(kind: type[T], name: str, value: Any) -> T:
    table = _table(name, {name: value})
    hints, settings = get_type_hints(kind), {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    _refuse_unknown(f"[{name}]", table, tuple(settings))
    for key, item in settings.items():
        if key not in table and item.default is MISSING and item.default_factory is MISSING:
            raise DataError(f"[{name}] {key} is missing")
    return kind(**{key: _typed(f"[{name}] {key}", hints[key], each) for key, each in table.items()})


def _strings(name: str, value: Any, known: tuple[str, ...] | None = None) -> dict[str, str]:
    table = _table(name, {name: value})
    if known:
        _refuse_unknown(f"[{name}]", table, known)
    return {key: _typed(f"[{name}] {key}", str, each) for key, each in table.items()}


def _typed(name: str, kind: Any, value: Any) -> Any:
    """The value, if it is of the kind that a field has. Raises DataError."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value not in parts:
            raise DataError(f"{name} is {_short(value)}; it must be one of {', '.join(parts)}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise DataError(f"{name} is {_short(value)}; it must be a list")
        return tuple(_typed(name, parts[0], each) for each in value)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _typed(f"{name}.{key}", parts[1], each) for key, each in _table(name, {name: value}).items()}
    if origin is not None:  # an optional text
        kind = parts[0]
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        names = {str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false"}
        raise DataError(f"{name} is {_short(value)}; it must be {names[kind]}")
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"


def _refuse_unknown(where: str, table: Table, known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1, 0.7)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise DataError(f"{where} has an unknown key {key!r}{meant}; known: {', '.join(known)}")
