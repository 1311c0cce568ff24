from daneel.config import descriptions
from daneel.corpus.document import Document, digest
from daneel.corpus.steps.language import Language

_EN = "The lamp was lit at dusk, and it is the keeper who wrote of it in his book."
_ZH = "那天下午警报的解除信号已经响过了，守灯塔的人在日志里写下了最后一页。"
_FR = "La lampe fut allumée au crépuscule, et le gardien nota tout dans son livre."


def _document(text: str, language: str = "") -> Document:
    return Document(text, "a", "", "", language, "", digest(text))


def test_each_document_gets_its_language() -> None:
    result = Language().apply([_document(text) for text in (_EN, _ZH, _FR, "42")])
    assert [each.language for each in result.documents if each] == ["en", "zh", "fr", "und"]
    assert result.notes == []


def test_what_the_source_states_holds_unless_the_text_clearly_contradicts() -> None:
    stated = [("en-US", _EN), ("chi", _ZH), ("zh_Hant", _ZH), ("fr", _EN), ("fr", "The end"), ("la", "42")]
    result = Language().apply([_document(text, language) for language, text in stated])
    assert [each.language for each in result.documents if each] == ["en", "zh", "zh", "en", "fr", "la"]
    assert [(n, note.what) for n, note in result.notes] == [(3, "language: the source says fr, the text is en")]
    never = Language(overrule=1.1).apply([_document(_EN, "fr")])
    assert never.documents[0] == _document(_EN, "fr")


def test_unwanted_languages_are_left_out_with_an_example() -> None:
    result = Language(keep=("zh", "en")).apply([_document(text) for text in (_FR, _ZH, "42")])
    assert [each and each.language for each in result.documents] == [None, "zh", None]
    assert [(n, note.what, note.dropped) for n, note in result.notes] == [
        (0, "language: fr is not wanted", True),
        (2, "language: und is not wanted", True),
    ]
    assert "La lampe" in result.notes[0][1].example


def test_paragraphs_of_another_language_are_removed() -> None:
    text = f"{_ZH}\n\n{_EN}\n{_ZH}\n\nOK!\n\n{_FR}"
    out = Language(paragraphs=True).apply([_document(text, "zh")])
    assert out.documents[0] == _document(f"{_ZH}\n\n{_ZH}\n\nOK!", "zh")
    assert [(note.what, note.times) for _, note in out.notes] == [
        ("language: paragraphs in en removed", 1),
        ("language: paragraphs in fr removed", 1),
    ]
    both = Language(keep=("zh", "en"), paragraphs=True).apply([_document(text, "zh")])
    assert both.documents[0] == _document(f"{_ZH}\n\n{_EN}\n{_ZH}\n\nOK!", "zh")


def test_every_setting_is_described() -> None:
    assert set(descriptions(Language)) >= {"keep", "paragraphs", "threshold", "overrule"}
