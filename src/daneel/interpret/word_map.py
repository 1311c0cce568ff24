"""A map of words: the two principal components of their embeddings, on an offline page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from daneel.charts import Cloud
from daneel.corpus.read.encoding import decode
from daneel.corpus.read.item import UnusableError
from daneel.errors import DataError, UsageError
from daneel.interpret.embeddings import Array, Correction, Embeddings, Word
from daneel.report import Figure, Page

MAX_WORDS = 500
"""More names cannot be read on one page."""
MAX_GROUPS = 10
"""As many colours and marks as can be told apart."""

# What is shown where no words are given: of each line the words that the model has a token for.
WORDS = """
# numbers
one two three five eight ten 一 三 五 十
# colours
red blue green white black orange 红色 蓝色 绿色
# family
mother father sister brother son wife 母亲 父亲 儿子
# animals
dog cat horse cow bird fish 狗 猫 马 鸟
# places
China Japan France London Paris Tokyo 中国 日本 北京
# sky and space
sun moon star planet galaxy rocket 太阳 地球 宇宙
# machines
robot computer engine software phone car 机器人 电脑 手机
# feelings
happy sad angry love hate hope fear 快乐 爱 希望
# deeds
run walk speak write read think eat 走 说 写
# time
day night month year minute winter 天 年 小时
"""


@dataclass(frozen=True)
class Group:
    """Words under one heading; the heading may be empty."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where a word stands on the map."""

    word: Word
    group: str
    x: float
    y: float


@dataclass(frozen=True)
class WordMap:
    """Words on a plane, and the share of their variance that each axis shows."""

    places: tuple[Place, ...]
    explained: tuple[float, float]


def read_words(path: Path) -> list[Group]:
    """A word a line; a line `# name` begins a group. Words that come twice count once. Raises DataError."""
    try:
        text, _, _ = decode(path.read_bytes())
    except UnusableError as error:
        raise DataError(f"{path} holds no words: {error}") from None
    groups: dict[str, list[str]] = {}
    name, seen = "", set()
    for line in text.splitlines():
        word = line.strip()
        if heading := re.fullmatch(r"#\s+(.+)", word):
            name = heading[1]
        elif word and word not in seen:
            seen.add(word)
            groups.setdefault(name, []).append(word)
    if not groups:
        raise DataError(f"{path} holds no words: write one a line, with `# name` above each group")
    return [Group(name, tuple(words)) for name, words in groups.items()]


def default_groups(model: Embeddings) -> list[Group]:
    """The words of WORDS that are single tokens of this model."""
    groups = []
    for part in WORDS.split("# ")[1:]:
        name, _, words = part.partition("\n")
        known = tuple(word for word in words.split() if len(model.word(word).ids) == 1)
        if known:
            groups.append(Group(name, known))
    return groups


def project(model: Embeddings, groups: Sequence[Group], correction: Correction) -> WordMap:
    """Corrected vectors at length 1, so that distance on the map follows the cosine, on their two main axes.

    Each axis is turned so that its farthest word lies on the positive side. Raises UsageError for less than three
    words, for more than MAX_WORDS, or MAX_GROUPS.
    """
    words = [(model.word(word), group.name) for group in groups for word in group.words]
    if not 3 <= len(words) <= MAX_WORDS or len(groups) > MAX_GROUPS:
        raise UsageError(
            f"a map takes 3 to {MAX_WORDS} words in at most {MAX_GROUPS} groups; "
            f"these are {len(words)} in {len(groups)}"
        )
    points, explained = principal_axes(correction.units(model.vectors([word for word, _ in words])))
    places = (
        Place(word, group, round(float(x), 4), round(float(y), 4))
        for (word, group), (x, y) in zip(words, points, strict=True)
    )
    return WordMap(tuple(places), explained)


def principal_axes(vectors: Array) -> tuple[Array, tuple[float, float]]:
    """Vectors [rows, dimension] -> their first two principal components [rows, 2], and the variance each explains."""
    moved = vectors - vectors.mean(axis=0)
    left, strength, _ = np.linalg.svd(moved.astype(np.float64), full_matrices=False)
    points = left[:, :2] * strength[:2]
    points *= np.where(np.abs(points.min(axis=0)) > points.max(axis=0), -1, 1)
    total = (strength**2).sum() or 1.0
    first, second = (strength[:2] ** 2 / total).tolist()
    return points.astype(np.float32), (first, second)


def page(model: Embeddings, found: WordMap, removed: str) -> str:
    """The map as one HTML page; `removed` says what was taken off the vectors."""
    chinese = any(re.search("[\u3400-\u9fff]", place.word.text) for place in found.places)
    out = Page(
        f"Words as {model.name} sees them",
        f"{len(found.places)} words by their input embeddings: what the model knows of a word before it reads a text.",
        kind="daneel embeddings",
    )
    names = list(dict.fromkeys(place.group for place in found.places))
    clouds = [Cloud(n or "words", [(p.word.text, p.x, p.y) for p in found.places if p.group == n]) for n in names]
    axes = [f"component {i + 1} ({100 * share:.0f} % of the variance)" for i, share in enumerate(found.explained)]
    hidden = out.scatter(clouds, axes[0], axes[1], lang="zh" if chinese else None)
    out.figures(
        [
            Figure(f"{100 * sum(found.explained):.0f} %", "of the variance is on the map", "the rest is out of sight"),
            Figure(f"{model.count:,}", "tokens in the vocabulary"),
            Figure(f"{model.dimension:,}", "dimensions of a vector"),
        ]
    )
    if hidden:
        out.note(f"No room for {len(hidden)} names; point at a mark to read its word: {', '.join(hidden)}")
    out.note(
        "Words that are near in the model's space are near here, but words that are near here may be far apart in "
        "directions that a plane cannot show. The axes have no meaning of their own. " + removed
    )
    pieces = [place.word for place in found.places if len(place.word.ids) > 1]
    if pieces:
        shown = ", ".join(f"{word.text} ({len(word.ids)})" for word in pieces)
        out.note(f"Of several tokens, placed at their mean, which says less: {shown}")
    return out.html()
