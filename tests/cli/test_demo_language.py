"""The second act of the demo, on few sentences."""

import pytest
from cli.test_train import _one_thread  # noqa: F401

from daneel.cli import demo_language
from daneel.cli.demo import samples


@pytest.mark.slow
def test_a_translator_is_trained_and_tested_both_ways(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_language, "SENTENCES", 400)
    monkeypatch.setattr(demo_language, "TESTED", 4)
    for _ in range(2):  # the second time it takes the place of the first
        found = demo_language.translate(samples() / "languages" / "oshari.toml", tmp_path / "act", 8)
        assert set(found) == {"heldout", "roots", "patterns"}
        for test in found.values():
            assert set(test) == {"en-oshari", "oshari-en"}
            assert all(scores["n"] == 4 for scores in test.values())
    assert (tmp_path / "act" / "translator" / "model.safetensors").exists()
    assert (tmp_path / "act" / "translator" / "report.html").exists()
