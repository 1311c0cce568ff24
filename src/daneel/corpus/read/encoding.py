"""Bytes to text: which encoding, what had to be replaced, and where a long text may be cut."""

import codecs
import re

from daneel.corpus.read.item import UnusableError

_SAMPLE = 1 << 16
_WINDOW = 1 << 16
# Bytes that no text has, of which a short one may have so many.
_SLIPS = 3
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\x00\x00", "utf-32-le"), (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
)  # fmt: skip
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1a\x1b"))
# Letters, marks and punctuation that a text is made of, wherever it comes from.
_TEXTY = re.compile(r"[\t\n\r -~\u00a0-\u024f\u0370-\u05ff\u2010-\u2026\u3000-\u30ff\u4e00-\u9fff\uff00-\uff60]")
# What charset-normalizer may answer: what text files of the last forty years are written in.
_LEGACY = [
    "gb18030", "big5hkscs", "cp932", "euc_jp", "cp949", "koi8_r", "koi8_u", *(f"cp{n}" for n in range(1250, 1259)),
]  # fmt: skip
_LATIN = {"cp1250", "cp1254", "cp1257", "cp1258"}
# Names that pages declare, as browsers understand them (https://encoding.spec.whatwg.org/#names-and-labels).
_DECLARED = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "gb18030": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "x-x-big5": "big5hkscs", "shift_jis": "cp932", "shift-jis": "cp932",
    "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932", "euc-jp": "euc_jp", "x-euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp", "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "windows-949": "cp949",
    "koi8-r": "koi8_r", "koi8-u": "koi8_u", "macintosh": "mac_roman", "tis-620": "cp874", "windows-874": "cp874",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-9": "cp1254",
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"windows-{n}": f"cp{n}" for n in range(1250, 1259)},
}  # fmt: skip
# The signs that make up about half of any text in a language; a wrong reading of its bytes hits few of them.
_PUNCTUATION = "，。、：；？！“”‘’（）《》「」『』…—\u3000"
_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去"
    "法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正"
    "业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东"
    "声提立及比员解水名真论处走义各入几口认条平系气题活更别打女变四神总何电数安少报才结反受目太量再感建做接必场件计管期市直德资命山金指"
    "书非则听白却界光放像难且思王象完式色路记南品住告类求据程北边死张该交万取望确传师观清今切院让识候带争运笑飞风步改收根干造言持组每车"
    "亲林服快办往元英士证近失转夫令布始怎呢存未远叫台单影字爱击流春花夜雨雪云江湖曰吾汝矣哉乎"
)
_TRADITIONAL = (
    "這個們來為國說時會對過發後裡裏種經麼學現當沒動還進樣實軍無與長機從關點業將兩間問並應戰頭體產話內給門東聲員論處義幾認條氣題變總"
    "電數報結場計則聽難書記類據邊張該萬親車風飛運帶傳觀師識讓愛擊單遠證轉買賣馬鳥魚龍雲雖覺許語誰請讀調談謝錢鐘開閉陳陽陰雙離靜響願"
    "顯驚驗髮鬥黃點齊於著嗎喔妳牠"
)
_KANA = "".join(map(chr, [*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), 0x30FC]))
_HANGUL = (
    "이다는의가에을고하지도로한를은기사아그나어리서있자시니라인해대수일만들"
    "부전정보스여주우장제것면게거오상원구말무러당했음까와과요않없"
)
_FREQUENT = {
    "gb18030": frozenset(_PUNCTUATION + _SIMPLIFIED + _TRADITIONAL),
    "big5hkscs": frozenset(_PUNCTUATION + _SIMPLIFIED + _TRADITIONAL),
    "cp932": frozenset(_PUNCTUATION + _KANA),
    "euc_jp": frozenset(_PUNCTUATION + _KANA),
    "cp949": frozenset(_PUNCTUATION + _HANGUL),
}


def decode(data: bytes, declared: str = "") -> tuple[str, str, str]:
    """Text, encoding, and a note where bytes had to be replaced; raises when the bytes are no text.

    `declared` is what the file or its first part says of itself; it is believed where it fits.
    """
    if not data or data.isspace():
        raise UnusableError("empty")
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _replacing(data[len(mark) :], encoding)
    if declared.startswith(("utf-16", "utf-32")):
        return _replacing(data, declared)
    note = ""
    if b"\0" in data:
        count, rest = data.count(b"\0"), data.replace(b"\0", b"")
        many = _many(count, 0.001, data)
        # In a short text the share of a few NULs says nothing, but UTF-16 without its mark is hardly ever UTF-8.
        if (many or _counted(rest, "utf-8")[1]) and (encoding := _wide(data)):
            return _replacing(data, encoding)
        if many:
            raise UnusableError("binary")
        data, note = rest, f"{count} NUL {'byte' if count == 1 else 'bytes'} removed"
    _refuse_binary(data)
    try:
        return data.decode("utf-8"), "utf-8", note
    except UnicodeDecodeError:
        pass
    text, encoding, replaced = _other(data, declared)
    return text, encoding, "; ".join(filter(None, (note, replaced)))


def decode_part(data: bytes, encoding: str) -> tuple[str, str, str]:
    """As `decode`, for a part behind the first of a text whose encoding is known; nothing in it is a mark."""
    if unit_of(encoding) > 1:
        return _replacing(data, encoding)
    if b"\0" not in data:
        _refuse_binary(data)
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            pass
        else:
            return _not_blank(text), encoding, ""
    return decode(data, encoding)


def detect(head: bytes, declared: str = "") -> str:
    """The encoding of a long text by its beginning, the byte order of UTF-16 named; raises as `decode` does."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        return decode(head, declared)[1]
    _refuse_binary(head)
    try:
        # A character cut in two at the end is no mistake.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        last = max(head.rfind(b"\n"), head.rfind(b" "))
        return decode(head[: last + 1] if last > len(head) // 2 else head, declared)[1]
    return "utf-8"


def known(name: str) -> str:
    """Python's name of an encoding that a page or an XML declaration names, empty for one that we do not know."""
    return _DECLARED.get(name.strip().lower(), "")


def without_surrogates(text: str) -> str:
    """A lone surrogate can be written in JSON and in no file."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def gentle_cut(block: bytes, encoding: str) -> int:
    """Bytes up to the last paragraph, line or word that ends in the last 64 KB of a block; 0 where none does."""
    unit = unit_of(encoding)
    lowest = max(0, len(block) - _WINDOW)
    for separator in ("\n\n", "\n", " "):
        mark = separator.encode(encoding)
        at = block.rfind(mark, lowest)
        while at >= 0 and at % unit:
            at = block.rfind(mark, lowest, at + len(mark) - 1)
        if at >= 0:
            return at + len(mark)
    return 0


def hard_cut(block: bytes, encoding: str) -> int:
    """Bytes up to the last whole character of a block."""
    decoder = codecs.getincrementaldecoder(encoding)("ignore")
    for start in range(0, len(block), _WINDOW):
        decoder.decode(block[start : start + _WINDOW])
    pending = decoder.getstate()[0]
    return len(block) - len(pending) or len(block)


def unit_of(encoding: str) -> int:
    """Bytes of the smallest character."""
    return 4 if encoding.startswith("utf-32") else 2 if encoding.startswith("utf-16") else 1


def _many(count: int, share: float, data: bytes) -> bool:
    """Whether so many bytes of some data are more than a share of it, and more than slips of a short text."""
    return count > max(share * len(data), min(_SLIPS, len(data) // 8))


def _refuse_binary(data: bytes) -> None:
    sample = data[:_SAMPLE]
    if _many(len(sample) - len(sample.translate(None, _CONTROLS)), 0.002, sample):
        raise UnusableError("binary")


def _other(data: bytes, declared: str) -> tuple[str, str, str]:
    text, bad = _counted(data, "utf-8")
    # A few wrong bytes among many right ones, which no other encoding would produce.
    if sum(not character.isascii() for character in text[: 1 << 20]) > 10 * bad:
        return _replacing(data, "utf-8")
    if declared and declared != "utf-8":
        try:
            return _replacing(data, declared)
        except UnusableError:
            pass
    # Lines in ASCII say nothing; the first other one may be far from the beginning.
    telling = b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_SAMPLE]
    return _replacing(data, _east_asian(telling) or _normalized(telling))


def _east_asian(sample: bytes) -> str:
    """The encoding in which a sample reads as Chinese, Japanese or Korean, if it does."""
    best, encoding = 0.2, ""
    for candidate, frequent in _FREQUENT.items():
        text = sample.decode(candidate, "replace")
        foreign = [sign for sign in text if not sign.isascii()]
        wrong = foreign.count("\ufffd")
        if wrong > 1 + 0.01 * len(foreign):
            continue
        share = sum(sign in frequent for sign in foreign) / max(1, len(foreign))
        if share > best:
            best, encoding = share, candidate
    return encoding


def _normalized(sample: bytes) -> str:
    import charset_normalizer

    matches = charset_normalizer.from_bytes(sample, cp_isolation=_LEGACY)
    best = matches.best()
    if best is None:
        raise UnusableError("encoding not recognised: save the file as UTF-8")
    # These differ from Western European in a few letters; where both make sense, it is the common one.
    western = best.encoding in _LATIN and any(
        "cp1252" in (match.encoding, *match.could_be_from_charset) for match in matches
    )
    return "cp1252" if western else best.encoding


def _counted(data: bytes, encoding: str) -> tuple[str, int]:
    text = data.decode(encoding, "replace")
    if "\ufffd" not in text:
        return text, 0
    # A file may hold the replacement sign itself.
    return text, text.count("\ufffd") - data.decode(encoding, "ignore").count("\ufffd")


def _replacing(data: bytes, encoding: str) -> tuple[str, str, str]:
    text, bad = _counted(data, encoding)
    if bad > 0.01 * len(text):
        raise UnusableError(f"encoding not recognised ({encoding} does not fit): save the file as UTF-8")
    return _not_blank(text), encoding, f"{bad} places that are no {encoding}, now \ufffd" if bad > 0 else ""


def _not_blank(text: str) -> str:
    if not text or text.isspace():
        raise UnusableError("empty")
    return text


def _wide(data: bytes) -> str:
    """Bytes with NULs are UTF-16 without its mark, or nothing that is known."""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = data[:_SAMPLE].decode(encoding, "replace")
        if len(_TEXTY.findall(text)) > 0.95 * len(text):
            return encoding
    return ""
