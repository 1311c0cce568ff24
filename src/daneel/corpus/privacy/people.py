"""Names of people by the words before and after them, in English and Chinese.

Without a cue a name is not found: what has capitals, or begins with a surname, is too often something else.
"""

import re
from collections.abc import Iterator

from daneel.corpus.document import HAN

_UPPER = r"(?:[A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017f\u0391-\u03a9\u0410-\u042f])"
_WORD = rf"{_UPPER}[^\W\d_]*(?:['’-]{_UPPER}[^\W\d_]+)*"
_PARTICLE = "(?:van|von|de|da|di|del|der|ten|bin|al|la|le|dos)(?: de[rn]?)?"
_NAME = rf"{_WORD}(?: (?:{_UPPER}\.|{_PARTICLE}|{_WORD})(?= )){{0,3}}(?: {_WORD})?"

# Each pattern begins with letters as they stand, which a search passes over text for at a gigabyte a second; what may
# stand before them is asked where they are found.
_ALONE = re.compile(r"(?:[\W\d_]|\A)\Z")
_NAMING = re.compile(
    r"(?:(?:\A|[\n>|;:.!?\"“(]|\b(?:my|his|her|your|whose|their|the))[ \t]*(?:(?:full|first|last|maiden|sur)[ -]?)?)\Z",
    re.IGNORECASE,
)
_PASSIVE = re.compile(r"(?:\b(?:was|am|been)|['’]m) \Z")
_ROLE = re.compile(
    r"\b(?:user|customer|client|patient|contact(?: person)?|attn|attention|recipient|addressee|cardholder"
    r"|account holder|signed)\Z",
    re.IGNORECASE,
)
_CUES = tuple(
    (re.compile(f"{cue}({_NAME})"), before)
    for cue, before in (
        (r"M(?:rs?|ss?|iss|x|essrs|me|lle|adam|onsieur|ister)\.? ", _ALONE),
        (r"mr\.? ", _ALONE),
        (r"ms\.? ", _ALONE),
        (r"Dr\.? ", _ALONE),
        (r"Do[ck]tor ", _ALONE),
        (r"Prof(?:\.|essor)? ", _ALONE),
        (r"Herr ", _ALONE),
        (r"Frau ", _ALONE),
        (r"Señora? ", _ALONE),
        (r"Dear ", _ALONE),
        (r"Hello,? ", _ALONE),
        (r"Hi,? ", _ALONE),
        (r"Name(?: is|['’]s|:|\?)[ \t]*", _NAMING),
        (r"name(?: is|['’]s|:|\?)[ \t]*", _NAMING),
        (r"call(?:s|ed)? me ", _ALONE),
        (r"called ", _PASSIVE),
        (r":[ \t]*", _ROLE),
        (r"incerely,?\s{1,4}[-–—]?", re.compile(r"[Ss]\Z")),
        (r"egards,?\s{1,4}[-–—]?", re.compile(r"[Rr]\Z")),
        (r"Yours(?: truly| faithfully)?,?\s{1,4}[-–—]?", _ALONE),
        (r"Best wishes,?\s{1,4}[-–—]?", _ALONE),
        (r"Cheers,?\s{1,4}[-–—]?", _ALONE),
    )
)
# Who introduces themselves with one word may be tired, English, or a doctor: two words.
_INTRODUCED = tuple(
    (re.compile(rf"{cue} ({_WORD} (?:{_UPPER}\.? )?{_WORD})"), _ALONE)
    for cue in ("I am", "I['’]m", "This is", "this is")
)
# What a letter may begin with and a name may not be.
_NOT_NAMES = frozenset([
    "Mr", "Mrs", "Ms", "Miss", "Dr", "Prof", "Sir", "All", "Anybody", "Anyone", "Colleague", "Colleagues",
    "Customer", "Customers", "Dad", "Daddy", "Diary", "Doctor", "Editor", "Everybody", "Everyone", "Father",
    "Folks", "Grandpapa", "Grandpa", "Grandma", "Grandmother", "Grandfather",
    "Friend", "Friends", "God", "Guys", "Heart", "Heaven", "Honey", "I", "It", "Lady", "Ladies", "Lord", "Lords",
    "Madam", "Mama", "Me", "Mom", "Mother", "Mum", "No", "Not", "Old", "Papa", "Professor", "Reader", "Readers",
    "Sir", "Sirs", "Sister", "Brother", "Son", "Student", "Students", "Team", "That", "The", "There", "Thing",
    "This", "Uncle", "Valued", "What", "Who", "World", "Yes", "You", "A", "An", "And", "But", "He", "She", "They",
    "We", "My", "Your", "Our", "His", "Her", "If", "In", "On", "So", "Of", "For", "To", "Well", "Now", "Then",
    "Best", "Faithfully", "Sincerely", "Truly",
    "Here", "How", "Why", "Speaker", "President", "Chairman", "Captain", "Secretary",
])  # fmt: skip

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
    "庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁耿牟卜詹关苗"
    "凌费纪靳盛童欧甄项張劉陳楊趙黃吳孫馬羅鄭謝韓馮蕭鄧許呂蘇盧蔣賈葉閻鍾陸龍錢湯賀賴龔龐顏倪嚴溫韋畢聶叢"
    "齊莊關費紀歐項"
)
_DOUBLE = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯|司徒|歐陽|司馬|諸葛|東方|公孫"
_ALSO_WORDS = "谢向于任何常方管安关连时"
# Signs that make a given name most seldom, and follow a surname's sign most often as other words.
_NOT_GIVEN = (
    "的了是在和与及或也都就不没有我你他她它们这那哪个一二两几上下去来到对给向请让被把从为吧吗呢老爷"
    "啊说道问看想要会能可很太最着过地得之以其等号：，。"
)
_HAN_NAME = rf"(?:{_DOUBLE}|[{_SURNAMES}])(?:(?![{_NOT_GIVEN}])[{HAN}]){{1,2}}?"
_AFTER_NAME = "(?=今年|是|来自|电话|手机|身份|性别|住|在|的|和|现|于|毕|生)"
_HAN_TITLES = (
    "先生", "女士", "小姐", "太太", "老师", "同学", "医生", "教授", "经理", "主任", "律师", "师傅", "夫人", "老師",
    "醫生", "經理",
)  # fmt: skip
_HAN_LABELS = (
    "姓名", "姓", "联系人", "联络人", "聯繫人", "收件人", "收货人", "寄件人", "发件人", "负责人", "经办人",
    "申请人", "患者", "户名", "持卡人", "法定代表人", "法人代表", "监护人", "客户",
)  # fmt: skip
_HAN_CALLED = ("姓名是", "姓名为", "我叫", "名叫", "我的名字是", "我的名字叫")
_AFTER_LABEL = re.compile(
    rf"(?:\s{{0,2}}名)?(?:姓名)?\s{{0,2}}[:： ]\s{{0,3}}(?P<name>{_HAN_NAME})"
    rf"(?:{'|'.join(_HAN_TITLES)}|(?![{HAN}])|{_AFTER_NAME})"
)
_AFTER_CALLED = re.compile(rf"(?P<name>{_HAN_NAME})(?:(?![{HAN}])|{_AFTER_NAME})")
_HAN_SIGN = re.compile("[\u4e00-\u9fff]")
_HAN_TITLED = re.compile(rf"(?:{_HAN_NAME}|{_DOUBLE}|[{_SURNAMES}])\Z")


def names(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and `person` of each name that a word gives away."""
    for cue, before in _CUES + _INTRODUCED:
        for match in cue.finditer(text):
            first = re.split(r"['’ .]", match[1], maxsplit=1)[0]
            if first not in _NOT_NAMES and before.search(text[max(0, match.start() - 24) : match.start()]):
                yield match.start(1), match.end(1), "person"
    if text.isascii() or not _HAN_SIGN.search(text):
        return
    for words, after in ((_HAN_LABELS, _AFTER_LABEL), (_HAN_CALLED, _AFTER_CALLED)):
        for word in words:
            for place in places(text, word):
                named = after.match(text, place + len(word))
                if named:
                    yield *named.span("name"), "person"
    for title in _HAN_TITLES:
        for end in places(text, title):
            # The longest name that ends there, unless it begins with a word that happens to be a surname too.
            for start in range(max(0, end - 4), end):
                name = text[start:end]
                if _HAN_TITLED.match(name) and not (name[0] in _ALSO_WORDS and name[1:2] in _SURNAMES[:100]):
                    yield start, end, "person"
                    break


def places(text: str, word: str) -> Iterator[int]:
    """Where a word of letters stands."""
    # The search of `re` looks for the first letter, which beats `str.find` on words of two letters.
    return (match.start() for match in re.finditer(word, text))
