import ipaddress
import re
import subprocess
import sys
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daneel.corpus.privacy import checks
from daneel.corpus.privacy.find import KINDS, Span, find
from daneel.corpus.privacy.replace import replace, shown

TEXT = (
    "Dear Anna Smith, mail anna@web.de, card 4111-1111-1111-1111, IBAN GB29 NWBK 6016 1331 9268 19, from 84.17.3.9 or"
    " 2001:4860:4860::8888, SSN 219-09-9999, call (212) 664-7665 or +49 30 123456.\n"
    "我叫王小明，手机+86 138-1234-5678，身份证11010519491231002X，座机010-65529988，"
    "QQ：123456789，邮箱ａ＠ｑｑ．ｃｏｍ。"
)


def changed(text: str, action: Literal["mask", "hash", "fake"], salt: str = "pepper") -> str:
    return replace(text, find(text, KINDS), action, salt)


def fake(value: str, kind: str, salt: str = "pepper") -> str:
    return replace(value, [Span(0, len(value), kind)], "fake", salt)


def test_masks_name_the_kind() -> None:
    assert changed(TEXT, "mask") == (
        "Dear [PERSON], mail [EMAIL], card [CARD], IBAN [IBAN], from [IP] or [IP], SSN [US_SSN], call [PHONE] or"
        " [PHONE].\n我叫[PERSON]，手机[CN_MOBILE]，身份证[CN_ID]，座机[PHONE]，QQ：[MESSENGER]，邮箱[EMAIL]。"
    )


@pytest.mark.parametrize("action", ["mask", "hash", "fake"])
def test_nothing_found_stays(action: Literal["mask", "hash", "fake"]) -> None:
    out = changed(TEXT, action)
    for span in find(TEXT, KINDS):
        assert TEXT[span.start : span.end] not in out


def test_one_value_has_one_hash_however_it_is_written() -> None:
    first, second = re.findall(r"\[.*?\]", changed("tel 13812345678 and １３８-1234-5678", "hash"))
    assert first == second
    assert re.fullmatch(r"\[CN_MOBILE:[0-9a-f]{12}\]", first)
    assert changed("A@x.org", "hash") == changed("a@X.org", "hash")
    assert changed("a@x.org", "hash") != changed("b@x.org", "hash")
    assert changed("a@x.org", "hash") != changed("a@x.org", "hash", "salt")


def test_fakes_are_the_same_in_every_process() -> None:
    code = (
        "import sys; from daneel.corpus.privacy.find import *; from daneel.corpus.privacy.replace import *;"
        "t = sys.stdin.buffer.read().decode();"
        "sys.stdout.buffer.write(replace(t, find(t, KINDS), 'fake', 'pepper').encode())"
    )
    done = subprocess.run([sys.executable, "-c", code], input=TEXT.encode(), capture_output=True, check=True)
    assert done.stdout.decode() == changed(TEXT, "fake")
    assert changed(TEXT, "fake", "salt") != changed(TEXT, "fake")


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=12))
def test_fakes_belong_to_nobody_and_keep_their_shape(salt: str) -> None:
    card = fake("4111-1111-1111-1111", "card", salt)
    assert re.fullmatch(r"0000-\d{4}-\d{4}-\d{4}", card)
    assert checks.luhn(card.replace("-", "")) % 10 == 0
    assert not checks.is_card(card.replace("-", ""))

    iban = fake("GB29 NWBK 6016 1331 9268 19", "iban", salt)
    assert re.fullmatch(r"GB99 [A-Z]{4} \d{4} \d{4} \d{4} \d{2}", iban)
    assert checks.iban_remainder(iban.replace(" ", "")) == 1
    assert not checks.is_iban(iban.replace(" ", ""))

    number = fake("11010519491231002X", "cn_id", salt)
    assert number[:2] == "00"
    assert number[17] == checks.cn_check(number[:17])
    assert not checks.is_cn_id(number)
    assert re.fullmatch(r"00\d{13}", fake("110105491231002", "cn_id", salt))

    assert re.fullmatch(r"\+86 129-\d{4}-\d{4}", fake("+86 138-1234-5678", "cn_mobile", salt))
    assert re.fullmatch(r"000-\d\d-\d{4}", fake("219-09-9999", "us_ssn", salt))
    assert re.fullmatch(r"\([2-9]\d\d\) 555-01\d\dx\d{3}", fake("(212) 664-7665x123", "phone", salt))
    assert re.fullmatch(r"001-[2-9]\d\d-555-01\d\d", fake("001-212-664-7665", "phone", salt))
    assert re.fullmatch(r"555 01\d\d", fake("467 3395", "phone", salt))
    assert re.fullmatch(r"\+99 9\d \d{6}", fake("+49 30 123456", "phone", salt))
    assert re.fullmatch(r"000-\d{8}转\d{3}", fake("010-65529988转123", "phone", salt))
    assert re.fullmatch(r"0\d{8}", fake("123456789", "messenger", salt))
    assert re.fullmatch(r"0[a-z]{2}_\d{4}", fake("abc_1234", "messenger", salt))
    assert re.fullmatch(r"[a-z]+\.[a-z]+\d+@example\.(com|net|org)", fake("anna@web.de", "email", salt))

    v4 = ipaddress.ip_address(fake("84.17.3.9", "ip", salt))
    assert any(v4 in ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
    v6 = ipaddress.ip_address(fake("2001:4860:4860::8888", "ip", salt))
    assert v6 in ipaddress.ip_network("2001:db8::/32")


def test_every_country_has_a_fake_account() -> None:
    for country, length in checks.IBAN_LENGTHS.items():
        iban = fake(f"{country}00{'0' * (length - 4)}", "iban")
        assert len(iban) == length
        assert checks.iban_remainder(iban) == 1
        assert not checks.is_iban(iban)


def test_a_part_of_a_name_is_faked_as_in_the_whole() -> None:
    assert fake("Anna B. Smith", "person").split()[::2] == [fake("Anna", "person"), fake("Smith", "person")]
    assert fake("Anna B. Smith", "person").split()[1] == "B."
    whole = fake("王小明", "person")
    assert len(whole) == 3
    assert whole[0] == fake("王", "person")
    assert fake("王小红", "person")[:2] == whole[:2]


def test_what_a_card_shows_of_a_value() -> None:
    assert shown("4111111111111111") == "41… (16 characters)"
    assert shown("王小明") == "王… (3 characters)"
    assert shown("王明") == "… (2 characters)"
