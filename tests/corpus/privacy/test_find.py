import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.corpus.privacy.find import DEFAULT, KINDS, find


def found(text: str, *kinds: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find(text, kinds or KINDS)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write to bob.o'neil+x@mail.example.co.uk, please.", "email", "bob.o'neil+x@mail.example.co.uk"),
        ("联系我user_01@qq.com谢谢", "email", "user_01@qq.com"),
        ("邮箱：ｌｉ＠１６３．ｃｏｍ。", "email", "ｌｉ＠１６３．ｃｏｍ"),
        ("<müller@bücher.de>", "email", "müller@bücher.de"),
        ("from 203.0.113.77:8080 at night", "ip", "203.0.113.77"),
        ("服务器203.0.113.77断了", "ip", "203.0.113.77"),
        ("at 2001:4860:4860::8888, then", "ip", "2001:4860:4860::8888"),
        ("pay GB29 NWBK 6016 1331 9268 19 to", "iban", "GB29 NWBK 6016 1331 9268 19"),
        ("iban de89370400440532013000.", "iban", "de89370400440532013000"),
        ("card 4111-1111-1111-1111!", "card", "4111-1111-1111-1111"),
        ("卡号6222021234567890128已挂失", "card", "6222021234567890128"),
        ("amex 3782 822463 10005", "card", "3782 822463 10005"),
        ("身份证号11010519491231002X，", "cn_id", "11010519491231002X"),
        ("身份证１１０１０５１９４９１２３１００２Ｘ", "cn_id", "１１０１０５１９４９１２３１００２Ｘ"),
        ("110105 19491231 002X", "cn_id", "110105 19491231 002X"),
        ("身份证：110105491231002", "cn_id", "110105491231002"),
        ("请拨打13812345678联系", "cn_mobile", "13812345678"),
        ("手机+86 138-1234-5678。", "cn_mobile", "+86 138-1234-5678"),
        ("电话１３８１２３４５６７８", "cn_mobile", "１３８１２３４５６７８"),
        ("他说（+86）13812345678打不通", "cn_mobile", "（+86）13812345678"),
        ("my SSN: 219-09-9999", "us_ssn", "219-09-9999"),
        ("Social security number is 219099999", "us_ssn", "219099999"),
        ("(212) 664-7665 rang", "phone", "(212) 664-7665"),
        ("ask +49 (0)30 123456 there", "phone", "+49 (0)30 123456"),
        ("Phone:\n467 3395\n", "phone", "467 3395"),
        ("29-64-66-98 office", "phone", "29-64-66-98"),
        ("总机010-6552 9988转123", "phone", "010-6552 9988转123"),
        ("（0571）87654321", "phone", "（0571）87654321"),
        ("热线400-123-4567", "phone", "400-123-4567"),
        ("加我QQ：123456789", "messenger", "123456789"),
        ("微信号abc_1234，", "messenger", "abc_1234"),
        ("vx：xiaoming88", "messenger", "xiaoming88"),
        ("said Dr. Anna-Marie O'Neil to", "person", "Anna-Marie O'Neil"),
        ("My name is Zoë", "person", "Zoë"),
        ("Dear John B. Smith,", "person", "John B. Smith"),
        ("Yours Sincerely,\n\nTom", "person", "Tom"),
        ("Kind regards,\nÁgnes Nagy\n", "person", "Ágnes Nagy"),
        ("我叫王小明，", "person", "王小明"),
        ("姓名：欧阳锋 性别：男", "person", "欧阳锋"),
        ("请张伟先生到前台", "person", "张伟"),
        ("司馬先生來了", "person", "司馬"),
    ],
)  # fmt: skip
def test_found(text: str, kind: str, value: str) -> None:
    assert found(text) == [(kind, value)]
    assert found(text, kind) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "nums[1::2] and [::-1]", "齿式3.1.4.2", "每日0515-0545班次", "255.255.255.0",
        "version 1.2.3.4 of it", "版本号：10.0.19.1", "v1.2.3.4", "127.0.0.1", "1.2.3.4.5", "256.1.1.1",
        "std::abc and a::b", "at 12:30:45 or 10:20", "icon@2x.png", "a @ b", "@name", "他在@微博 里",
        "ISBN 978-7-5366-9293-0", "书号9787536692930", "订单号13812345678", "快递单号 13812345678", "23812345678",
        "138123456789", "4111111111111112", "3.14159265358979323846", "order no. 4111111111111111",
        "4111111111111111234567", "110105194912310021", "110105491231002", "GB29NWBK60161331926818", "000-12-3456",
        "219099999", "1914-1918", "2001-12-24", "24.12.2001", "12/24/2001", "2023-10-12 10:30",
        "in 1867 and 1 234 567 people", "1,234,567.89", "64-bit 2048 4096 8192", "第13812章　地球往事",
        "价格从12,800元降到9,999元", "QQ空间里有2000张照片", "微信支付成功1234元", "WeChat groups", "qq.com",
        "I am English", "I am Very tired", "Dear Sir,", "Hello World!", "老师说今天不上课", "这位先生请坐",
        "女士们先生们", "银河系有1000亿颗星星", "电话响了三十二声",
    ],
)  # fmt: skip
def test_not_found(text: str) -> None:
    assert found(text) == []


def test_names_are_asked_for() -> None:
    assert found("Dear Anna Smith,", *DEFAULT) == []


def test_regions_say_whose_numbers_need_no_country_code() -> None:
    text = "see 030 901820 there"
    assert find(text, ("phone",), ("DE",))
    assert not find(text, ("phone",), ("US",))


def test_many_in_one_text_keep_their_places() -> None:
    text = "王芳，13812345678，wang@qq.com；(212) 664-7665 (212) 664-7666 4111111111111111 10.1.2.3"
    assert [kind for kind, _ in found(text)] == ["cn_mobile", "email", "phone", "phone", "card", "ip"]


def test_the_earlier_kind_stands_where_two_overlap() -> None:
    assert found("tel 13812345678@qq.com") == [("email", "13812345678@qq.com")]
    assert found("联系！我的qq：68657725电话：13711923986") == [("messenger", "68657725"), ("cn_mobile", "13711923986")]
    assert found("微信：13812345678") == [("cn_mobile", "13812345678")]


PIECES = st.sampled_from(
    ["1", "38", "12345678", "4111111111111111", "a", "@", ".", "-", " ", "\n", "+86", "(", ")", "：", "电话", "王",
     "先生", "Mr. ", "Anna", "１", "＠", "::", "f0", "GB29", "微信", "😀", "\ud800", "x", "\u00a0", "0", "qq.com"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
def test_spans_are_sorted_apart_and_inside(text: str) -> None:
    spans = find(text, KINDS)
    assert spans == find(text, KINDS)
    edges = [place for span in spans for place in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.end <= len(text) and span.kind in KINDS for span in spans)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["a@", "@", "x@a.", "a.", "1", "1 ", "1-", "1.", "(1)", "+1 ", " ", ":", "1:", "1::12f ", "10.1.1.1 ", "GB82 ",
     "4111 ", "Mr. Aa ", "Aa ", "A'A", "王先生", "姓名：王", "王", "微信", "QQ", "１", "ａ＠ａ．ｃｏｍ ", "call 1",
     "Regards,\n"],
)  # fmt: skip
def test_hostile_repetition_takes_time_in_proportion(piece: str) -> None:
    def seconds(size: int) -> float:
        began = time.perf_counter()
        find(piece * (size // len(piece)), KINDS)
        return time.perf_counter() - began

    # Twenty times the text; a search that goes back quadratically takes 400 times as long.
    assert seconds(200_000) < 100 * max(seconds(10_000), 0.002)
