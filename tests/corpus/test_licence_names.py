import pytest

from daneel.corpus.licence_names import hub_licence, stated
from daneel.errors import UsageError


@pytest.mark.parametrize(
    ("licence", "name"),
    [
        ("CC0", "cc0-1.0"), ("Apache-2.0", "apache-2.0"), ("CC BY 4.0", "cc-by-4.0"), ("我的条款", None), ("", None),
        ("GPL-3.0-or-later", "gpl-3.0"), ("ODbL-1.0", "odbl"), ("GFDL-1.3-only", "gfdl"), ("public-domain", None),
        ("gemma terms of use", "gemma"), ("CC-BY-2.0-FR", None),
    ],
)  # fmt: skip
def test_names_of_the_hub(licence: str, name: str | None) -> None:
    assert hub_licence(licence) == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("cc-by-4.0", "CC-BY-4.0"), (" CC BY-SA 3.0 ", "CC-BY-SA-3.0"), ("mit", "MIT"), ("apache 2.0", "Apache-2.0"),
        ("CC-BY-2.0-FR", "CC-BY-2.0-FR"), ("公有领域", "public-domain"), ("", ""),
        ("MIT OR apache-2.0", "MIT OR Apache-2.0"), ("LicenseRef-House", "LicenseRef-House"),
        ("other:  经作者\n许可", "other: 经作者 许可"),
    ],
)  # fmt: skip
def test_a_licence_is_stated_as_spdx_writes_it(given: str, name: str) -> None:
    assert stated(given) == name


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("CC-BY4", r"'CC-BY4' is no licence that we know: did you mean CC-BY-\d\.\d\? Otherwise give an SPDX name"),
        ("with permission", r'say it in your words after other:, as "other: with the author'),
        ("other:", "is no licence"), ("MIT OR", "is no licence"), ("cc-by-9.0-fr", "is no licence"),
        ("许可", "is no licence"),
    ],
)  # fmt: skip
def test_what_is_no_licence_is_told_with_the_remedy(given: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        stated(given)
