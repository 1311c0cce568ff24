"""`daneel chat`: talk with a model in the terminal."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from daneel.cli.common import console, emit, json_option, model_option
from daneel.cli.options import dtype_option, read_sampling, sampling_options
from daneel.errors import DaneelError, ModelError
from daneel.generate.sampling import draw_seed

COMMANDS = {
    "/system TEXT": "set the system message and start again; without TEXT, remove it",
    "/reset": "forget the conversation, keep the system message",
    "/save FILE": "add the conversation to FILE as a line of JSON, ready for `daneel train`",
    "/help": "this list",
    "/exit": "leave (or Ctrl-D)",
}


@click.command()
@model_option
@click.option("--system", metavar="TEXT", help="A system message that stands before the conversation.")
@click.option("-n", "--max-new-tokens", default=512, show_default=True, help="Longest answer, in tokens.")
@dtype_option
@sampling_options
@json_option
def command(model: str, system: str | None, max_new_tokens: int, dtype: str, as_json: bool, **settings: Any) -> None:
    """Talk with a model. Ctrl-C stops an answer; /help lists the commands.

    \b
    daneel chat --system "You are a lighthouse keeper. Answer briefly."
    """
    sampling = read_sampling(settings)

    from daneel.lm.base import Generation
    from daneel.lm.load import load

    params = Generation(max_new_tokens, sampling)
    loaded = load(model, dtype)
    if not loaded.capabilities.chat:
        raise ModelError(
            f"{model} has no chat template: it continues text, it does not hold conversations; "
            "take an instruct model, such as -m smollm2, or `daneel write`"
        )
    chat = Chat(loaded, params, system, say=_aside if as_json else _say)
    _note(f"{loaded.name}. /help lists the commands, Ctrl-C stops an answer.")
    while chat.turn():
        pass
    if as_json:
        emit({"model": loaded.name, "messages": chat.messages})


def _say(text: str) -> None:
    click.echo(text, nl=False)


def _note(text: str) -> None:
    console.print(text, style="dim")


def _aside(text: str) -> None:
    click.echo(text, nl=False, err=True)


class Chat:
    """A conversation and the commands on it."""

    def __init__(self, model: Any, params: Any, system: str | None, say: Callable[[str], None]) -> None:
        self._model, self._params, self._say = model, params, say
        self._system = system
        self._warned = False
        # One seed for the whole conversation would begin every answer with the same draws.
        self._seed = draw_seed() if params.sampling.seed is None else params.sampling.seed
        self.messages: list[dict[str, str]] = []
        self.reset()

    def reset(self) -> None:
        """Forget all but the system message."""
        self.messages = [{"role": "system", "content": self._system}] if self._system else []

    def turn(self) -> bool:
        """Read a line and act on it; False when the user leaves."""
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return False
        except KeyboardInterrupt:
            _note("\n/exit or Ctrl-D leaves")
            return True
        verb, _, rest = line.partition(" ")
        if not line.startswith("/"):
            if line:
                self._answer(line)
        elif verb == "/exit":
            return False
        else:
            self._command(verb, rest.strip())
        return True

    def _command(self, verb: str, rest: str) -> None:
        if verb == "/reset":
            self.reset()
            _note("the conversation begins anew")
        elif verb == "/system":
            self._system = rest or None
            self.reset()
            _note(f"the conversation begins anew {'with this' if rest else 'without a'} system message")
        elif verb == "/save":
            self._save(rest)
        else:
            if verb != "/help":
                _note(f"there is no command {verb}")
            for name, what in COMMANDS.items():
                _note(f"  {name:14} {what}")

    def _save(self, name: str) -> None:
        if not name:
            _note("/save needs a file name, such as /save talk.jsonl")
            return
        try:
            with Path(name).expanduser().open("a", encoding="utf-8") as file:
                file.write(json.dumps({"messages": self.messages}, ensure_ascii=False) + "\n")
        except OSError as error:
            _note(f"{name}: {(error.strerror or str(error)).lower()}")
            return
        _note(f"{len(self.messages)} messages added to {name}")

    def _answer(self, line: str) -> None:
        from daneel.lm.base import Request

        if not self._warned:
            self._warned = self._model.warn_if_unfit(line)
        asked = [*self.messages, {"role": "user", "content": line}]
        room = self._model.context - self._model.count(asked)
        if room < 1:
            # Never cut the history: what the model no longer sees it would answer wrongly about.
            _note(
                f"with this message the conversation has {self._model.context - room} tokens, but "
                f"{self._model.name} reads at most {self._model.context}: "
                "/reset begins anew (/save FILE keeps this one)"
            )
            return
        sampling = replace(self._params.sampling, seed=self._seed)
        self._seed += 1
        pieces: list[str] = []
        try:
            for chunk in self._model.generate([Request(asked)], replace(self._params, sampling=sampling)):
                pieces.append(chunk.text)
                self._say(chunk.text)
                if chunk.finish_reason == "length":
                    _note(f"\n… cut at {min(room, self._params.max_new_tokens)} tokens")
        except KeyboardInterrupt:
            _note("\n… stopped")
        except DaneelError as error:
            _note(f"daneel: {error}")
            return
        self._say("\n")
        # A stopped answer stays: the next question may be about it.
        self.messages = [*asked, {"role": "assistant", "content": "".join(pieces)}]
