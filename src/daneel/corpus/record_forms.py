"""The forms that people keep training records in, as one: texts, labels, messages, pairs, preferences."""

from typing import Any

FORMS = (
    'use "text", "messages", "prompt" and "completion" (or "response"), "question" and "answer", '
    '"source" and "target", "prompt", "chosen" and "rejected", "text" and "label", '
    "Alpaca's or ShareGPT's keys"
)
PAIR_KEYS = {"source", "target"}
PREFERENCE_KEYS = {"prompt", "chosen", "rejected"}
LABEL_KEYS = {"text", "label"}
# The last are those of schema-guided dialogues (SGD, MultiWOZ).
CHAT_KEYS = (
    {"messages"}, {"conversations"}, {"prompt", "completion"}, {"prompt", "response"}, {"question", "answer"},
    {"instruction", "output"}, {"dialogue_id", "turns"},
)  # fmt: skip
_CHOICES = frozenset({"choices", "options"})
"""A question that is nothing without these."""
KEYS = frozenset[str]().union(*CHAT_KEYS, {"system", "input", "context"}, _CHOICES)
"""All keys of conversations."""
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_ROLES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant"}
_SPEAKERS = {"user": "user", "system": "assistant"}


class FormError(Exception):
    """Something that is no training record; the message is the reason."""


def parse(row: Any) -> dict[str, Any]:
    """The fields of a Record: `text`, `messages`, `source` and `target`, or a preference's. Raises FormError."""
    if not isinstance(row, dict):
        raise FormError(f"not a JSON object: {FORMS}")
    if row.keys() >= PREFERENCE_KEYS:
        return _preference(row)
    for key in ("messages", "conversations"):
        if isinstance(row.get(key), list):
            return _checked(_alternating(row[key]) or [_turn(turn) for turn in row[key]])
    if "dialogue_id" in row and isinstance(row.get("turns"), list):
        return _checked([_spoken(turn) for turn in row["turns"]])
    for answer in ("completion", "response"):
        if "prompt" in row and answer in row:
            return _checked(_turns("user", row["prompt"]) + _turns("assistant", row[answer]))
    if row.keys() >= {"question", "answer"} and not row.keys() & _CHOICES:
        asked = _asked(row.get("context"), row["question"])
        return _checked(_turns("user", asked) + _turns("assistant", row["answer"]))
    if "instruction" in row and "output" in row:
        system = _turns("system", row["system"]) if row.get("system") else []
        asked = _asked(row["instruction"], row.get("input"))
        return _checked(system + _turns("user", asked) + _turns("assistant", row["output"]))
    if row.keys() >= PAIR_KEYS:
        pair = {side: row[side] for side in ("source", "target")}
        if not all(isinstance(text, str) and text.strip() for text in pair.values()):
            raise FormError('"source" and "target" must both be text: mend or remove the line')
        return pair
    if isinstance(row.get("text"), str):
        if not row["text"].strip():
            raise FormError('an empty "text": remove the line')
        return {"text": row["text"], "label": _label(row.get("label"))}
    keys = ", ".join(map(str, row)) or "no keys"
    raise FormError(f"in no known form (it has {keys}): {FORMS}")


def _label(value: Any) -> str | None:
    if value is not None and not isinstance(value, str | int):
        raise FormError(f'"label" is {value!r}: it must be a name or a whole number')
    if value == "":
        raise FormError('an empty "label": mend or remove the line')
    return None if value is None else str(value)


def _preference(row: dict[str, Any]) -> dict[str, Any]:
    prompt = _turns("user", row["prompt"])
    if not prompt:
        raise FormError('an empty "prompt": mend or remove the line')
    answers = []
    for side in ("chosen", "rejected"):
        answer = _turns("assistant", row[side])
        # UltraFeedback's answers repeat what was asked.
        answer = answer[len(prompt) :] if answer[: len(prompt)] == prompt else answer
        try:
            _checked(prompt, answered=False)
            answers.append(_checked(answer)["messages"])
        except FormError as error:
            raise FormError(f'"{side}": {error}') from None
    if answers[0] == answers[1]:
        raise FormError('"chosen" and "rejected" are the same: mend or remove the line')
    return {"messages": prompt + answers[0], "rejected": prompt + answers[1], "asked": len(prompt)}


def _turns(role: str, value: Any) -> list[Any]:
    """TRL allows a list of messages where a string stands."""
    return [_turn(turn) for turn in value] if isinstance(value, list) else [{"role": role, "content": value}]


def _asked(*parts: Any) -> str:
    return "\n\n".join(str(part) for part in parts if part)


def _alternating(turns: list[Any]) -> list[Any]:
    """The turns of two who speak in turn, as KdConv has them: the second answers. Nothing where they are others."""
    plain = [isinstance(turn, dict) and "message" in turn and not turn.keys() & {"role", "from"} for turn in turns]
    roles = ("user", "assistant") * len(turns)
    return (
        [{"role": role, "content": turn["message"]} for role, turn in zip(roles, turns, strict=False)]
        if all(plain)
        else []
    )


def _turn(turn: Any) -> Any:
    """A message, or a turn as ShareGPT has it; its content as one text where it comes in parts of text alone."""
    if not isinstance(turn, dict):
        return turn
    if turn.get("from") is None:
        parts = turn.get("content")
        if isinstance(parts, list) and parts and all(map(_is_text, parts)):
            return {**turn, "content": "".join(part["text"] for part in parts)}
        return turn
    role = str(turn["from"]).lower()
    return {"role": _ROLES.get(role, role), "content": turn.get("value")}


def _spoken(turn: Any) -> Any:
    """A turn of a schema-guided dialogue, whose "system" is the one that answers."""
    speaker = str(turn.get("speaker")).lower() if isinstance(turn, dict) else ""
    return {"role": _SPEAKERS[speaker], "content": turn.get("utterance")} if speaker in _SPEAKERS else turn


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _checked(messages: list[Any], answered: bool = True) -> dict[str, Any]:
    for n, message in enumerate(messages, 1):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise FormError(f'message {n} has no "role"')
        if message["role"] not in ROLES:
            raise FormError(f'message {n} has the role "{message["role"][:40]}": it must be one of {", ".join(ROLES)}')
        if not isinstance(message.get("content"), str) and not message.get("tool_calls"):
            raise FormError(f'message {n} has no "content" that is text')
    if answered and not any(message["role"] == "assistant" for message in messages):
        raise FormError("no assistant's message to learn from")
    return {"messages": messages}
