"""What a setting may be: each field of a step says it in its type, and a wrong value is told in one line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from daneel.errors import UsageError

_SHOWN = 80


@dataclass(frozen=True)
class Range:
    """Bounds of a number, both allowed."""

    low: float
    high: float

    def __str__(self) -> str:
        return " to ".join(f"{each:,}" for each in (self.low, self.high))


Share = Annotated[float, Range(0, 1)]
"""A part of a whole, or a probability."""
Count = Annotated[int, Range(0, 1_000_000_000)]


class Settings:
    """The base of a frozen dataclass of settings: whoever makes one, its values are checked. Raises UsageError."""

    name: ClassVar[str]
    """The table of the recipe that sets them."""

    def __post_init__(self) -> None:
        for setting, kind in get_type_hints(type(self), include_extras=True).items():
            if get_origin(kind) is not ClassVar and not _fits(kind, getattr(self, setting)):
                raise self.wrong(setting, f"it must be {allowed(kind)}")

    def wrong(self, setting: str, remedy: str) -> UsageError:
        """What to raise where the value of a setting cannot be used."""
        return _wrong(self.name, setting, getattr(self, setting), remedy)


T = TypeVar("T")


def made(step: type[T], table: Mapping[str, Any]) -> T:
    """A step from its table in a recipe, whose values TOML has typed or `--set` gave as text. Raises UsageError."""
    known = [item.name for item in fields(step)]  # type: ignore[arg-type]
    for setting, value in table.items():
        if setting not in known:
            choice = f"its settings are {', '.join(known)}" if known else "it has none"
            raise _wrong(step.name, setting, value, f"no setting is called so; {choice}")  # type: ignore[attr-defined]
    kinds = get_type_hints(step)
    return step(**{setting: _converted(kinds[setting], value) for setting, value in table.items()})


def allowed(kind: Any) -> str:
    """What a value of a type may be, in words."""
    plain, bounds = _parted(kind)
    if plain in (int, float):
        return f"a {'whole ' if plain is int else ''}number from {bounds}"
    if get_origin(plain) is Literal:
        return f"one of {', '.join(get_args(plain))}"
    if get_origin(plain) is tuple:
        return 'a list of texts, as ["a", "b"]'
    return "true or false" if plain is bool else "a text"


def bounds(step: type[Any], setting: str) -> str:
    """`0 to 1` for a number, else nothing."""
    return str(_parted(get_type_hints(step, include_extras=True)[setting])[1] or "")


def _parted(kind: Any) -> tuple[Any, Range | None]:
    return get_args(kind) if get_origin(kind) is Annotated else (kind, None)


def _fits(kind: Any, value: Any) -> bool:
    plain, bounds = _parted(kind)
    if get_origin(plain) is Literal:
        return value in get_args(plain)
    if get_origin(plain) is tuple:
        return isinstance(value, tuple) and all(isinstance(part, str) and part for part in value)
    if plain not in (int, float):
        return isinstance(value, plain)
    typed = isinstance(value, int if plain is int else int | float) and not isinstance(value, bool)
    # Not a number is in no range.
    return typed and (bounds is None or bounds.low <= value <= bounds.high)


def _converted(kind: Any, value: Any) -> Any:
    """The value as the type has it; where that cannot be, as it is: it is refused when it is checked."""
    if get_origin(kind) is tuple:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return tuple(value) if isinstance(value, list) else value
    if isinstance(value, str) and kind is bool:
        return {"true": True, "false": False}.get(value, value)
    if kind in (int, float) and isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return value
        return int(number) if kind is int and number.is_integer() else number
    return value


def _wrong(table: str, setting: str, value: Any, remedy: str) -> UsageError:
    try:
        shown = str(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)
    except ValueError:  # Python writes no number of more than 4,300 digits.
        shown = "…"
    return UsageError(f"[{table}] {setting} = {shown if len(shown) <= _SHOWN else f'{shown[:_SHOWN]}…'}: {remedy}")
