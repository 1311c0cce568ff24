"""Personal data found in sentences: precision, recall and F1 of spans for each entity, and the speed on fiction.

    python bench/privacy.py [--json] [--data synth_dataset_v2.json] [--fiction FOLDER] [--part odd|even]

Two sets. Presidio's synthetic English sentences (presidio-research, MIT; identities by FakeNameGenerator.com, CC-BY-SA
3.0 US): rules were chosen on the sentences of even index, and `--part odd`, the default, measures the others. Both
halves come from the same templates, so a figure says how the checks and cues do on new values, less on new sentences.
`not valid` counts labelled values that fail their kind's checks, as cards of a prefix that no network has.

And 2,000 Chinese sentences made here from templates, half of them without personal data but with what looks like it;
rules were chosen on seed 1, seed 2 is measured. Who wrote the templates also wrote the rules: the figures show that
what is meant to work does, not what any web page would give. Names are found after words that announce them, and
counted against all names.

A span counts where it is the same (exact), or shares half of what the two cover (half). The peer is presidio-analyzer
with its own recognisers of patterns and context words, without the language model that finds names; the threshold is
chosen for it on the even sentences.
"""

import functools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from common import ROOT, Row, installed, parser, read_text, report, say

from daneel.corpus.privacy import checks
from daneel.corpus.privacy.find import DEFAULT, KINDS, find

DATA = ROOT.parent / "shared" / "data"
Found = tuple[int, int, str]
Sentence = tuple[str, list[Found]]

ENGLISH = {
    "EMAIL_ADDRESS": ("email",), "PHONE_NUMBER": ("phone", "cn_mobile"), "IP_ADDRESS": ("ip",),
    "CREDIT_CARD": ("card",), "IBAN_CODE": ("iban",), "US_SSN": ("us_ssn",), "PERSON": ("person",),
}  # fmt: skip
OUR_NAME = {kind: entity for entity, kinds in ENGLISH.items() for kind in kinds}
THRESHOLDS = (0.0, 0.3, 0.4, 0.5)


def english(path: Path, part: str) -> list[Sentence]:
    """Text and labelled spans of the sentences with an even or odd index."""
    every = json.loads(path.read_text(encoding="utf-8"))
    return [
        (each["full_text"], [(s["start_position"], s["end_position"], s["entity_type"]) for s in each["spans"]])
        for each in every[part == "odd" :: 2]
    ]


def valid(entity: str, value: str) -> bool:
    """Whether a labelled value passes the checks of its kind."""
    digits = "".join(sign for sign in value if sign.isdigit())
    if entity == "CREDIT_CARD":
        return checks.is_card(digits)
    if entity == "IBAN_CODE":
        return checks.is_iban(value.upper())
    return checks.is_ssn(digits) if entity == "US_SSN" else True


def ours(text: str) -> list[Found]:
    return [(span.start, span.end, OUR_NAME.get(span.kind, span.kind)) for span in find(text, KINDS)]


def presidio() -> Callable[[str, float], list[Found]]:
    """The peer, with words split by spaCy's rules and nothing learned."""
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    class Plain(NlpEngine):
        blank = spacy.blank("en")

        def load(self) -> None: ...

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            tokens = self.blank(text)
            lemmas = [token.text.lower() for token in tokens]
            starts = [token.idx for token in tokens]
            return NlpArtifacts([], tokens, starts, lemmas, self, language)

        def process_batch(self, texts: Any, language: str, **_: Any) -> Iterator[tuple[str, NlpArtifacts]]:
            for text in texts:
                yield text, self.process_text(text, language)

        def is_stopword(self, word: str, language: str) -> bool:
            return bool(self.blank.vocab[word].is_stop)

        def is_punct(self, word: str, language: str) -> bool:
            return bool(self.blank.vocab[word].is_punct)

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    # Its list of top-level domains comes with the package; without this it asks the network first.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    engine = Plain()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.remove_recognizer("SpacyRecognizer")
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
    wanted = [name for name in ENGLISH if name != "PERSON"]

    @functools.cache
    def analyse(text: str) -> list[tuple[float, Found]]:
        results = analyzer.analyze(text=text, language="en", entities=wanted, score_threshold=0)
        return [(each.score, (each.start, each.end, each.entity_type)) for each in results]

    return lambda text, threshold: [found for score, found in analyse(text) if score >= threshold]


# ---- Chinese

SURNAMES, GIVEN = (
    "王李张刘陈杨赵黄周吴徐孙朱马胡郭林何高梁",
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国文辉",
)
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def numerals(rng: random.Random, count: int, first: str = "0123456789") -> str:
    return rng.choice(first) + "".join(rng.choice("0123456789") for _ in range(count - 1))


def mobile(rng: random.Random) -> str:
    number = rng.choice("1") + rng.choice("3456789") + numerals(rng, 9)
    shape = rng.choice(
        [
            "{0}{1}{2}",
            "{0}{1}{2}",
            "{0} {1} {2}",
            "{0}-{1}-{2}",
            "{0}.{1}.{2}",
            "+86 {0}{1}{2}",
            "+86-{0}-{1}-{2}",
            "wide",
        ]
    )
    if shape == "wide":
        return number.translate(WIDE)
    if rng.random() < 0.03:
        return "".join("零一二三四五六七八九"[int(digit)] for digit in number)
    return shape.format(number[:3], number[3:7], number[7:])


def identity(rng: random.Random) -> str:
    region = rng.choice(["110105", "310104", "440106", "510107", "330106", "420111", "650102", "371302", "230103"])
    body = f"{region}{rng.randint(1940, 2012)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}{numerals(rng, 3)}"
    number = body + checks.cn_check(body)
    return number.translate(WIDE) if rng.random() < 0.1 else number


def landline(rng: random.Random) -> str:
    number = numerals(rng, 8, "23456789")
    shape = rng.choice(
        ["010-{0}", "021-{0}", "(020){0}", "（0571）{0}", "0755-{0}", "010-{1} {2}", "400-{3}-{2}", "028-{0}转{4}"]
    )
    return shape.format(number, number[:4], number[4:], numerals(rng, 3), numerals(rng, 3, "123456789"))


def bank_card(rng: random.Random) -> str:
    prefix, count = rng.choice([("622202", 19), ("621700", 19), ("625188", 16), ("4367", 16), ("5324", 16)])
    body = prefix + numerals(rng, count - len(prefix) - 1)
    number = body + str(-checks.luhn(body + "0") % 10)
    return " ".join(number[n : n + 4] for n in range(0, count, 4)) if rng.random() < 0.4 else number


def mail(rng: random.Random) -> str:
    name = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 9)))
    host = rng.choice(["qq.com", "163.com", "126.com", "sina.com.cn", "pku.edu.cn", "outlook.com"])
    value = f"{name}{rng.choice(['', '_', '.'])}{rng.randint(1, 9999)}@{host}"
    if rng.random() < 0.05:
        return value.replace("@", rng.choice([" [at] ", "(at)", "#"]))
    return value.translate(WIDE) if rng.random() < 0.05 else value


def person(rng: random.Random) -> str:
    return rng.choice(SURNAMES) + "".join(rng.choice(GIVEN) for _ in range(rng.choice([1, 2, 2])))


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "cn_mobile": mobile, "cn_id": identity, "phone": landline, "card": bank_card, "email": mail, "person": person,
    "ip": lambda rng: ".".join(str(rng.randint(11, 223)) for _ in range(4)),
    "qq": lambda rng: numerals(rng, rng.randint(6, 10), "123456789"),
    "wechat": lambda rng: rng.choice([numerals(rng, rng.randint(6, 10), "123456789"), f"wx_{numerals(rng, 7)}"]),
}  # fmt: skip
WITH = (
    "请拨打{cn_mobile}联系我们，周末不休息。",
    "他的手机号是{cn_mobile}，有事打电话。",
    "客服{cn_mobile}随时在线",
    "联系人：{person}，电话：{phone}",
    "转账到{card}，户名：{person}。",
    "卡号{card}已经挂失。",
    "身份证号{cn_id}，请核对。",
    "我叫{person}，今年三十岁，邮箱{email}。",
    "有问题发邮件到{email}即可",
    "邮箱是{email}，微信号{wechat}",
    "加我QQ：{qq}，备注来意。",
    "服务器{ip}昨晚又断了。",
    "登录地址为{ip}，请确认是否本人操作。",
    "{person}先生您好，您的快递已放在门口，请联系{cn_mobile}。",
    "请{person}女士于明天上午到三号窗口。",
    "公司前台{phone}，传真{phone}。",
    "姓名：{person}\n身份证：{cn_id}\n手机：{cn_mobile}",
    "他写下{cn_mobile}，又划掉，改成{cn_mobile}。",
    "收件人：{person} {cn_mobile} 北京市海淀区中关村大街27号",
    "王总的号码（{cn_mobile}）一直占线",
    "户名{person}，账号{card}，开户行工商银行。",
    "1、{person}，男，{cn_id}，{cn_mobile}；",
    "订房电话{phone}或{cn_mobile}，欢迎来电。",
    "联系人 {person} 微信同号{cn_mobile}",
    "QQ{qq}，或者发到{email}。",
    "来自{ip}的用户发表了评论：楼主说得对",
    "{person}同学，你的准考证已经打印好了。",
)
WITHOUT = (
    "订单号{n18}已经发货。",
    "运单号：{n13}，预计明天到达。",
    "快递单号{mobile}正在派送",
    "ISBN 978-7-5366-9293-0，定价23.00元。",
    "书号9787536692930，重庆出版社2008年1月第1版。",
    "2023-10-{d}上午10:30开会，地点在302室。",
    "第{d}章　地球往事",
    "第{n3}回　{person0}大闹天宫",
    "价格从12,800元降到9,999元，省了2801元。",
    "他生于19{d}年，死于2003年。",
    "流水号{n16}，金额{n5}.00元。",
    "产品编号{n11}，规格10*20*30。",
    "软件版本 2.{d}.1.4 修复了若干问题。",
    "版本号：10.0.1{d}.1",
    "圆周率是3.14159265358979323846",
    "全长{n5}米，海拔{n4}米，人口{n7}。",
    "比分是{d}-{d}，观众{n5}人。",
    "1914-1918年的大战",
    "高王国的先生们都来了，王子和公主也来了。",
    "老师说今天不上课。",
    "这位先生请坐，女士们也请坐。",
    "银行卡号要保密，不要告诉别人。",
    "身份证号一共有18位。",
    "合同编号{n18}",
    "微信支付成功{n4}元",
    "QQ空间里有2000张照片",
    "密码是{n6}",
    "坐标（116.404, 39.915）",
    "准考证号{n12}",
    "时间戳{n13}，耗时{n4}毫秒。",
    "批号20231015{n3}，有效期至2025年",
    "他在@微博 里说了一句话",
    "电话响了三十二声才有人接。",
    "邮编100084，门牌号1024",
    "银河系有{n12}颗星星",
    "学籍号{mobile}，班级三（2）班",
    "会员号{mobile}积分{n4}",
    "编码{mobile}已停用",
    "营业执照注册号110105{n3}234567",
    "统一社会信用代码91110105{n3}5678M9X",
    "车架号LSVAA49J1320{n5}，里程{n5}公里",
    "护照E{n4}5678，有效期十年",
    "商品条码690123{n7}",
    "手机：138****{n4}",
    "尾号{n4}的储蓄卡支出{n3}.00元",
    "身份证号为110105********{n4}",
    "钱先生活得很好，金小姐妹三人，方太太平无事。",
    "高老师傅的手艺，向先生产队交粮。",
    "发邮件时不要忘记写上@符号和域名",
    "IP地址形如255.255.255.0或者0.0.0.0",
    "第1.2.{d}.4节介绍了方法",
    "2019{n4}{n4}{n4}这串数字没有意义",
)


def chinese(count: int, seed: int) -> Iterator[Sentence]:
    """Sentences with labelled personal data and without any, in turn."""
    rng = random.Random(seed)
    for number in range(count):
        template = rng.choice((WITH, WITHOUT)[number % 2])
        text, spans = "", []
        while "{" in template:
            before, _, rest = template.partition("{")
            slot, _, template = rest.partition("}")
            text += before
            if slot in MAKERS:
                value = MAKERS[slot](rng)
                spans.append((len(text), len(text) + len(value), "messenger" if slot in ("qq", "wechat") else slot))
            elif slot == "mobile":
                value = "1" + numerals(rng, 10, "3456789")
            elif slot == "person0":
                value = "齐天"
            else:
                value = str(rng.randint(10, 28)) if slot == "d" else numerals(rng, int(slot[1:]), "123456789")
            text += value
        yield text + template, spans


# ---- scores


def scores(sentences: list[Sentence], search: Callable[[str], list[Found]], entities: list[str]) -> dict[str, Row]:
    """Per entity: how many there are, precision, recall and F1 of exact and of half-covered spans."""
    counts: Counter[tuple[str, str]] = Counter()
    for text, gold in sentences:
        found = search(text)
        for entity in entities:
            right = [span for span in gold if span[2] == entity]
            said = [span for span in found if span[2] == entity]
            counts[entity, "gold"] += len(right)
            counts[entity, "said"] += len(said)
            counts[entity, "exact"] += len(set(right) & set(said))
            counts[entity, "half"] += sum(any(shared(a, b) >= 0.5 for b in right) for a in said)
    rows = {}
    for entity in entities:
        gold, said = counts[entity, "gold"], counts[entity, "said"]
        row: Row = {"labelled": gold, "found": said}
        for way in ("exact", "half"):
            hits = counts[entity, way]
            row |= {
                f"{way} P": round(hits / said, 3) if said else "",
                f"{way} R": round(hits / gold, 3) if gold else "",
                f"{way} F1": round(2 * hits / (gold + said), 3) if gold + said else "",
            }
        rows[entity] = row
    return rows


def shared(a: Found, b: Found) -> float:
    """What two spans share of what they cover."""
    both = min(a[1], b[1]) - max(a[0], b[0])
    return both / (max(a[1], b[1]) - min(a[0], b[0]))


def mean_f1(rows: dict[str, Row]) -> float:
    return sum(float(row["exact F1"] or 0) for row in rows.values()) / len(rows)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--data", type=Path, default=DATA / "pii-presidio" / "synth_dataset_v2.json")
    arguments.add_argument(
        "--fiction", type=Path, default=DATA / "sf-en" / "texts", help="text whose speed is measured"
    )
    arguments.add_argument("--part", choices=("odd", "even"), default="odd")
    args = arguments.parse_args()
    rows: list[Row] = []
    ratios = {}
    if args.data.exists():
        sentences = english(args.data, args.part)
        entities = list(ENGLISH)
        found = scores(sentences, ours, entities)
        for entity, row in found.items():
            bad = sum(not valid(entity, text[a:b]) for text, gold in sentences for a, b, e in gold if e == entity)
            rows.append({"set": f"presidio, {args.part}", "who": "daneel", "entity": entity, **row, "not valid": bad})
        patterns = entities[:-1]
        if installed("presidio", "presidio_analyzer", "spacy"):
            search = presidio()
            even = english(args.data, "even")
            best = max(THRESHOLDS, key=lambda t: mean_f1(scores(even, lambda text: search(text, t), patterns)))
            say(f"presidio's threshold, chosen on the even sentences: {best}")
            theirs = scores(sentences, lambda text: search(text, best), patterns)
            rows += [
                {"set": f"presidio, {args.part}", "who": "presidio", "entity": e, **row} for e, row in theirs.items()
            ]
            ratios["f1_vs_presidio"] = mean_f1({e: found[e] for e in patterns}) / mean_f1(theirs)
    else:
        say(f"the English sentences are left out: {args.data} is not there")
    made = list(chinese(2000, 2))
    kinds = sorted({kind for _, spans in made for _, _, kind in spans})
    in_chinese = scores(made, lambda text: [tuple(span) for span in find(text, KINDS)], kinds)
    rows += [{"set": "Chinese, made", "who": "daneel", "entity": kind, **row} for kind, row in in_chinese.items()]
    if args.fiction.exists():
        texts = [read_text(path) for path in sorted(args.fiction.rglob("*.txt"))]
        size = sum(len(text.encode()) for text in texts) / 1e6
        for label, chosen in (("default kinds", DEFAULT), ("person too", KINDS)):
            took = []
            for _ in range(5):
                began = time.perf_counter()
                count = sum(len(find(text, chosen)) for text in texts)
                took.append(time.perf_counter() - began)
            rows.append(
                {
                    "set": f"fiction, {size:.1f} MB",
                    "who": "daneel",
                    "entity": label,
                    "found": count,
                    "MB/s": round(size / min(took)),
                }
            )
    report(rows, ratios, ("phonenumbers", "presidio-analyzer"), args.json)


if __name__ == "__main__":
    main()
