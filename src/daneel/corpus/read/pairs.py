"""Parallel text: a sentence and its translation, from the files in which people keep them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from daneel.corpus.fields import join
from daneel.corpus.read.item import Dropped, Raw, UnusableError
from daneel.corpus.read.languages import code, has_language, is_language
from daneel.corpus.read.rows import Rows
from daneel.corpus.read.shape import FORM, listed
from daneel.errors import UsageError

KINDS = frozenset({"csv", "text", "json", "jsonl", "parquet", "tmx"})
_SIDES = (("source", "target"), ("src", "tgt"), ("src", "trg"), ("source_text", "target_text"), ("原文", "译文"))
# Codes of Indonesian and Norwegian, and names of columns that hold none.
_AMBIGUOUS = ("id", "no")
_UNNAMED = ["source", "target"]
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass
class Pairs:
    """A sentence and its translation a row."""

    named: tuple[str, ...] = ()
    """Columns, or languages, of source and target."""
    order: tuple[str, ...] = ()
    """Codes of the languages of source and target; where they are not given, those of the first row of a file."""
    kinds: frozenset[str] = KINDS
    elsewhere: str = (
        "holds no pairs: they are read from .tsv, .csv, .tmx, .json, .jsonl, .parquet, and from two text files with a "
        "sentence a line"
    )

    @classmethod
    def of(cls, text_column: str, order: tuple[str, ...] = ()) -> "Pairs":
        """With the settings as they were given. Raises UsageError."""
        named = tuple(name.strip() for name in text_column.split(",")) if text_column else ()
        if named and (len(named) != 2 or not all(named) or named[0] == named[1]):
            raise UsageError(
                f"{text_column!r} names no source and target: give two columns or languages, such as en,zh"
            )
        return cls(named, order)

    def header(self, first: list[str]) -> tuple[list[str], bool]:
        """A line of names is a header; any other is the first pair."""
        if self.named or self._sides(first) or sum(map(is_language, first)) > 2:
            self.columns(first)
            return first, True
        return _UNNAMED, False

    def columns(self, names: Sequence[str]) -> list[str]:
        """Both columns, or the one that holds both."""
        if sides := self._sides(names):
            return list(sides)
        if "translation" in names:
            return ["translation"]
        raise UnusableError(self._missing(names))

    def text(self, row: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        """Both texts, joined."""
        inner = row.get("translation")
        texts = inner if isinstance(inner, Mapping) and not self._sides(list(row)) else row
        sides = self._sides(list(texts))
        if not sides and texts is inner and not self.named:
            sides = self._ordered(list(texts)) if len(texts) == 2 else None
        if not sides:
            raise UnusableError(self._missing(list(texts)))
        values = [texts[side] for side in sides]
        if not all(isinstance(value, str) for value in values):
            raise UnusableError("with a side that is no text")
        if not all(value.strip() for value in values):
            raise UnusableError("with an empty side")
        return join(values), {FORM: json.dumps({"kind": "pair"})}

    def _sides(self, names: Sequence[str]) -> tuple[str, ...] | None:
        if self.named:
            return self.named if set(self.named) <= set(names) else None
        lower = {name.strip().casefold(): name for name in names}
        for sides in _SIDES:
            if lower.keys() >= set(sides):
                return tuple(lower[side] for side in sides)
        for known in (is_language, has_language):
            found = [name for name in names if known(name)]
            if len(found) > 2:
                found = [name for name in found if name.strip().casefold() not in _AMBIGUOUS]
            if len(found) == 2:
                return self._ordered(found)
        return None

    def _ordered(self, sides: list[str]) -> tuple[str, ...]:
        """Two sides named after languages, in the direction of the first: rows may name them in any order."""
        codes = tuple(map(code, sides))
        if codes[0] == codes[1]:  # Two scripts or countries of one language.
            codes = tuple(sides)
        self.order = self.order or codes
        turned = codes[0] == self.order[-1] or codes[1] == self.order[0]
        return tuple(sides[::-1] if turned else sides)

    def _missing(self, names: Sequence[str]) -> str:
        wanted = " and ".join(f'"{name}"' for name in self.named) or "source and target"
        return f"no {wanted}: name the two as the text column, such as en,zh; there are: {listed(names)}"


def tmx(stream: BinaryIO, rows: Rows) -> Iterator[Raw | Dropped]:
    """The units of a translation memory."""
    from lxml import etree

    number, first = 0, ""
    try:
        units = etree.iterparse(
            stream, tag=("{*}header", "{*}tu"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        for _, unit in units:
            if unit.tag.endswith("header"):
                first = unit.get("srclang", "")
                continue
            number += 1
            sides: dict[str, str] = {}
            for side in unit.iterfind("{*}tuv"):
                language = str(side.get(_LANG) or side.get("lang") or "").split("-")[0].lower()
                if (segment := side.find("{*}seg")) is not None:
                    sides.setdefault(language, "".join(segment.itertext()))
            source = code(unit.get("srclang") or first)
            sides = dict(sorted(sides.items(), key=lambda side: code(side[0]) != source))
            unit.clear()
            while unit.getprevious() is not None:
                del unit.getparent()[0]
            yield from rows.take(number, {"translation": sides}, sum(len(text.encode()) for text in sides.values()))
    except etree.XMLSyntaxError as error:
        rows.bad(f"not well-formed TMX from here on: {error.msg}", number + 1)
    yield from rows.dropped()
