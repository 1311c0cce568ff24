import pytest

from daneel.corpus.licence_names import hub_licence


@pytest.mark.parametrize(
    ("licence", "name"),
    [("CC0", "cc0-1.0"), ("Apache-2.0", "apache-2.0"), ("CC BY 4.0", "cc-by-4.0"), ("我的条款", None), ("", None)],
)
def test_names_of_the_hub(licence: str, name: str | None) -> None:
    assert hub_licence(licence) == name
