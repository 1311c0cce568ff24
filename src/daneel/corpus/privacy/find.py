"""Personal data found in a text: by shape, then by checks, then by the words around it."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from daneel.corpus.privacy import numbers, people

KINDS = ("email", "ip", "iban", "cn_id", "card", "cn_mobile", "us_ssn", "messenger", "phone", "person")
"""What can be found; where two overlap, the earlier kind stands."""
DEFAULT = KINDS[:-1]
"""All but names: fiction is full of people who do not exist."""
REGIONS = ("US", "GB", "CN")

# Full-width digits, letters and signs stand for their ASCII forms, place by place.
_WIDE = "０１２３４５６７８９＠"
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

_LOCAL = "".join(map(chr, range(0xC0, 0x250))) + (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+/=?^_`{|}~-"
)
_LABEL = "A-Za-z0-9\u00df-\u00f6\u00f8-\u024f"
_DOMAIN = re.compile(rf"(?:[{_LABEL}](?:[{_LABEL}-]{{0,61}}[{_LABEL}])?\.){{1,8}}([A-Za-z]{{2,24}})(?![{_LABEL}@-])")
# `icon@2x.png` names a picture.
_FILES = frozenset(["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "html"])
# What names an account of QQ and of WeChat, and what follows.
_QQ_WORDS = ("QQ", "qq")
_WECHAT_WORDS = ("WeChat", "Wechat", "微信", "薇信", "威信")
# Shorter and rarer ones, looked for where the text is Chinese.
_CHINESE = "，：号微信加"
_QQ_SLANG = ("扣扣", "企鹅")
_WECHAT_SLANG = ("wechat", "weixin", "加v", "加V", "vx", "VX", "Vx", "wx")
_LINK = r"(?:群)?(?:号码|账号|帐号|[号號])?(?:\s?ID|\s?id)?(?:是|为|\sis)?[\s:：]{0,3}"
_QQ = re.compile(rf"{_LINK}([1-9][0-9]{{4,10}})(?![0-9A-Za-z])")
_WECHAT = re.compile(rf"{_LINK}([A-Za-z][A-Za-z0-9_-]{{5,19}}|[1-9][0-9]{{5,10}})(?![A-Za-z0-9_-])")
_LATIN_BEFORE = re.compile("[A-Za-z0-9@._-]")


class Span(NamedTuple):
    """Personal data in a text: `text[start:end]`."""

    start: int
    end: int
    kind: str


def find(text: str, kinds: Collection[str] = DEFAULT, regions: tuple[str, ...] = REGIONS) -> list[Span]:
    """Personal data of the kinds named, in the text's order, without overlaps.

    A telephone number without a country code and without a word that names it has to be valid in one of the regions
    (ISO 3166, two letters).
    """
    if not text.isascii() and any(sign in text for sign in _WIDE):
        text = text.translate(_NARROW)
    rank = {kind: place for place, kind in enumerate(KINDS)}
    best: list[Span] = []
    group: list[Span] = []
    end = -1
    # Groups of spans that touch each other are few and small.
    for span in sorted(Span(*each) for each in _all(text, kinds, regions)):
        if span.start >= end:
            best += _chosen(group, rank)
            group = []
        group.append(span)
        end = max(end, span.end)
    return best + _chosen(group, rank)


def _chosen(group: list[Span], rank: dict[str, int]) -> list[Span]:
    """Of spans that overlap, those of the earlier kind, then the longer."""
    kept: list[Span] = []
    for span in sorted(group, key=lambda span: (rank[span.kind], span.start - span.end, span.start)):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept)


def _all(text: str, kinds: Collection[str], regions: tuple[str, ...]) -> Iterator[numbers.Found]:
    if "email" in kinds:
        yield from _emails(text)
    if "ip" in kinds:
        yield from numbers.ipv6(text)
    for low, high in numbers.clusters(text):
        yield from numbers.in_window(text, low, high, kinds, regions)
    if "messenger" in kinds:
        yield from _accounts(text)
    if "person" in kinds:
        yield from people.names(text)


def _emails(text: str) -> Iterator[numbers.Found]:
    place = text.find("@")
    while place >= 0:
        before = text[max(0, place - 64) : place]
        local = before[len(before.rstrip(_LOCAL)) :].lstrip(".'`*=/{|")
        domain = _DOMAIN.match(text, place + 1)
        if local and not local.endswith(".") and domain and domain[1].lower() not in _FILES:
            yield place - len(local), domain.end(), "email"
        place = text.find("@", place + 1)


def _accounts(text: str) -> Iterator[numbers.Found]:
    """Accounts of the messengers QQ and WeChat, by the word before them."""
    chinese = not text.isascii() and any(sign in text for sign in _CHINESE)
    slang = ((_QQ_SLANG, _QQ), (_WECHAT_SLANG, _WECHAT)) if chinese else ()
    for words, account in ((_QQ_WORDS, _QQ), (_WECHAT_WORDS, _WECHAT), *slang):
        for word in words:
            for place in people.places(text, word):
                match = account.match(text, place + len(word))
                if match and not (word.isascii() and place and _LATIN_BEFORE.match(text[place - 1])):
                    linked = text[place + len(word) : match.start(1)].strip()
                    # A Latin word right after is a word, not a name: `WeChat groups`.
                    if linked or re.search("[0-9_-]", match[1]):
                        yield match.start(1), match.end(1), "messenger"
