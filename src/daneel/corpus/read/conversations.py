"""Conversations in the forms of training records, as texts that the steps can clean."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daneel.corpus.fields import join
from daneel.corpus.read.item import UnusableError
from daneel.corpus.read.shape import FORM, listed
from daneel.corpus.record_forms import FORMS, KEYS, FormError, parse


@dataclass(frozen=True)
class Conversations:
    """A conversation a row."""

    column: str = ""
    """What holds the turns, where its name is not one of the known."""
    kinds: frozenset[str] = frozenset({"csv", "json", "jsonl", "parquet"})
    elsewhere: str = "holds no conversations: they are read from .jsonl, .json, .parquet and .csv"

    def header(self, first: list[str]) -> tuple[list[str], bool]:
        """The first line names the columns."""
        self.columns(first)
        return first, True

    def columns(self, names: Sequence[str]) -> list[str]:
        """Those that records know."""
        found = [name for name in names if name in ([self.column] if self.column else KEYS)]
        if not found:
            wanted = f'no "{self.column}"' if self.column else "in no known form"
            raise UnusableError(f"{wanted} (it has {listed(names)}): {FORMS}")
        return found

    def text(self, row: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        """All that is said, joined."""
        if self.column:
            self.columns(list(row))
            row = {"messages": row[self.column]}
        try:
            fields = parse(row)
        except FormError as error:
            raise UnusableError(str(error)) from None
        messages = fields.get("messages")
        spoken = messages is not None and all(isinstance(message.get("content"), str) for message in messages)
        if messages is None or not spoken or "rejected" in fields:
            raise UnusableError("not a conversation in words alone")
        form = {"kind": "conversation", "roles": [message["role"] for message in messages]}
        return join([message["content"] for message in messages]), {FORM: json.dumps(form)}
