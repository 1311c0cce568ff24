import numpy as np
import pytest
from tiny import tiny_model

from daneel.interpret.attention import LIMIT, attention
from daneel.model.load import load_model
from daneel.tokenizer.load import Tokenizer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tiny_model(tmp_path_factory.mktemp("model"))
    return load_model(folder, "float32"), Tokenizer.load(folder)


def test_each_token_looks_at_itself_and_those_before(model):
    maps = attention(*model, "The year is 2042.")
    values = np.array([m.values for m in maps])
    assert [m.title for m in maps] == ["Layer 1 of 2", "Layer 2 of 2"]
    assert "".join(maps[0].rows) == "The year is 2042."
    assert maps[0].columns == maps[0].rows
    assert values.sum(-1) == pytest.approx(np.ones(values.shape[:2]), abs=1e-5)
    assert np.triu(values, 1).max() == 0
    assert not np.allclose(values[0], values[1])


def test_fewer_layers_are_the_last_ones(model):
    assert attention(*model, "The year", layers=1)[0] == attention(*model, "The year", layers=2)[1]
    assert len(attention(*model, "The year", layers=9)) == 2


def test_of_a_long_text_the_end_is_shown_with_its_true_weights(model):
    text = "The year is 2042. " * 12
    shown = attention(*model, text)[1]
    assert len(shown.rows) == LIMIT
    assert "".join(shown.rows).endswith("2042. ")
    # What the last token gives to the tokens that are not shown is missing from its row.
    assert 0 < sum(shown.values[-1]) < 0.99
