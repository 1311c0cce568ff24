"""A grammar -> the TOML file that reads back to it."""

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from daneel.conlang import english
from daneel.conlang.grammar import KINDS, Grammar, Noun, Verb, Word


def render(grammar: Grammar) -> str:
    """The file as text; what is at its default is left out."""
    blocks = [f"name = {_text(grammar.name)}\nseed = {grammar.seed}"]
    for item in fields(Grammar)[2:]:
        value = getattr(grammar, item.name)
        if item.name == "lexicon" or not value:
            continue
        if item.name == "irregular":
            lines = [f"{_key(gloss)} = {_value(forms)}" for gloss, forms in value.items()]
        elif isinstance(value, Mapping):
            lines = [f"{_key(key)} = {_value(each)}" for key, each in value.items()]
        else:
            lines = _settings(value)
        blocks.append("\n".join([f"[{item.name}]", *lines]) if lines else "")
    blocks += _lexicon(grammar)
    return "\n\n".join(block for block in blocks if block) + "\n"


def _settings(section: Any) -> list[str]:
    lines = []
    for item in fields(section):
        value = getattr(section, item.name)
        default = item.default_factory() if item.default_factory is not MISSING else item.default
        if value != default and value is not None:
            lines.append(f"{item.name} = {_value(value)}")
    return lines


def _lexicon(grammar: Grammar) -> list[str]:
    lexicon = grammar.lexicon
    tables: dict[str, Mapping[str, Noun | Verb | Word]] = {
        f"nouns.{kind}": {gloss: noun for gloss, noun in lexicon.nouns.items() if noun.kind == kind} for kind in KINDS
    }
    tables |= {part.name: getattr(lexicon, part.name) for part in fields(lexicon)[1:]}
    return [
        "\n".join([f"[{name}]", *(f"{_key(gloss)} = {_root(root)}" for gloss, root in roots.items())])
        for name, roots in tables.items()
        if roots
    ]


def _root(root: Noun | Verb | Word) -> str:
    values: dict[str, Any] = {"form": root.form}
    if isinstance(root, Noun) and root.plural != english.plural(root.gloss):
        values["plural"] = root.plural
    if isinstance(root, Verb):
        plain = Verb(root.gloss, root.form, english.past(root.gloss))
        values |= {
            item.name: getattr(root, item.name)
            for item in fields(Verb)
            if getattr(root, item.name) != getattr(plain, item.name)
        }
    return _value(values) if len(values) > 1 else _value(root.form)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, tuple):
        return f"[{', '.join(_value(each) for each in value)}]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    # JSON's strings are TOML's, but for DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)
