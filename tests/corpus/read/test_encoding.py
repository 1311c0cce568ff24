import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.read import decode
from daneel.corpus.read.encoding import gentle_cut, hard_cut, known
from daneel.corpus.read.item import UnusableError

CHINESE = "那天下午警报的解除信号已经响过了。华南一个大城市的一条热闹马路上排满了两行人，都在肃立着。\n" * 3
TRADITIONAL = "那天下午警報的解除信號已經響過了。華南一個大城市的一條熱鬧馬路上排滿了兩行人，都在肅立著。\n" * 3
FRENCH = "L’été était déjà passé; où aller? « Ça va être très long », répondit-elle, à peine étonnée.\n" * 3
ENGLISH = "“It isn’t late,” she said — and the year was 2042… The lamp was lit at dusk, as it always was.\n" * 3
POLISH = "Zażółć gęślą jaźń. Mężczyzna poszedł do źródła, żeby napić się świeżej wody ze studni.\n" * 3
RUSSIAN = "В начале было слово, и слово это было написано на стене старого дома у реки. Никто не знал.\n" * 3


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "utf-8"), (CHINESE, "utf-8-sig"), (CHINESE, "gb18030"), (TRADITIONAL, "big5"),
        (CHINESE, "utf-16"), (CHINESE, "utf-16-le"), (ENGLISH, "utf-16-be"), (CHINESE, "utf-32"),
        (ENGLISH, "cp1252"), (FRENCH, "cp1252"), (POLISH, "cp1250"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8_r"),
        ("plain ASCII\n", "ascii"),
    ],
)  # fmt: skip
def test_encodings(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding))[0] == text
    assert decode(text.encode(encoding))[2] == ""


@pytest.mark.parametrize(
    ("text", "encodings"),
    [
        ("你好，世界。", "gb18030 gb2312"),
        ("春眠不觉晓，处处闻啼鸟。", "gb18030 gb2312"),
        ("子曰：学而时习之，不亦说乎？", "gb18030"),
        ("我不知道他什么时候回来", "gbk"),
        ("我不知道他什麼時候回來", "big5 big5hkscs gb18030"),
        ("國立臺灣大學", "big5 cp950"),
        ("公元2042年，燈塔的看守人寫下了最後一頁日誌。", "big5"),
        ("国境の長いトンネルを抜けると雪国であった。", "shift_jis cp932 euc_jp"),
        ("カメラを買いました", "shift_jis euc_jp"),
        ("등대지기는 마지막 일지를 썼다.", "cp949 euc_kr"),
    ],
)
def test_a_short_line_tells_the_encodings_of_east_asia_apart(text: str, encodings: str) -> None:
    for encoding in encodings.split():
        assert decode(text.encode(encoding))[0] == text, encoding


def test_the_first_foreign_letter_may_come_late() -> None:
    text = "Nothing but plain letters here.\n" * 5000 + ENGLISH
    assert decode(text.encode("cp1252"))[0] == text


def test_a_few_wrong_bytes_are_replaced_and_told() -> None:
    text, encoding, note = decode(CHINESE.encode() * 3 + b"\xff\xfe" + "完\ufffd。".encode())
    assert (text, encoding) == (CHINESE * 3 + "\ufffd\ufffd完\ufffd。", "utf-8")
    assert note == "2 places that are no utf-8, now \ufffd"


def test_a_stray_nul_is_removed_and_told_and_many_are_binary() -> None:
    assert decode((CHINESE * 20 + "完").encode() + b"\0")[::2] == (CHINESE * 20 + "完", "1 NUL byte removed")
    for text, encoding in (("Noon.\nThe lamp is out.", "utf-8"), (CHINESE[:60], "utf-8"), (CHINESE[:60], "gb18030")):
        assert decode(text.encode(encoding) + b"\0") == (text, encoding, "1 NUL byte removed")
    assert decode(b"Noon.\b\nThe lamp is out.")[0] == "Noon.\b\nThe lamp is out."
    for wide in (
        "灯塔\n",
        "灯塔的看守人写下了最后一页日志。\n",
        "Noon.\nThe lamp is out.",
        "灯塔的看守人写下了 7 页日志。\r\n",
    ):
        assert decode(wide.encode("utf-16-le"))[:2] == (wide, "utf-16-le")
    with pytest.raises(UnusableError, match="binary"):
        decode(b"text\0\1\0" * 50)


def test_what_is_declared_is_believed_where_it_fits() -> None:
    word = "Ξένος".encode("iso8859_7")
    assert decode(word, known("ISO-8859-7"))[0] == "Ξένος"
    assert decode("你好，世界。".encode(), known("gb2312"))[0] == "你好，世界。"
    # Python knows codecs that are no encodings of text files, and some that run code paths nobody needs.
    assert [known(name) for name in ("rot13", "idna", "unicode_escape", "utf-7", "zip")] == [""] * 5


@given(st.binary(max_size=400), st.sampled_from(["", "gb18030", "cp1252", "utf-16-le", "euc_jp", "utf-8"]))
def test_any_bytes_are_text_or_unusable(data: bytes, declared: str) -> None:
    try:
        text, _, _ = decode(data, declared)
    except UnusableError:
        return
    assert text.strip()


@given(
    st.text(alphabet="ab 。\n漢字é𠀀", min_size=1, max_size=60),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "gb18030"]),
    st.integers(min_value=4, max_value=40),
)
def test_a_cut_never_parts_a_character(text: str, encoding: str, size: int) -> None:
    data = text.encode(encoding)
    at = hard_cut(data[:size], encoding)
    assert data[:at].decode(encoding) + data[at:].decode(encoding) == text
    gentle = gentle_cut(data[: size - size % 4], encoding)
    assert data[:gentle].decode(encoding) + data[gentle:].decode(encoding) == text
