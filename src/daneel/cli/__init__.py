"""The command line: a table verb -> module, imported when called, so that `--help` is fast."""

import importlib
import os
import signal
import sys
import threading
from typing import Any

import click

# verb: (module, one line for `daneel --help`)
VERBS = {
    "demo": ("demo", "The whole road in minutes: learn a folder of stories, with proof."),
    "write": ("write", "Continue a text."),
    "chat": ("chat", "Talk with a model in the terminal."),
    "train": ("train", "Fine-tune a model on your text, or train one from scratch."),
    "export": ("export", "Write a model as another tool wants it: Transformers, llama.cpp, CTranslate2."),
    "eval": ("eval", "Cross-entropy, perplexity and bits per byte of a model on a text."),
    "corpus": ("corpus", "Turn files and folders into a clean, documented corpus."),
    "embeddings": ("embeddings", "What a model knows of words: export, neighbours, a map."),
    "language": ("language", "Invent a language: its grammar, its sentences, pairs with English."),
    "tokenizer": ("tokenizer", "Train, show, compare and extend tokenizers."),
    "pull": ("pull", "Fetch a model to this machine."),
    "models": ("models", "List the models at hand."),
    "rm": ("rm", "Remove a model from this machine."),
    "kernels": ("kernels", "The compiled parts: which are built, and build them."),
    "doctor": ("doctor", "What this machine offers, and what would help."),
}


class Verbs(click.Group):
    """Lists the table without importing any verb."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"daneel.cli.{VERBS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, as `daneel --help` prints it."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="daneel", prog_name="daneel")
def cli() -> None:
    """The language model you can open: grown from your own text, every claim about it checkable.

    Start with `daneel demo`, or `daneel write "The year is 2042."`.
    """


def _terminated(number: int, _: object) -> None:
    """What is half written is removed, as after Ctrl-C."""
    sys.exit(128 + number)


def main(args: list[str] | None = None) -> Any:
    """Run the command line; a user's mistake is one line on stderr and exit code 1 or 2."""
    from daneel.errors import DaneelError

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminated)
    try:
        code = cli.main(args=args, prog_name="daneel", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.UsageError as error:
        verb = error.ctx.command_path if error.ctx else "daneel"
        click.echo(f"daneel: {error.format_message().rstrip('.')}; see `{verb} --help`", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"daneel: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except DaneelError as error:
        click.echo(f"daneel: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader (`| head`) left: not an error of ours. Silence the flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        # Libraries put a sentence of their own around the system's.
        what = os.strerror(error.errno) if error.errno else error.strerror or str(error)
        click.echo(f"daneel: {name}{what.lower()}", err=True)
        sys.exit(1)
