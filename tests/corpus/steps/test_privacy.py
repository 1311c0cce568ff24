import pytest

from daneel.config import descriptions
from daneel.corpus.document import Document, digest
from daneel.corpus.privacy.find import KINDS
from daneel.corpus.settings import made
from daneel.corpus.steps.privacy import Privacy
from daneel.errors import UsageError


def document(text: str) -> Document:
    return Document(text, "a.txt", "a", "", "zh", "", digest(text))


MAIL, CHINESE, CLEAN = "Write to bob@web.de, or bob@web.de.", "手机13812345678，邮箱wang@qq.com", "第十章　地球往事"


def test_masks_and_notes() -> None:
    batch = [document(MAIL), document(CLEAN), document(CHINESE)]
    result = Privacy().apply(batch)
    texts = [each.text for each in result.documents if each]
    assert texts == ["Write to [EMAIL], or [EMAIL].", CLEAN, "手机[CN_MOBILE]，邮箱[EMAIL]"]
    assert [each.sha256 for each in result.documents if each] == [digest(text) for text in texts]
    assert result.documents[1] is batch[1]
    noted = [(place, note.what, note.times, note.dropped) for place, note in result.notes]
    assert noted == [
        (0, "personal data: email", 2, False),
        (2, "personal data: email", 1, False),
        (2, "personal data: cn_mobile", 1, False),
    ]


def test_what_is_noted_does_not_give_away_what_was_found() -> None:
    for _, note in Privacy(action="report").apply([document(MAIL), document(CHINESE)]).notes:
        for secret in ("bob@web.de", "13812345678", "wang@qq.com"):
            assert secret not in note.example
            assert secret[:3] not in note.example


def test_report_changes_nothing_and_drop_leaves_out() -> None:
    batch = [document(CHINESE), document(CLEAN)]
    assert Privacy(action="report").apply(batch).documents == batch
    dropped = Privacy(action="drop").apply(batch)
    assert dropped.documents == [None, batch[1]]
    assert [(note.what, note.dropped) for _, note in dropped.notes] == [
        ("personal data: email", True),
        ("personal data: cn_mobile", False),
    ]


def test_only_the_kinds_named() -> None:
    step = made(Privacy, {"kinds": ["cn_mobile"]})
    assert step.kinds == ("cn_mobile",)
    assert [each.text for each in step.apply([document(CHINESE)]).documents if each] == [
        "手机[CN_MOBILE]，邮箱wang@qq.com"
    ]


def test_fakes_agree_across_documents_and_batches() -> None:
    step = Privacy(action="fake", salt="pepper")
    (one,), (two,) = (step.apply([document(text)]).documents for text in ("I am at bob@web.de", "Bob: BOB@web.de"))
    assert one
    assert two
    assert one.text.split()[-1] == two.text.split()[-1] != "bob@web.de"


def test_settings_are_checked_in_one_line() -> None:
    for settings, words in (
        ({"kinds": ["mail"]}, r'^\[privacy\] kinds = \["mail"\]: mail is none of email, ip'),
        ({"kinds": [*KINDS, "邮件"]}, r"^\[privacy\] kinds = .*…: 邮件 is none of email, ip"),
        ({"regions": ["US", "XX"]}, r'^\[privacy\] regions = \["US", "XX"\]: XX is no country'),
        ({"action": "hash"}, r'^\[privacy\] action = "hash": it needs privacy.salt'),
        ({"action": "fake"}, "needs privacy.salt"),
        ({"action": "burn"}, "report, mask, hash, fake, drop"),
    ):
        with pytest.raises(UsageError, match=words) as caught:
            made(Privacy, settings)
        assert "\n" not in str(caught.value)


def test_settings_are_described_and_the_salt_is_not_shown() -> None:
    assert set(descriptions(Privacy)) == {"action", "kinds", "regions", "salt"}
    assert "pepper" not in repr(Privacy(salt="pepper"))
