"""Two text files whose lines are translations of each other, as Moses and OPUS have them."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import BinaryIO

from daneel.corpus.read.encoding import detect
from daneel.corpus.read.item import HEAD, Dropped, Raw, UnusableError
from daneel.corpus.read.languages import code, is_language
from daneel.corpus.read.rows import Rows, line_reader

Opener = Callable[[], BinaryIO]


def is_side(name: str) -> bool:
    """Whether a file is called after a language, as corpus.en."""
    stem, dot, last = name.rpartition(".")
    return bool(stem and dot) and is_language(last)


def match(names: Sequence[str], languages: Sequence[str] = ()) -> list[tuple[int, int]]:
    """Places of those names that differ in a language alone, as corpus.en and corpus.zh; source before target.

    `languages` says which of them come first, and where three or more differ, which two are meant.
    """
    groups: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for place, name in enumerate(names):
        if found := _language(name):
            language, rest = found
            groups.setdefault(rest, []).append((code(language), place))
    pairs = []
    for group in groups.values():
        known = dict(group)
        if len(languages) == 2 and all(language in known for language in map(code, languages)):
            pairs.append((known[code(languages[0])], known[code(languages[1])]))
        elif len(group) == 2:
            pairs.append((group[0][1], group[1][1]))
    return pairs


def _language(name: str) -> tuple[str, tuple[str, ...]] | None:
    """The language in a name, and the name without it; the last one counts: corpus.en-zh.en is English."""
    for cuts in (r"([./])", r"([./_-])"):
        parts = re.split(cuts, name)
        for n in reversed(range(len(parts))):
            if is_language(parts[n]):
                return parts[n], (*parts[:n], "", *parts[n + 1 :])
    return None


def aligned(openers: Sequence[Opener], names: Sequence[str], rows: Rows) -> Iterator[Raw | Dropped]:
    """The pairs of two files. Raises UnusableError where one has more lines than the other."""
    counts = []
    for opener in openers:
        number = last = 0
        for number, line in enumerate(_lines(opener, rows), 1):
            last = number if line is None or line.strip() else last
        counts.append((number, last))
    if all(one != two for one, two in zip(*counts, strict=True)):
        told = ", ".join(f"{name} {count:,}" for name, (_, count) in zip(names, counts, strict=True))
        raise UnusableError(f"the lines do not answer each other, there are not as many on both sides ({told})")
    for number, (left, right) in enumerate(zip_longest(*(_lines(opener, rows) for opener in openers), fillvalue=""), 1):
        if left is None or right is None:
            rows.bad(f"longer than {rows.settings.row_bytes >> 20} MB", number)
        elif left.strip() or right.strip():
            size = len(left.encode()) + len(right.encode())
            yield from rows.take(number, {"source": left, "target": right}, size)
    yield from rows.dropped()


def _lines(opener: Opener, rows: Rows) -> Iterator[str | None]:
    """The lines of a file in its own encoding, None for one that is too long."""
    with opener() as file:
        encoding = detect(file.read(HEAD))
    limit = rows.settings.row_bytes
    with opener() as file:
        readline, decoder = line_reader(file, encoding)
        while line := readline(limit + 1):
            if len(line) > limit:
                yield None
                while not line.endswith(b"\n") and (line := readline(1 << 20)):
                    pass
                continue
            yield line.decode(decoder, "replace").rstrip("\r\n").removeprefix("\ufeff")
