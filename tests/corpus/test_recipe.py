import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from daneel.config import descriptions
from daneel.corpus.recipe import STEPS, folder, load_recipe, recipes, step_class
from daneel.errors import UsageError


def test_the_recipes_that_come_with_daneel() -> None:
    assert recipes() == ["books", "chat", "default", "parallel", "web"]
    for name in recipes():
        recipe = load_recipe(name)
        tables = tomllib.loads((folder() / f"{name}.toml").read_text("utf-8"))
        assert [step.name for step in recipe.steps] == [table for table in tables if table != "kind"]
        assert recipe.settings().keys() == {"read", *(step.name for step in recipe.steps)}


@pytest.mark.parametrize("name", STEPS)
def test_every_step_has_its_name_a_line_of_help_and_a_line_a_setting(name: str) -> None:
    kind = step_class(name)
    assert kind.name == name
    assert kind.__doc__
    assert descriptions(kind).keys() == {field.name for field in fields(kind)}


def test_a_file_and_changes(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[whitespace]\nblank_lines = 1\n[language]\nkeep = ["en"]\n[read]\ntext_column = "body"\n')
    recipe = load_recipe(str(path), ["language.keep=en,zh", "language.paragraphs=true", "script.to=simplified"])
    assert recipe.name == "mine"
    settings = recipe.settings()
    assert settings["whitespace"] == {"blank_lines": 1}
    assert settings["language"]["keep"] == ["en", "zh"]
    assert settings["language"]["paragraphs"] is True
    assert settings["script"] == {"to": "simplified"}
    assert settings["read"]["text_column"] == "body"


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        ("[nothing]", [], "no step is called nothing: the steps are unicode"),
        ("[whitespace]\nlines = 1", [], r"\[whitespace\] no setting is called 'lines'; known: blank_lines"),
        ("whitespace = 1", [], r"whitespace must be a table in the recipe: \[whitespace\]"),
        ("[whitespace", [], "is not valid TOML"),
        ('kind = "songs"', [], "kind is 'songs' in .*; it must be one of documents, pairs"),
        ("", ["whitespace=1"], "--set whitespace=1 is not understood: write --set STEP.SETTING=VALUE"),
        ("", ["whitespace.blank_lines=many"], r"\[whitespace\] blank_lines is 'many'; it must be of type int"),
        ("", ["language.paragraphs=maybe"], "'maybe' is neither true nor false"),
        ("", ["script.to=other"], r"\[script\] to is 'other'; it must be one of keep, simplified"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, changes: list[str], message: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        load_recipe(str(tmp_path / "mine.toml"), changes)


def test_an_unknown_recipe() -> None:
    with pytest.raises(UsageError, match="no recipe is called novels: give one of books, chat, default"):
        load_recipe("novels")
