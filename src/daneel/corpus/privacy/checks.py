"""The arithmetic that tells a number of a kind from any number: check digits, lengths, prefixes, dates."""

import datetime

# Letters and digits of an account number (BBAN) per country and four signs more: ISO 13616, SWIFT's IBAN registry.
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
# First and last prefix, and the lengths issued with it (ISO/IEC 7812; the networks' own tables).
_CARDS = (
    ("1800", "1800", (15,)),  # JCB, old
    ("2131", "2131", (15,)),
    ("2200", "2204", (16,)),  # Mir
    ("2221", "2720", (16,)),  # Mastercard
    ("300", "305", (14, 16)),  # Diners Club
    ("3095", "3095", (14, 16)),
    ("34", "34", (15,)),  # American Express
    ("3528", "3589", (16, 19)),  # JCB
    ("36", "36", (14, 16)),
    ("37", "37", (15,)),
    ("38", "39", (14, 16)),
    ("4", "4", (13, 16, 19)),  # Visa
    ("50", "50", (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro, RuPay
    ("51", "55", (16,)),
    ("56", "58", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6011", "6011", (16, 19)),  # Discover
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("6304", "6304", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("639", "639", (16, 19)),
    ("644", "649", (16, 19)),
    ("65", "65", (16, 19)),
    ("67", "67", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("81", "82", (16, 19)),
)
# The first two digits of a region by GB/T 2260.
_PROVINCES = frozenset([
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43",
    "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82", "83",
])  # fmt: skip


def luhn(digits: str) -> int:
    """The sum of ISO/IEC 7812-1, annex B; a multiple of ten for a number that is right."""
    return sum(sum(divmod(int(d) * (1 + n % 2), 10)) for n, d in enumerate(reversed(digits)))


def is_card(digits: str) -> bool:
    """A payment card: a network's prefix, a length it issues, the Luhn digit."""
    return (
        any(low <= digits[: len(low)] <= high and len(digits) in lengths for low, high, lengths in _CARDS)
        and not luhn(digits) % 10
    )


def iban_remainder(iban: str) -> int:
    """Modulo 97 by ISO 7064 MOD 97-10, with the country and check digits moved to the end; 1 for one that is right."""
    return int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97


def is_iban(iban: str) -> bool:
    """An account number without spaces, in capitals: its country's length, its check digits (02 to 98)."""
    return (
        len(iban) == IBAN_LENGTHS.get(iban[:2])
        and iban[2:4].isdigit()
        and 2 <= int(iban[2:4]) <= 98
        and iban_remainder(iban) == 1
    )


def cn_check(digits: str) -> str:
    """The eighteenth sign for the first seventeen, by ISO 7064 MOD 11-2 (GB 11643)."""
    return "10X98765432"[sum(int(d) * (2 ** (17 - n) % 11) for n, d in enumerate(digits)) % 11]


def is_cn_id(number: str) -> bool:
    """A resident's or a permanent resident foreigner's number of 18 signs: region, day of birth, check sign."""
    region = number[1:3] if number[0] == "9" else number[:2]
    return region in _PROVINCES and _is_day(number[6:14]) and cn_check(number[:17]) == number[17].upper()


def is_cn_id_old(number: str) -> bool:
    """The form of 15 digits, given out until 1999: region and day of birth, without a check digit."""
    return number[:2] in _PROVINCES and _is_day(f"19{number[6:12]}")


def _is_day(digits: str) -> bool:
    """YYYYMMDD of a person who may have held a number."""
    try:
        day = datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return 1880 <= day.year < 2050


def is_ssn(digits: str) -> bool:
    """A United States social security number of nine digits that may have been issued (SSA, since 2011)."""
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def is_isbn(digits: str) -> bool:
    """A book's number of 13 digits (ISO 2108)."""
    return (
        len(digits) == 13
        and digits.startswith(("978", "979"))
        and sum(int(d) * (1 + 2 * (n % 2)) for n, d in enumerate(digits)) % 10 == 0
    )
