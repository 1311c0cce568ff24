"""Personal data in a text put out of sight: masked, hashed, or replaced by fakes that can belong to nobody.

A hash and a fake follow from the value and a secret salt alone (BLAKE2b with a key), so the same value becomes the
same everywhere in a corpus, in any process. The ranges fakes are taken from are small in places: two values may get
the same fake.
"""

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from daneel.corpus.document import HAN
from daneel.corpus.privacy import checks
from daneel.corpus.privacy.find import Span

Draw = Callable[[int], int]
"""The next whole number below a bound."""

# First and last names at once, of no gender, so that `Avery Lane` and `Lane` stay one person.
_NAMES = (
    "Adair", "Alden", "Arden", "Ashby", "Aubrey", "Avery", "Bailey", "Blair", "Blake", "Brett", "Brook", "Cameron",
    "Casey", "Corey", "Dale", "Dallas", "Darcy", "Drew", "Ellis", "Emerson", "Emery", "Finley", "Gray", "Hadley",
    "Harley", "Harper", "Hollis", "Jordan", "Kelly", "Kendall", "Kerry", "Lane", "Lee", "Leslie", "Lindsay",
    "Logan", "Marley", "Mercer", "Merritt", "Monroe", "Morgan", "Palmer", "Parker", "Perry", "Presley", "Quinn",
    "Reagan", "Reese", "Riley", "Robin", "Rory", "Rowan", "Sawyer", "Shannon", "Shelby", "Sidney", "Sloan",
    "Sterling", "Sutton", "Tatum", "Taylor", "Tracy", "Wesley", "Winslow",
)  # fmt: skip
_HAN_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_HAN_GIVEN = "文宁安晨远清林平悦然宇辰乐和知行思齐言之子墨一凡书亦新春秋雨田光景元希青川若原禾"
_HAN_SIGN = re.compile(f"[{HAN}]")
_WORDS = (
    "amber", "birch", "cedar", "delta", "ember", "fern", "grove", "heron", "iris", "juniper", "lark", "maple",
    "north", "olive", "pine", "quartz", "river", "sage", "tide", "willow",
)  # fmt: skip
# RFC 5737.
_NETS = ("192.0.2", "198.51.100", "203.0.113")


def shown(value: str) -> str:
    """A found value as a card may show it: its first signs, two at most and never more than a third."""
    return f"{value[: min(2, len(value) // 3)]}… ({len(value)} characters)"


def replace(text: str, spans: Sequence[Span], action: Literal["mask", "hash", "fake"], salt: str = "") -> str:
    """The text with each span (sorted, apart from each other) masked, hashed with the salt, or faked."""
    parts = []
    end = 0
    for span in spans:
        parts += [text[end : span.start], _instead(text[span.start : span.end], span.kind, action, salt)]
        end = span.end
    return "".join([*parts, text[end:]])


def _instead(value: str, kind: str, action: Literal["mask", "hash", "fake"], salt: str) -> str:
    if action == "mask":
        return f"[{kind.upper()}]"
    if action == "hash":
        return f"[{kind.upper()}:{_digest(kind, _canonical(value, kind), salt)[:6].hex()}]"
    return _FAKES[kind](value, salt)


def _canonical(value: str, kind: str) -> str:
    """One spelling for all ways in which a value is written."""
    value = unicodedata.normalize("NFKC", value).casefold()
    if kind in ("email", "messenger", "ip", "person"):
        return value
    signs = re.sub(r"[^0-9a-z]", "", value)
    # With the country's code or without.
    return signs[-11:] if kind == "cn_mobile" else signs


def _digest(kind: str, value: str, salt: str, block: int = 0) -> bytes:
    key = hashlib.sha256(salt.encode()).digest()
    return hashlib.blake2b(f"{kind}\0{value}\0{block}".encode("utf-8", "surrogatepass"), key=key).digest()


def _drawn(value: str, kind: str, salt: str) -> Draw:
    """Numbers that follow from the value; of 32 bits each, so that the small bounds here leave no bias that matters."""

    def numbers() -> Iterator[int]:
        for block in itertools.count():
            pool = _digest(kind, _canonical(value, kind), salt, block)
            yield from (int.from_bytes(pool[n : n + 4], "big") for n in range(0, len(pool), 4))

    stream = numbers()
    return lambda bound: next(stream) % bound


def _digits_of(draw: Draw, count: int) -> str:
    return "".join(str(draw(10)) for _ in range(count))


def _filled(shape: str, signs: str) -> str:
    """The value's separators with other signs between them, as many as it has letters and digits."""
    rest = iter(signs)
    return "".join(next(rest) if sign.isalnum() else sign for sign in shape)


def _email(value: str, salt: str) -> str:
    """RFC 2606 keeps example.com, .net and .org for this."""
    draw = _drawn(value, "email", salt)
    words = f"{_WORDS[draw(len(_WORDS))]}.{_WORDS[draw(len(_WORDS))]}{draw(10_000)}"
    return f"{words}@example.{('com', 'net', 'org')[draw(3)]}"


def _ip(value: str, salt: str) -> str:
    """The networks of RFC 5737 and RFC 3849, kept for documents."""
    draw = _drawn(value, "ip", salt)
    if ":" in value:
        return "2001:db8:" + ":".join(f"{draw(0xFFFF) + 1:x}" for _ in range(6))
    return f"{_NETS[draw(3)]}.{draw(254) + 1}"


def _card(value: str, salt: str) -> str:
    """Right by Luhn, beginning with 0000: no network has the first digit 0 (ISO/IEC 7812-1)."""
    draw = _drawn(value, "card", salt)
    body = "0000" + _digits_of(draw, sum(sign.isalnum() for sign in value) - 5)
    return _filled(value, body + str(-checks.luhn(body + "0") % 10))


def _iban(value: str, salt: str) -> str:
    """Its country and shape; modulo 97 is right, and the check digits are 99, which no bank gives out (02 to 98)."""
    draw = _drawn(value, "iban", salt)
    signs = unicodedata.normalize("NFKC", re.sub("[ -]", "", value)).upper()
    body = "".join(str(draw(10)) if sign.isdigit() else chr(65 + draw(26)) for sign in signs[4:-2])
    # The last two digits take every remainder.
    every = (f"{signs[:2]}99{body}{last:02d}" for last in range(100))
    return _filled(value, next(iban for iban in every if checks.iban_remainder(iban) == 1))


def _cn_id(value: str, salt: str) -> str:
    """A region beginning with 00, which GB/T 2260 has not, a day of birth, and the right check sign."""
    draw = _drawn(value, "cn_id", salt)
    day = f"{1950 + draw(50)}{draw(12) + 1:02d}{draw(28) + 1:02d}"
    body = "00" + _digits_of(draw, 4)
    if sum(sign.isalnum() for sign in value) == 15:
        return _filled(value, body + day[2:] + _digits_of(draw, 3))
    body += day + _digits_of(draw, 3)
    return _filled(value, body + checks.cn_check(body))


def _cn_mobile(value: str, salt: str) -> str:
    """Eleven digits beginning with 129: mobile numbers begin with 13 to 19 (MIIT's numbering plan)."""
    draw = _drawn(value, "cn_mobile", salt)
    count = sum(sign.isalnum() for sign in value)
    code = unicodedata.normalize("NFKC", "".join(sign for sign in value if sign.isalnum()))[: count - 11]
    return _filled(value, f"{code}129{_digits_of(draw, 8)}")


def _us_ssn(value: str, salt: str) -> str:
    """Area 000, which was and is never given out (SSA)."""
    return _filled(value, "000" + _digits_of(_drawn(value, "us_ssn", salt), 6))


def _phone(value: str, salt: str) -> str:
    """North American 555-0100 to 0199 (NANPA), else code +999, which is nobody's (ITU), or a number beginning 000."""
    draw = _drawn(value, "phone", salt)
    # Up to an extension, `x12` or `转12`.
    digits = re.sub(r"[^0-9].*", "", re.sub(r"[^0-9a-z转分]", "", unicodedata.normalize("NFKC", value)))
    american = re.fullmatch(r"(|1|001)[2-9][0-9]{2}[2-9][0-9]{6}", digits)
    rest = len(digits)
    if american:
        code = f"{american[1]}{draw(8) + 2}{_digits_of(draw, 2)}"
        fake = f"{code}55501{_digits_of(draw, 2)}"
    elif rest == 7:
        fake = f"55501{_digits_of(draw, 2)}"
    elif value[0] in "+＋":
        fake = f"999{_digits_of(draw, rest - 3)}"
    else:
        fake = f"000{_digits_of(draw, rest - 3)}"
    signs = iter(fake)
    # An extension keeps its word and loses its digits too.
    return "".join((next(signs, None) or str(draw(10))) if sign.isdecimal() else sign for sign in value)


def _messenger(value: str, salt: str) -> str:
    """As long, beginning with 0, as no QQ number and no WeChat name does."""
    draw = _drawn(value, "messenger", salt)
    return "0" + "".join(
        str(draw(10)) if sign.isdecimal() else chr(97 + draw(26)) if sign.isalpha() else sign for sign in value[1:]
    )


def _person(value: str, salt: str) -> str:
    """Name by name in alphabets, sign by sign in Chinese, so that a part of a name is faked as in the whole."""
    if _HAN_SIGN.match(value):
        first = _HAN_SURNAMES[_drawn(value[0], "person", salt)(len(_HAN_SURNAMES))]
        return first + "".join(_HAN_GIVEN[_drawn(sign, "given", salt)(len(_HAN_GIVEN))] for sign in value[1:])
    return re.sub(r"[^\W\d_][\w'’-]+", lambda word: _NAMES[_drawn(word[0], "person", salt)(len(_NAMES))], value)


_FAKES: dict[str, Callable[[str, str], str]] = {
    "email": _email,
    "ip": _ip,
    "iban": _iban,
    "cn_id": _cn_id,
    "card": _card,
    "cn_mobile": _cn_mobile,
    "us_ssn": _us_ssn,
    "phone": _phone,
    "messenger": _messenger,
    "person": _person,
}
