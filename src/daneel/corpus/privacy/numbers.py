"""Personal data made of digits: cards, accounts, identity numbers, addresses of machines, telephones.

Chinese has no spaces: a number may stand right between characters, so only Latin letters and digits bound it.
"""

import ipaddress
import re
from collections.abc import Collection, Iterator
from functools import lru_cache

import numpy as np
import phonenumbers

from daneel.corpus.privacy import checks

Found = tuple[int, int, str]
"""Start, end, kind."""

# Everything here has four digits within ten places somewhere, and six places of digits and what separates digits.
_DENSE, _WITHIN = 4, 10
_CLUSTER = re.compile(r"[0-9][0-9 .()/\u00a0\u3000\u2010-\u2013\uff08\uff09-]{5,}")
_LEFT, _RIGHT = 40, 48

_NUMBER = re.compile(r"(?<![0-9A-Za-z_])(?<![0-9][.,])[0-9]{12,19}(?![0-9A-Za-z_])")
_CARD = re.compile(
    r"(?<![0-9A-Za-z_])(?<![0-9][ .,-])(?:[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?"
    r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}|[0-9]{6}[ -][0-9]{13})(?![ -]?[0-9])(?![A-Za-z_])"
)
_CN_ID = re.compile(
    r"(?<![0-9A-Za-z_])[0-9]{6}([ -]?)(?:[0-9]{8}|[0-9]{4}[ -][0-9]{4})\1[0-9]{3}[0-9Xx]"
    r"(?![0-9A-Za-z_])"
)
_CN_ID_OLD = re.compile(r"(?<![0-9A-Za-z_])[0-9]{15}(?![0-9A-Za-z_])")
_CN_MOBILE = re.compile(
    r"(?<![0-9A-Za-z_])(?<![0-9][.-])(?:(?:\+|00)?86[ -]?|[(\uff08](?:\+|00)?86[)\uff09] ?)?"
    r"1[3-9][0-9](?:[ -]?[0-9]{4}[ -]?[0-9]{4}|\.[0-9]{4}\.[0-9]{4}|[ -][0-9]{3}[ -][0-9]{5})"
    r"(?![0-9A-Za-z_])(?![.-][0-9])"
)
_SSN = re.compile(r"(?<![0-9A-Za-z_])(?<![0-9][-.])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9A-Za-z_])(?!-[0-9])")
_SSN_PLAIN = re.compile(r"(?<![0-9A-Za-z_])[0-9]{3} ?[0-9]{2} ?[0-9]{4}(?![0-9A-Za-z_])")
_IBAN = re.compile(r"(?<![0-9A-Za-z_])[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]){11,30}")
_IPV4 = re.compile(r"(?<![0-9A-Za-z_])(?<![0-9]\.)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9A-Za-z_])(?!\.[0-9])")
_CN_PHONE = re.compile(
    r"(?<![0-9A-Za-z_])(?<![0-9][.-])(?:(?:\+86[ -]?|[(\uff08](?:\+86[ -]?)?)?0(?:10|2[0-9]|[3-9][0-9]{2})"
    r"(?:[)\uff09] ?|[ -])[2-9][0-9]{2,3}[ -]?[0-9]{4}|[48]00[ -][0-9]{3,4}[ -]?[0-9]{3,4})(?![0-9A-Za-z_])"
    r"(?:(?:[ -]|转|分机|ext\.? ?){1,2}[0-9]{1,5}(?![0-9A-Za-z_]))?"
)
# Digits and what separates them take turns, so that there is one way to read a run and no way to go back far.
_PHONE = re.compile(
    r"(?<![0-9A-Za-z_+])(?<![0-9][.,/-])(?:\+ ?)?\(?[0-9]{1,15}"
    r"(?:(?:\)[ .\u00a0\u2010-\u2013-]?|[ .\u00a0\u2010-\u2013-]\(?|\()[0-9]{1,11}){0,6}\)?"
    r"(?![0-9])(?:(?: ?x| ?ext\.? ?|转|分机)[0-9]{1,6}(?![0-9]))?"
)
_AMERICAN = re.compile(
    r"(?<![0-9A-Za-z_+])(?<![0-9][.-])(?:\+?1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}([ .-]))[2-9][0-9]{2}"
    r"(?(1)\1|[ .-])[0-9]{4}(?![0-9A-Za-z_])(?![.-][0-9])"
)
_DAY, _MONTH = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])"
_DATE = re.compile(
    rf"(?:[12][0-9]{{3}}([ .–-]){_MONTH}\1{_DAY}|{_DAY}([ .–-]){_MONTH}\2(?:[12][0-9])?[0-9]{{2}}"
    rf"|{_MONTH}([ .–-]){_DAY}\3(?:[12][0-9])?[0-9]{{2}}|[12][0-9]{{3}} ?[–-] ?[12][0-9]{{3}})(?![.–-]?[0-9])"
)
_CARD_CUE = re.compile(
    r"(?:\bcards?\b|\bvisa\b|\bmastercard\b|\bamex\b|\bcc\b|卡号|卡號|银行卡|信用卡|储蓄卡)[^0-9\n]{0,12}\Z",
    re.IGNORECASE,
)
_PHONE_CUE = re.compile(
    r"(?:\b(?:tele)?phones?\b|\btel\b|\bmob(?:ile)?\b|\bcell\b|\bfax\b|\bdesk\b|\bcall(?:ed|ing)?\b|\bdial\b"
    r"|\btext(?:ed)? |\bwhatsapp\b|\bsms\b|\bcontact\b|\breach\b|\banswer(?:ing)? at\b|\bring\b|\bregistered\b"
    r"|电话|手机|座机|热线|传真|致电|拨打|联系方式|联系|来电|號碼|电联|電話|手機)"
    r"[^0-9\n。！；!;]{0,12}(?:\n[ \t]*)?[+(]?\Z",
    re.IGNORECASE,
)
_PHONE_AFTER = re.compile(r"[ \t-]{0,2}\(?(?:office|fax|mobile|cell|phone|desk|home|work)\b", re.IGNORECASE)
# A number named as something else is that.
_OTHER_CUE = re.compile(
    r"(?:\border|\binvoice|\btracking|\bisbn|\bissn|\bdoi\b|\bserial|\bref(?:erence)?\b|\bticket|\bparcel|\bsku\b"
    r"|\bbarcode|\blicen[cs]e|\bpassport|\bpatent"
    r"|订单|单号|運單|运单|快递|流水|编号|序列|发票|书号|批号|型号|条码"
    r"|条形码|编码|代码|物料|合同|学号|学籍|工号|会员号|注册号)"
    r"[^0-9\n，。；！？,;!?]{0,12}\Z",
    re.IGNORECASE,
)
_VERSION_CUE = re.compile(
    r"(?:\bv|\bver\.?|\bversions?|\brelease|\bbuild|\bfirmware|\bsection|\bsec\."
    r"|\bchapter|\bfigure|\bfig\.|\btable|§|\brfc"
    r"|版本|版|固件|章节|第|章|节|图|表)[号號]?[\s:：]{0,3}\Z",
    re.IGNORECASE,
)
_STOPS = " \t\n.,:;+-/(|"
_ID_CUE = re.compile(r"(?:身份证|身份證|证件|\bID\b)[^0-9\n]{0,10}\Z")
_SSN_CUE = re.compile(r"(?:\bssn\b|social security)[^0-9\n]{0,16}\Z", re.IGNORECASE)
_IPV6_PLACE = re.compile(r":(?=[0-9A-Fa-f]{0,4}:)")
_GROUP = re.compile("[0-9A-Fa-f]{3}")
_IPV6_SIGNS = "0123456789abcdefABCDEF:."


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """Windows around digits that stand close together, in order and apart."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    digits = np.flatnonzero(codes - np.uint32(ord("0")) < 10)
    dense = np.flatnonzero(digits[_DENSE - 1 :] - digits[: 1 - _DENSE] < _WITHIN)
    if not len(dense):
        return
    low, high = np.maximum(digits[dense] - _LEFT, 0), digits[dense + _DENSE - 1] + _RIGHT
    breaks = np.flatnonzero(low[1:] > high[:-1])
    for first, last in zip([0, *(breaks + 1)], [*breaks, -1], strict=True):
        window = int(low[first]), int(high[last])
        if _CLUSTER.search(text, *window):
            yield window


def in_window(text: str, low: int, high: int, kinds: Collection[str], regions: tuple[str, ...]) -> Iterator[Found]:
    """Everything that is made of digits between two places of a text."""
    if "ip" in kinds:
        yield from _ipv4(text, low, high)
    if "iban" in kinds:
        yield from _ibans(text, low, high)
    if "cn_id" in kinds:
        yield from _cn_ids(text, low, high)
    if "card" in kinds:
        for pattern in (_NUMBER, _CARD):
            for match in pattern.finditer(text, low, high):
                digits = _digits(match[0])
                # What is called a card is one whatever its prefix.
                known = checks.is_card(digits) and not _named(text, match.start(), _OTHER_CUE)
                if known or (_named(text, match.start(), _CARD_CUE) and not checks.luhn(digits) % 10):
                    yield match.start(), match.end(), "card"
    if "cn_mobile" in kinds:
        for match in _CN_MOBILE.finditer(text, low, high):
            start = match.start() - (match.start() > 0 and text[match.start() - 1] == "+")
            if not _named(text, match.start(), _OTHER_CUE):
                yield start, match.end(), "cn_mobile"
    if "us_ssn" in kinds:
        for pattern in (_SSN, _SSN_PLAIN):
            for match in pattern.finditer(text, low, high):
                sure = pattern is _SSN or _named(text, match.start(), _SSN_CUE)
                if sure and checks.is_ssn(_digits(match[0])) and not _named(text, match.start(), _OTHER_CUE):
                    yield match.start(), match.end(), "us_ssn"
    if "phone" in kinds:
        yield from _phones(text, low, high, regions)


def ipv6(text: str) -> Iterator[Found]:
    """Addresses of version 6, from their colons."""
    end = 0
    for match in _IPV6_PLACE.finditer(text):
        place = match.start()
        if place < end:
            continue
        before, after = text[max(end, place - 45) : place], text[place : place + 46]
        start = place - (len(before) - len(before.rstrip(_IPV6_SIGNS)))
        end = place + len(after) - len(after.lstrip(_IPV6_SIGNS))
        run = text[start:end].rstrip(".")
        # A single colon at the end belongs to the sentence.
        run = run[:-1] if run.endswith(":") and not run.endswith("::") else run
        end = start + len(run)
        # `[2::2]` is a slice: an address has a group of some length.
        if _joined(text, start - 1) or _joined(text, end) or not _GROUP.search(run):
            continue
        try:
            address = ipaddress.IPv6Address(run)
        except ValueError:
            continue
        if not (address.is_loopback or address.is_unspecified):
            yield start, end, "ip"


def _joined(text: str, place: int) -> bool:
    """Whether a Latin letter, a digit or a low line stands there."""
    return 0 <= place < len(text) and (text[place] == "_" or (text[place].isascii() and text[place].isalnum()))


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign in "0123456789")


def _named(text: str, start: int, cue: re.Pattern[str]) -> bool:
    """Whether the words just before a place say what stands there."""
    before = text[max(0, start - 32) : start]
    # Most numbers stand after a number: in tables.
    words = before.rstrip(_STOPS)
    return bool(words) and not words[-1].isdigit() and cue.search(before) is not None


def _ipv4(text: str, low: int, high: int) -> Iterator[Found]:
    for match in _IPV4.finditer(text, low, high):
        try:
            address = ipaddress.IPv4Address(match[0])
        except ValueError:
            continue
        # Nobody's: the machine itself, everybody, a mask of a network, and four single digits, which number a section.
        nobodys = address.is_loopback or address.is_unspecified or address.is_multicast or address.is_reserved
        if nobodys or len(match[0]) == 7:
            continue
        if not _named(text, match.start(), _VERSION_CUE) and not _named(text, match.start(), _OTHER_CUE):
            yield match.start(), match.end(), "ip"


def _ibans(text: str, low: int, high: int) -> Iterator[Found]:
    for match in _IBAN.finditer(text, low, high):
        length = checks.IBAN_LENGTHS.get(match[0][:2].upper(), 0)
        end, signs = match.start(), ""
        for sign in match[0]:
            if len(signs) == length:
                break
            signs += sign if sign not in " -" else ""
            end += 1
        if not _joined(text, end) and checks.is_iban(signs.upper()):
            yield match.start(), end, "iban"


def _cn_ids(text: str, low: int, high: int) -> Iterator[Found]:
    for match in _CN_ID.finditer(text, low, high):
        if checks.is_cn_id(re.sub("[ -]", "", match[0])):
            yield match.start(), match.end(), "cn_id"
    for match in _CN_ID_OLD.finditer(text, low, high):
        if _named(text, match.start(), _ID_CUE) and checks.is_cn_id_old(match[0]):
            yield match.start(), match.end(), "cn_id"


def _phones(text: str, low: int, high: int, regions: tuple[str, ...]) -> Iterator[Found]:
    for shape in (_CN_PHONE, _AMERICAN):
        for match in shape.finditer(text, low, high):
            known = shape is _CN_PHONE or _valid(match[0], regions)
            if known and not _named(text, match.start(), _OTHER_CUE):
                yield *match.span(), "phone"
    for match in _PHONE.finditer(text, low, high):
        start, end = match.span()
        number = match[0]
        # A bracket that closes what the number did not open is the sentence's.
        if number.endswith(")") and number.count(")") > number.count("("):
            number = number[:-1]
        end = start + len(number)
        digits = _digits(number)
        if not 7 <= len(digits) <= 21 or _DATE.match(number) or _joined(text, end) or checks.is_isbn(digits):
            continue
        # Dots and spaces together are columns of a table; one dot is a fraction.
        if text[end : end + 1] in ("%", "/") or ("." in number and (" " in number or number.count(".") == 1)):
            continue
        if _named(text, start, _PHONE_CUE) or _PHONE_AFTER.match(text, end):
            known = True
        else:
            known = number[0] in "+(0" and len(digits) >= 9 and digits != number and _valid(number, regions)
        if known and not _named(text, start, _OTHER_CUE):
            yield start, end, "phone"


@lru_cache(1 << 14)
def _valid(number: str, regions: tuple[str, ...]) -> bool:
    """Whether it has a length its country code allows, or is in the numbering plan of one of the regions."""
    international = number[0] == "+"
    for region in (None,) if international else regions:
        try:
            parsed = phonenumbers.parse(number, region)
            if phonenumbers.is_possible_number(parsed) if international else phonenumbers.is_valid_number(parsed):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
