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
        (
            "[whitespace]\nlines = 1",
            [],
            r"\[whitespace\] lines = 1: no setting is called so; its settings are blank_lines",
        ),
        ("whitespace = 1", [], r"whitespace must be a table in the recipe: \[whitespace\]"),
        ("[whitespace", [], "is not valid TOML"),
        ('kind = "songs"', [], "kind is 'songs' in .*; it must be one of documents, pairs"),
        ("", ["whitespace=1"], "--set whitespace=1 is not understood: write --set STEP.SETTING=VALUE"),
        (
            "",
            ["whitespace.blank_lines=many"],
            r'^\[whitespace\] blank_lines = "many": it must be a whole number from 0',
        ),
        ("", ["language.paragraphs=maybe"], r'^\[language\] paragraphs = "maybe": it must be true or false$'),
        ("", ["script.to=other"], r'^\[script\] to = "other": it must be one of keep, simplified, traditional$'),
        ("", [], "mine.toml has no step: write a table for each, such as .unicode.; the steps are unicode, gutenberg"),
        ("[read]\npart_bytes = 1", [], "mine.toml has no step"),
        ("[decontaminate]", [], r"^\[decontaminate\] against = \[\]: name at least one test set"),
        ("[language]\nkeep = 5", [], r'^\[language\] keep = 5: it must be a list of texts, as \["a", "b"\]$'),
        ("[language]\nkeep = [5]", [], r"^\[language\] keep = \[5\]: it must be a list of texts"),
        ("", ["language.keep=English"], r'^\[language\] keep = \["English"\]: it must be a list of codes .* en, zh'),
        ("", ["language.keep=zho"], r'^\[language\] keep = \["zho"\]: it must be a list of codes'),
        ("", ["script.from=keep"], r'^\[script\] from = "keep": no setting is called so; its settings are to$'),
        ("", ["unicode.form=NFC"], r'^\[unicode\] form = "NFC": no setting is called so; it has none$'),
        ("", ["pairs.ratio=2"], "pairs. is for sentence pairs: use the recipe parallel"),
        ('kind = "pairs"', ["pairs.languages=en"], r'^\[pairs\] languages = \["en"\]: it must be two codes'),
        ("[[unicode]]", [], r"unicode must be a table in the recipe: \[unicode\]"),
        ("[unicode]\na = " + "[" * 100_000, [], "is not valid TOML"),
        ("[pages]\nhead_share = " + "9" * 5000, [], "is not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, changes: list[str], message: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        load_recipe(str(tmp_path / "mine.toml"), changes)


def test_a_recipe_may_begin_with_a_mark(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[unicode]\n", "utf-8-sig")
    assert [step.name for step in load_recipe(str(tmp_path / "mine.toml")).steps] == ["unicode"]


def test_a_new_step_runs_at_its_place() -> None:
    """In every recipe that comes with daneel, and in a file in an order of its own."""
    for name, step, before, after in (
        ("default", "script", "language", "exact_duplicates"),
        ("web", "script", "language", "privacy"),
        ("books", "gopher_quality", "language", "exact_duplicates"),
        ("parallel", "privacy", "unicode", "pairs"),
        ("chat", "near_paragraphs", "near_duplicates", None),
        ("web", "pages", "unicode", "licence_blocks"),
        ("default", "repeated_lines", "language", "exact_duplicates"),
    ):
        setting = {"script": "to=simplified", "privacy": "action=mask", "pages": "unwrap=false"}.get(step)
        setting = setting or {"gopher_quality": "min_words=1"}.get(step, "words=4")
        steps = [each.name for each in load_recipe(name, [f"{step}.{setting}"]).steps]
        at = steps.index(step)
        assert steps[at - 1] == before, (name, steps)
        assert steps[at + 1 :][:1] == ([after] if after else []), (name, steps)
        assert [each for each in steps if each != step] == [each.name for each in load_recipe(name).steps]


def test_the_recipes_are_in_the_standard_order_but_for_personal_data() -> None:
    order = [step for step in STEPS if step not in ("privacy", "repeated_lines")]
    for name in recipes():
        steps = [step.name for step in load_recipe(name).steps if step.name in order]
        assert steps == sorted(steps, key=order.index)


def test_an_unknown_recipe() -> None:
    with pytest.raises(UsageError, match="no recipe is called novels: give one of books, chat, default"):
        load_recipe("novels")
