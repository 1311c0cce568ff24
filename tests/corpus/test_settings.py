import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from daneel.corpus.build import build
from daneel.corpus.read import ReadSettings
from daneel.corpus.recipe import READ, STEPS, Recipe, load_recipe, step_class
from daneel.corpus.settings import bounds
from daneel.errors import DaneelError, UsageError

_ENGLISH = "The keeper lit the lamp {0}, and with it the sea that he had watched. Call me on 020 7946 0{0}. "
_CHINESE = "第{0}个看守人点起了灯，他在看海，也在等人来。"
# As TOML says it: numbers that no step expects, other types, and nothing.
_HOSTILE = ("0", "-1", "nan", "inf", "1e400", "1" + "0" * 30, "2.5", "true", '""', '"x"', "[]", "[1]", '["x"]', "{}")
_SETTINGS = [(name, item.name) for name in STEPS for item in fields(step_class(name))]
_SETTINGS += [(READ, item.name) for item in fields(ReadSettings)]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sources")
    folder = root / "documents"
    folder.mkdir()
    for n in range(4):
        (folder / f"en{n}.txt").write_text("\n".join(_ENGLISH.format(300 + n * 9 + k) for k in range(9)), "utf-8")
        (folder / f"zh{n}.txt").write_text("\n".join(_CHINESE.format(n * 9 + k) for k in range(9)), "utf-8")
    (folder / "pages.txt").write_text("\f".join(f"THE LAMP {n}\nIt burned.\n\nAnd on.\n{n}" for n in range(6)), "utf-8")
    pairs = [f"The keeper {n} lit the lamp of the house.\t第{n}个看守人点起了屋里的灯。" for n in range(9)]
    (root / "pairs.tsv").write_text("\n".join(pairs), "utf-8")
    (folder / "rows.jsonl").write_text('{"text": "It burned all night, and the sea was quiet."}\n', "utf-8")
    (folder / "page.html").write_text(f"<html><body><p>{_ENGLISH.format(100) * 9}</p></body></html>", "utf-8")
    return root


@pytest.mark.parametrize(("step", "setting"), _SETTINGS)
def test_a_hostile_value_is_one_clear_error_or_a_build(step: str, setting: str, sources: Path, tmp_path: Path) -> None:
    """In a recipe and by --set, for every setting of every step and of reading."""
    source = sources / ("pairs.tsv" if step == "pairs" else "documents")
    needs: dict[str, dict[str, Any]] = {
        "decontaminate": {"against": [str(sources / "documents" / "en0.txt")]},
        "privacy": {"salt": "pepper"},
    }
    start = "[unicode]\n" if step != "unicode" else ""
    start = f'kind = "{"pairs" if step == "pairs" else "documents"}"\n{start}[{step}]\n'
    start += "".join(f"{key} = {json.dumps(value)}\n" for key, value in needs.get(step, {}).items() if key != setting)
    limits = bounds(ReadSettings if step == READ else step_class(step), setting).replace(",", "")
    file = tmp_path / "mine.toml"
    accepted: dict[Recipe, None] = {}
    for value in (*_HOSTILE, *(limits.split(" to ") if limits else ())):
        for text, changes in ((f"{start}{setting} = {value}\n", []), (start, [f"{step}.{setting}={value}"])):
            file.write_text(text, "utf-8")
            try:
                accepted[load_recipe(str(file), changes)] = None
            except UsageError as error:
                told = str(error)
                named = told.startswith(f"[{step}] {setting} = ") or "is no licence that we know" in told
                assert named and 20 < len(told) < 300 and "\n" not in told, told  # noqa: PT018
    for recipe in accepted:
        try:
            assert build([source], tmp_path / "out", recipe=recipe)["kept"]
        except DaneelError as error:
            told = str(error)
            # Nothing that was read is wanted, or a test set is no file: both are named.
            assert told.startswith(("no usable text in", "the test set ")) and "\n" not in told, told  # noqa: PT018
