"""`daneel demo`: the whole road in minutes, on the stories that come with daneel or on your own folder."""

import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from daneel.cli.common import console, emit, json_option
from daneel.config import TrainConfig, seconds
from daneel.corpus.records import is_records
from daneel.errors import ModelError, UsageError

SECOND_ACT = 0.75
"""Of the budget: three minutes of four."""
# In a process of its own, where daneel cannot be imported.
PROOF = """
import sys
sys.modules["daneel"] = None
import warnings
warnings.simplefilter("ignore")
from transformers import logging, pipeline
logging.set_verbosity_error()
logging.disable_progress_bar()
generator = pipeline("text-generation", model=sys.argv[1])
print(generator(sys.argv[2], max_new_tokens=24, do_sample=False)[0]["generated_text"])
"""


def samples() -> Path:
    """The stories that come with daneel: in the wheel, or in the checkout."""
    inside = Path(str(files("daneel"))) / "samples"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "samples"


@click.command("demo")
@click.argument("folder", required=False, type=click.Path())
@click.option("--stranger", type=click.Path(), help="Text of the same kind by another author.")
@click.option("-m", "--model", default="smollm2", show_default=True, help="Model to start from.")
@click.option(
    "-o",
    "--out",
    default="runs/demo",
    show_default=True,
    help="Run folder; an earlier demo there is replaced.",
)
@click.option("--budget", default="4m", show_default=True, help="Time that the training is planned to take.")
@click.option("--language", type=click.Path(exists=True, dir_okay=False), help="A grammar file for the second act.")
@json_option
def command(folder: str | None, stranger: str | None, model: str, out: str, budget: str, language: str | None,
            as_json: bool) -> None:  # fmt: skip
    """Learn the voice of a FOLDER of stories, measure it, and go on writing with it.

    Without FOLDER the ten stories of the Keeper that come with daneel are learned, with another voice as stranger. Then
    comes a second act: a translator for an invented language, trained from nothing in three quarters of the budget.

    \b
    daneel demo
    daneel demo my-stories/ --stranger others/
    """
    from daneel.cli.demo_language import translate
    from daneel.cli.progress import Live, planned
    from daneel.road import Journey, arrive, set_out

    if folder and not Path(folder).exists():
        raise UsageError(f"{folder} does not exist")
    second = language or (str(samples() / "languages" / "oshari.toml") if folder is None else None)
    if folder is None:
        folder, stranger = str(samples() / "keeper"), stranger or str(samples() / "stranger")
    if is_records(Path(folder)):
        raise UsageError(f"{folder} holds conversations, and the demo learns prose: daneel train {folder}")
    journey = Journey((folder,), out, model, stranger=stranger, heldout=0.2, eval_bytes=20_000, demo=True,
                      config=TrainConfig(budget=budget, epochs=4, evals=4, eval_rows=16))  # fmt: skip
    console.rule("1  read and pack")
    stage = set_out(journey, console.print)
    console.print(planned(stage.plan))
    console.rule("2  measure, learn, measure again")
    with Live(console) as live:
        facts = arrive(stage, live.watch, console.print)
    console.rule("3  what it says now")
    _show(facts)
    console.rule("4  what was learned")
    live.summary(facts, out)
    facts["loads_elsewhere"] = _prove(Path(out), facts["samples"]["prompt"])
    if second:
        console.rule("5  a universal translator")
        facts["translator"] = translate(Path(second), Path(f"{out}-language"), SECOND_ACT * seconds(budget))
    console.rule("Try next")
    for line in (f'daneel write "{facts["samples"]["prompt"]}" -m {out}', f"daneel eval {out} --on YOUR-TEXT.txt",
                 "daneel train YOUR-FOLDER --budget 20m -o runs/mine"):  # fmt: skip
        console.print(f"  {line}")
    if as_json:
        emit(facts)


def _show(facts: dict[str, Any]) -> None:
    found = facts["samples"]
    console.print(found["prompt"], style="bold")
    for name in ("before", "after"):
        text = " ".join(found[name][0].split())
        console.print(f"\n{name} (seed 1): ", style="cyan", end="")
        console.print(text)
    console.print("\nSeeds 1 to 5 of both are in the report.")


def _prove(run: Path, prompt: str) -> bool | None:
    """Load the run with Transformers and PEFT in a subprocess without daneel; None where they are not installed."""
    if find_spec("transformers") is None or find_spec("peft") is None:
        console.print(
            "Transformers and PEFT are not installed: pip install 'daneel[hf]' proves that they load the run."
        )
        return None
    done = subprocess.run([sys.executable, "-c", PROOF, str(run), prompt], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ModelError(f"Transformers could not load {run}: {done.stderr.strip().splitlines()[-1]}")
    console.print("Transformers and PEFT load the run in a process without daneel; greedy, they write:")
    console.print("  " + " ".join(done.stdout.split()))
    return True
