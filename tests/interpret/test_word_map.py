import numpy as np
import pytest
from tiny import tiny_model

from daneel.errors import DataError, UsageError
from daneel.interpret.embeddings import Embeddings
from daneel.interpret.word_map import MAX_GROUPS, Group, page, principal_axes, project, read_words


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Embeddings(str(tiny_model(tmp_path_factory.mktemp("llama"))))


def test_groups_of_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("﻿lamp\n# 机器\n机器人\n\n New York \nlamp\n# deeds\nrun\n#\n", encoding="utf-8")
    groups = read_words(path)
    assert groups == [Group("", ("lamp",)), Group("机器", ("机器人", "New York")), Group("deeds", ("run", "#"))]
    path.write_bytes("# 机器\n机器人和灯塔的看守人都在海上\n太阳和月亮\n".encode("gb18030"))
    assert read_words(path) == [Group("机器", ("机器人和灯塔的看守人都在海上", "太阳和月亮"))]
    for nothing in (b"# nothing\n", b"", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8):
        path.write_bytes(nothing)
        with pytest.raises(DataError, match=r"words\.txt holds no words"):
            read_words(path)


def test_the_axes_are_the_largest_variances():
    rng = np.random.default_rng(1)
    flat = rng.normal(size=(40, 2)) * [5, 2]
    turn = np.linalg.qr(rng.normal(size=(9, 9)))[0][:2]
    points, explained = principal_axes((flat @ turn + 3).astype(np.float32))
    assert sum(explained) == pytest.approx(1)
    assert explained[0] > explained[1] > 0
    between = [np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (points, flat)]
    assert np.allclose(between[0], between[1], atol=1e-3)
    assert np.all(points.max(axis=0) >= -points.min(axis=0))


def test_a_map_is_the_same_twice_and_works_offline(model):
    groups = [Group("sea", ("lamp", "ships", "keeper")), Group("海", ("灯塔", "海上"))]
    found = project(model, groups, model.correction())
    html = page(model, found, "Nothing removed.")
    assert html == page(model, project(model, groups, model.correction()), "Nothing removed.")
    assert all(word in html for group in groups for word in (*group.words, group.name))
    assert 'lang="zh"' in html
    assert "http:" not in html
    assert "<script" not in html
    assert f"component 1 ({100 * found.explained[0]:.0f} % of the variance)" in html


def test_too_few_or_too_many(model):
    with pytest.raises(UsageError, match="3 to 500 words"):
        project(model, [Group("", ("lamp", "ship"))], model.none())
    many = [Group(str(i), (f"lamp{i}",)) for i in range(MAX_GROUPS + 1)]
    with pytest.raises(UsageError, match="11 in 11"):
        project(model, many, model.none())
