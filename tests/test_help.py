"""The command line explains itself, quickly."""

import resource
import subprocess
import sys

import pytest
from click.testing import CliRunner

from daneel.cli import VERBS, cli

SUBVERBS = {
    "corpus": "build show diff find recipes",
    "tokenizer": "train show report extend",
    "embeddings": "export near map",
    "language": "new show pairs",
}
ASK = """
import sys
sys.argv = ["daneel", "--help"]
try:
    from daneel.cli import main
    main()
finally:
    print(*[name for name in ("torch", "numpy", "transformers") if name in sys.modules], file=sys.stderr)
"""


def test_help_lists_the_verbs_and_nothing_else():
    shown = CliRunner().invoke(cli, ["--help"], prog_name="daneel").output
    section = shown.split("Verbs:\n")[1]
    assert [line.split()[0] for line in section.splitlines() if line.startswith("  ") and line[2] != " "] == list(VERBS)


def test_help_imports_no_torch():
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: daneel")
    assert done.stderr.split() == []


def test_help_takes_less_than_a_third_of_a_second():
    # Processor time, the best of five: what other processes do is not ours.
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "daneel", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) <= 0.3


@pytest.mark.parametrize(
    "verb", [*VERBS, *(f"{verb} {each}" for verb, listed in SUBVERBS.items() for each in listed.split())]
)
def test_each_verb_explains_itself_with_an_example(verb: str):
    done = CliRunner().invoke(cli, [*verb.split(), "--help"], prog_name="daneel")
    assert done.exit_code == 0
    examples = [line for line in done.output.splitlines() if line.strip().startswith(f"daneel {verb}")]
    assert examples
    assert "Usage:" in done.output


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("wrte", "daneel: No such command 'wrte'; see `daneel --help`\n"),
        ("eval smollm2", "daneel: Missing option '--on'; see `daneel eval --help`\n"),
        (
            "write --in nothere",
            "daneel: Invalid value for '--in': File 'nothere' does not exist; see `daneel write --help`\n",
        ),
    ],
)
def test_bad_usage_is_one_line_and_code_2(words: str, line: str):
    command = [sys.executable, "-m", "daneel", *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, line)
