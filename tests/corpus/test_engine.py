import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daneel.corpus.build import build
from daneel.corpus.engine import engine
from daneel.corpus.recipe import load_recipe
from daneel.errors import DaneelError


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough text for several tasks, with copies of every kind, English and Chinese."""
    folder = tmp_path_factory.mktemp("source")
    rng = random.Random(1)
    words = [f"{a}{b}" for a in ("star", "moon", "lamp", "ship", "sea") for b in ("", "s", "light", "man", "ward")]
    signs = "灯塔的看守人写下了最后一页日志然后走到海边去看那艘从来没有见过的船"
    stories = []
    for n in range(80):
        zh = n % 4 == 3
        paragraphs = [
            "".join(rng.choices(signs, k=80)) + "。" if zh else " ".join(rng.choices(words, k=60)) + " and the end."
            for _ in range(60 if zh else 90)
        ]
        stories.append("\n\n".join(paragraphs))
    stories[20] = stories[2]
    stories[41] = stories[5].replace("starman", "moonling", 20)
    stories[63] = stories[3][:4000] + "尾" + stories[3][4001:]
    for n, story in enumerate(stories):
        (folder / f"{n:03}.txt").write_text(story, "utf-8")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_results_come_in_order_and_a_few_tasks_ahead() -> None:
    taken = []

    def tasks() -> Iterator[int]:
        for n in range(-20, 20):
            taken.append(n)
            yield n

    with engine("processes", 2) as run:
        results = iter(run(abs, tasks()))
        assert next(results) == 20
        assert len(taken) < 15
        assert list(results) == [abs(n) for n in range(-19, 20)]


def test_a_killed_worker_is_one_line() -> None:
    told = "memory ran out: use fewer, such as --processes 1"
    with pytest.raises(DaneelError, match=told), engine("processes", 2) as run:
        list(run(os._exit, [1, 1, 1]))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["books"])
def test_any_number_of_processes_and_a_cluster_give_the_same_bytes(source: Path, tmp_path: Path, recipe: str) -> None:
    manifest = build([source], tmp_path / "one", recipe=load_recipe(recipe))
    dropped = {each["source"].split("/")[1]: each["step"] for each in manifest["dropped"]}
    assert dropped == {
        "020.txt": "exact_duplicates",
        "041.txt": "near_duplicates",
        "063.txt": "near_duplicates",
    }
    build([source], tmp_path / "two", recipe=load_recipe(recipe), processes=2, alone=0)
    assert content(tmp_path / "two") == content(tmp_path / "one")
    script = Path(__file__).with_name("ray_build.py")
    command = [sys.executable, str(script), str(source), str(tmp_path / "ray"), recipe]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=300,
        env={**os.environ, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1", "RAY_USAGE_STATS_ENABLED": "0"},
    )  # fmt: skip
    assert done.stdout.split()[-1:] == ["2"], done.stderr[-2000:]
    assert content(tmp_path / "ray") == content(tmp_path / "one")
