"""Names that people give to languages in columns and files."""

import re

# ISO 639-1.
_TWO = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en "
    "eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv "
    "ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne "
    "ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st "
    "su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
# Of ISO 639-2 and 639-3 those that stand in files of parallel text, and words, after the code that says the same.
_OTHERS = (
    "en eng english 英文 英语 英語", "zh cmn zho chi yue lzh chinese mandarin 中文 汉语 漢語",
    "de deu ger german 德语 德語", "fr fra fre french 法语 法語", "ru rus russian 俄语 俄語",
    "ja jpn japanese 日语 日語", "es spa spanish", "pt por portuguese", "it ita italian", "nl nld dut dutch",
    "ko kor korean", "ar ara arabic", "hi hin hindi", "vi vie vietnamese", "th tha", "tr tur", "pl pol", "uk ukr",
    "cs ces", "la lat", "原文", "译文 譯文",
)  # fmt: skip
_CODES = {code: code for code in _TWO.split()} | {name: names.split()[0] for names in _OTHERS for name in names.split()}
_REGION = re.compile(r"[-_](?:[A-Za-z]{2}|[A-Za-z]{4}|\d{3})$")


def is_language(name: str) -> bool:
    """Whether a name is that of a language: en, zh-CN, cmn, English, 中文."""
    return _REGION.sub("", name.strip()).casefold() in _CODES


def code(name: str) -> str:
    """The language in a name, by its code in ISO 639-1 where it has one: en for en-US, English and text_en."""
    for each in (name, *re.split("[-_]", name)):
        if is_language(each):
            return _CODES[_REGION.sub("", each.strip()).casefold()]
    return name.strip().casefold()


def has_language(name: str) -> bool:
    """Whether one part of a name is that of a language, as in text_en."""
    if " " in name.strip():
        return False
    return is_language(name) or sum(map(is_language, re.split("[-_]", name))) == 1
