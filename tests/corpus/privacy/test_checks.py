import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel.corpus.privacy import checks


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "5555555555554444", "378282246310005", "30569309025904", "6011111111111117",
     "3530111333300000", "2223003122003222", "4222222222222", "6759649826438453"],
)  # fmt: skip
def test_the_networks_own_test_numbers_are_cards(number: str) -> None:
    assert checks.is_card(number)
    # Any other last digit is wrong.
    assert not any(checks.is_card(number[:-1] + d) for d in "0123456789" if d != number[-1])


def test_a_card_needs_a_network_and_its_length() -> None:
    assert checks.luhn("0000000000000000") % 10 == 0
    assert not checks.is_card("0000000000000000")
    assert not any(checks.is_card(f"4{n:013d}") for n in range(100))


# The examples of SWIFT's IBAN registry.
@pytest.mark.parametrize(
    "iban",
    ["GB29NWBK60161331926819", "DE89370400440532013000", "FR1420041010050500013M02606", "NO9386011117947",
     "MT84MALT011000012345MTLCAST001S", "CH9300762011623852957", "SA0380000000608010167519", "NL91ABNA0417164300"],
)  # fmt: skip
def test_accounts_of_the_registry(iban: str) -> None:
    assert checks.is_iban(iban)
    assert not checks.is_iban(iban + "0")
    assert not checks.is_iban(iban[:4] + ("1" if iban[4] != "1" else "2") + iban[5:])
    # 97 more or less leaves the same remainder; only 02 to 98 are given out.
    assert not checks.is_iban("XX" + iban[2:])


def test_check_digits_beyond_98_are_nobodys() -> None:
    body = next(f"37040044{n:010d}" for n in range(97) if checks.iban_remainder(f"DE99{f'37040044{n:010d}'}") == 1)
    assert not checks.is_iban(f"DE99{body}")
    assert checks.is_iban(f"DE02{body}")


def test_chinese_identity_numbers() -> None:
    # The examples of GB 11643-1999.
    assert checks.is_cn_id("11010519491231002X")
    assert checks.is_cn_id("11010519491231002x")
    assert not checks.is_cn_id("110105194912310021")
    assert checks.cn_check("44052418800101001") == "4"
    for wrong in ("99010519491231002", "11010519491331002", "11010519490230002"):
        assert not checks.is_cn_id(wrong + checks.cn_check(wrong))
    for foreigner, right in (("91115619800101001", True), ("99915619800101001", False)):
        assert checks.is_cn_id(foreigner + checks.cn_check(foreigner)) == right
    assert checks.is_cn_id_old("110105491231002")
    assert not checks.is_cn_id_old("110105491331002")


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_changed_digit_of_an_identity_number_shows(place: int, more: int) -> None:
    number = "11010519491231002X"
    changed = f"{number[:place]}{(int(number[place]) + more) % 10}{number[place + 1 :]}"
    assert not checks.is_cn_id(changed)


@pytest.mark.parametrize(("digits", "given"), [("219099999", True), ("000123456", False), ("666123456", False),
    ("900123456", False), ("123004567", False), ("123450000", False)])  # fmt: skip
def test_social_security_numbers(digits: str, given: bool) -> None:
    assert checks.is_ssn(digits) == given


def test_isbn() -> None:
    assert checks.is_isbn("9787536692930")
    assert not checks.is_isbn("9787536692931")
    assert not checks.is_isbn("9777536692930")
