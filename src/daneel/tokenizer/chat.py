"""Conversations as the model reads them, and which of their tokens it learns from."""

import datetime
import functools
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import jinja2
import jinja2.nodes
import jinja2.parser
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

from daneel.errors import DataError

if TYPE_CHECKING:
    from daneel.tokenizer.load import Tokenizer

Message = Mapping[str, Any]
# Written around an assistant's words while they are being located; random, so that no text can hold it.
_MARK = f"\ufdd0{secrets.token_hex(16)}"


class _Generation(Extension):
    """`{% generation %}…{% endgeneration %}`: the template itself says what the assistant wrote."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's interface

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_wrap"), [], [], body).set_lineno(line)

    @jinja2.pass_context
    def _wrap(self, context: jinja2.runtime.Context, caller: Any) -> str:
        mark = context.get("daneel_mark", "")
        return f"{mark}{caller()}{mark}"


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # Jinja's own filter escapes HTML characters.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _strftime_now(form: str) -> str:
    return datetime.datetime.now().strftime(form)


@functools.cache
def _compile(source: str) -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _tojson
    environment.globals |= {"raise_exception": _refuse, "strftime_now": _strftime_now}
    return environment.from_string(source)


class ChatTemplate:
    """A model's Jinja template, run in a sandbox with the variables that Transformers gives it."""

    def __init__(self, source: str, names: Mapping[str, str]):
        self.source = source
        self.names = names

    def render(self, messages: Sequence[Message], add_generation_prompt: bool = False) -> str:
        """The conversation as one text; with `add_generation_prompt`, up to where the assistant begins."""
        return self._render(messages, add_generation_prompt=add_generation_prompt)

    def marked(self, messages: Sequence[Message]) -> tuple[str, list[tuple[int, int]]]:
        """The conversation, and where the template's `{% generation %}` blocks stand in it."""
        pieces = self._render(messages, daneel_mark=_MARK).split(_MARK)
        ends = [sum(map(len, pieces[: n + 1])) for n in range(len(pieces) - 1)]
        return "".join(pieces), list(zip(ends[::2], ends[1::2], strict=True))

    def _render(self, messages: Sequence[Message], **variables: Any) -> str:
        if not messages:
            raise DataError("a conversation without messages has nothing to say: give at least one")
        # A missing key and a null differ to many templates, and nulls come from APIs.
        clean = [{key: value for key, value in message.items() if value is not None} for message in messages]
        variables = {"tools": None, "documents": None, "add_generation_prompt": False} | variables
        try:
            return _compile(self.source).render(messages=clean, **{**self.names, **variables})
        except Exception as error:  # a template is a program: it may divide by zero
            roles = ", ".join(str(message.get("role")) for message in messages)
            reason = str(error) or type(error).__name__
            raise DataError(f"the model's chat template refuses a conversation of [{roles}]: {reason}") from None


def encode_chat(tokenizer: "Tokenizer", messages: Sequence[Message], asked: int = 0) -> tuple[list[int], list[bool]]:
    """Ids of a conversation, and which carry loss: the assistant's words and the token ending its turn.

    The first `asked` messages are only read.
    """
    template = tokenizer.chat
    if template is None:
        raise DataError("this model has no chat template: train it on plain text or take an instruct model")
    text, spans = template.marked(messages)
    if not spans:
        spans = list(_assistant_spans(tokenizer, template, messages, text))
    ids, offsets = tokenizer.spans(text, special=True)
    mask = [False] * len(ids)
    token = 0
    earlier = sum(message.get("role") == "assistant" for message in messages[:asked])
    for start, end in spans[earlier:]:
        while token < len(ids) and offsets[token][0] < end:
            mask[token] = offsets[token][1] > start
            token += 1
    return ids, mask


def _assistant_spans(
    tokenizer: "Tokenizer", template: ChatTemplate, messages: Sequence[Message], text: str
) -> Iterator[tuple[int, int]]:
    """Where the assistant's turns stand, found by rendering the conversation up to each of them."""
    ends = tuple(tokenizer.token_bytes(id).decode() for id in tokenizer.special_ids)
    for turn, message in enumerate(messages):
        if message.get("role") != "assistant":
            continue
        words = str(message.get("content") or "").strip()
        # Most templates refuse to render nothing, so a first turn begins at its words.
        before = template.render(messages[:turn], add_generation_prompt=True) if turn else ""
        start = len(before) if turn else text.find(words)
        if start < 0 or not text.startswith(before):
            raise _no_nesting(turn)
        through = template.render(messages[: turn + 1])
        end = len(through)
        if not text.startswith(through):
            # Some templates (Qwen3) write an earlier turn differently from the last one.
            found = text.find(words, start)
            if not words or found < 0:
                raise _no_nesting(turn)
            end = found + len(words)
            end += max((len(name) for name in ends if text.startswith(name, end)), default=0)
        # What follows the end token is the template's line break, not the assistant's.
        written = text[start:end].rstrip()
        if written.endswith(ends):
            end = start + len(written)
        yield start, end


def _no_nesting(turn: int) -> DataError:
    return DataError(
        f"the chat template rewrites earlier turns, so message {turn + 1}, the assistant's, cannot be found: "
        "split the conversation after each answer"
    )


def preview(tokenizer: "Tokenizer", ids: Sequence[int], mask: Sequence[bool]) -> list[tuple[str, bool]]:
    """The text in runs that carry loss and runs that do not."""
    runs = groupby(zip(ids, mask, strict=True), key=lambda pair: pair[1])
    return [
        (b"".join(tokenizer.token_bytes(id) for id, _ in run).decode("utf-8", "replace"), loss) for loss, run in runs
    ]
