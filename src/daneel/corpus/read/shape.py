"""What a row of a file becomes: a text, a sentence with its translation, or a conversation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from daneel.corpus.read.item import COLUMN, KINDS, Makes, ReadSettings, UnusableError

FORM = "form"
"""Key under which a record of several texts says, as JSON, what it is."""


class Shape(Protocol):
    """How rows are understood."""

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of file that hold such rows."""

    @property
    def elsewhere(self) -> str:
        """Why a file of another kind is not read."""

    def header(self, first: list[str]) -> tuple[list[str], bool]:
        """Names of a table's columns, and whether its first line is what names them. Raises UnusableError."""

    def columns(self, names: Sequence[str]) -> list[str]:
        """The columns of a table that are needed. Raises UnusableError."""

    def text(self, row: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        """The text of a row and what is known of it. Raises UnusableError."""


@dataclass(frozen=True)
class Documents:
    """A text a row."""

    column: str
    kinds: frozenset[str] = frozenset(KINDS.values()) - {"tmx"}
    elsewhere: str = "sentences and their translations: read by the recipe `parallel`"

    def header(self, first: list[str]) -> tuple[list[str], bool]:
        """The first line names the columns."""
        self.columns(first)
        return first, True

    def columns(self, names: Sequence[str]) -> list[str]:
        """The one column."""
        if (name := self._name(names)) is None:
            raise UnusableError(self._missing(names))
        return [name]

    def text(self, row: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        """The value of the column; of a list of strings, each is a line."""
        name = self._name(row)
        value = None if name is None else row[name]
        if value is None and name is not None:
            raise UnusableError("with an empty text")
        if isinstance(value, list) and all(isinstance(line, str) for line in value):
            value = "\n".join(value)
        if not isinstance(value, str):
            raise UnusableError(self._missing(list(row)))
        return value, {}

    def _name(self, names: Iterable[str]) -> str | None:
        """What the column is called there: Text and TEXT are as good as text."""
        found = [name for name in names if name.strip().casefold() == self.column.casefold()]
        return self.column if self.column in found else next(iter(found), None)

    def _missing(self, names: Sequence[str]) -> str:
        if {"messages", "conversations", "prompt"}.intersection(names):
            return f'without "{self.column}": conversations go to `daneel train` as they are, or to the recipe `chat`'
        return f'no "{self.column}" that is text: name the text column, one of: {listed(names)}'


def listed(names: Sequence[str]) -> str:
    """Some names of columns for a message."""
    return ", ".join(str(name)[:40] for name in names[:20]) or "none"


def shape(makes: Makes, settings: ReadSettings, order: tuple[str, ...] = ()) -> Shape:
    """How rows are understood with these settings; `order` are languages of source and target. Raises UsageError."""
    # Imported when needed: they import this module.
    named = "" if settings.text_column == COLUMN else settings.text_column
    if makes == "pairs":
        from daneel.corpus.read.pairs import Pairs

        return Pairs.of(named, order)
    if makes == "conversations":
        from daneel.corpus.read.conversations import Conversations

        return Conversations(named)
    return Documents(settings.text_column)
