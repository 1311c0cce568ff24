"""`daneel tokenizer`: train a vocabulary, look at one, compare several, extend a model's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from daneel.cli.common import console, emit, json_option, piped, readable
from daneel.errors import UsageError

# Alternating grounds: neighbours differ, and black or white letters stay readable on each.
_GROUNDS = ("on #264653", "on #6d4c1d", "on #3d2f5c", "on #1f5132", "on #6b2737")
_KEY = """\
tokens per word: a Chinese character is a word; split: part of a character
Chinese whole: common characters (GB 2312, level 1) that are one token"""
_OTHERS = ("gpt2-tokenizer", "smollm2", "gemma3")


@click.group()
def command() -> None:
    """Train, show, compare and extend tokenizers.

    \b
    daneel tokenizer train corpus/ -o my-tokenizer --vocab-size 8192
    daneel tokenizer show smollm2 "The year is 2042. 公元2042年。"
    daneel tokenizer report my-tokenizer -o tokens.html
    daneel tokenizer extend smollm2 --on chinese/ --add 4000 -o smollm2-zh
    """


@command.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CORPUS…")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The tokenizer folder to write.")
@click.option("--vocab-size", default="auto", show_default=True, metavar="N|auto",
              help="Tokens at most; auto is what suits a model of --size.")  # fmt: skip
@click.option("--size", metavar="3m|10m|…", help="Parameters of the model that it is for, for --vocab-size auto.")
@click.option("--model", "kind", type=click.Choice(["bpe", "unigram"]), default="bpe", show_default=True,
              help="bpe can be exported to llama.cpp; unigram is for Transformers only.")  # fmt: skip
@click.option("--pattern", type=click.Choice(["gpt2", "llama3", "qwen2"]), default="qwen2", show_default=True,
              help="How words are cut: as GPT-2, Llama 3 (numbers by threes) or Qwen2 (digits apart) do.")  # fmt: skip
@click.option("--special", multiple=True, metavar="TOKEN", help="A further special token; may be given again.")
@click.option("--chat-template", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A Jinja file instead of ChatML.")  # fmt: skip
@click.option("--min-frequency", type=click.IntRange(min=1), default=2, show_default=True,
              help="How often a pair must occur to become a token.")  # fmt: skip
@json_option
def train(
    paths: tuple[Path, ...], out: Path, vocab_size: str, size: str | None, kind: str, pattern: str,
    special: tuple[str, ...], chat_template: Path | None, min_frequency: int, as_json: bool,
) -> None:  # fmt: skip
    """Learn a vocabulary from CORPUS: a corpus folder, or any files and folders of text.

    Every text comes back from its tokens exactly. Transformers loads the folder as it is.

    \b
    daneel tokenizer train corpus/ -o my-tokenizer --vocab-size 8192
    daneel tokenizer train stories/ -o my-tokenizer --vocab-size auto --size 3m
    """
    from daneel.tokenizer.patterns import ggml_pre
    from daneel.tokenizer.texts import stream
    from daneel.tokenizer.train import CHATML, train_tokenizer

    wanted = _vocabulary(vocab_size, size)
    if (out / "config.json").exists():
        raise UsageError(f"{out} is a model, which another tokenizer would spoil: name another folder")
    if out.exists() and any(out.iterdir()) and not (out / "tokenizer.json").exists():
        raise UsageError(f"{out} exists and is not a tokenizer: name another folder, or remove it first")
    template = CHATML if chat_template is None else piped(chat_template)
    with console.status("learning the vocabulary …"):
        found = train_tokenizer(
            stream(paths), out, wanted, model=kind, pattern=pattern, special=special,  # type: ignore[arg-type]
            chat_template=template, min_frequency=min_frequency,
        )  # fmt: skip
    pre = ggml_pre(out)
    if found.vocab_size < wanted:
        console.print(f"{found.vocab_size:,} tokens instead of {wanted:,}: the text has no more pairs that occur "
                      f"{min_frequency} times")  # fmt: skip
    if as_json:
        emit({"tokenizer": str(out), "vocabulary": found.vocab_size, "model": kind, "pattern": pattern,
              "ggml_pre": pre})  # fmt: skip
        return
    click.echo(f"{out}: {found.vocab_size:,} tokens, {kind}, pattern {pattern}")
    console.print(f"llama.cpp knows it as {pre}" if pre else "llama.cpp has no Unigram over bytes: Transformers only")


def _vocabulary(wanted: str, size: str | None) -> int:
    if wanted != "auto":
        if size is not None:
            raise UsageError(f"--vocab-size {wanted} and --size {size} both choose the vocabulary: give one of them")
        if not wanted.isdecimal() or len(wanted) > 20:
            raise UsageError(f"--vocab-size takes a number or auto, not {wanted!r}")
        return int(wanted)
    if size is None:
        raise UsageError("--vocab-size auto needs --size, the model that the vocabulary is for, such as --size 3m")
    from daneel.train.sizes import SIZES, fitted_vocabulary

    if size in SIZES:
        return SIZES[size].vocabulary
    number = size.lower().removesuffix("m")
    if not number.replace(".", "", 1).isdecimal() or not 0.5 <= float(number) <= 100_000:
        raise UsageError(f"--size takes millions of parameters, such as 3m or 25m, not {size!r}")
    return fitted_vocabulary(float(number) * 1e6)


@command.command()
@click.argument("model")
@click.argument("text", required=False)
@click.option("--ids", is_flag=True, help="Show each token's id.")
@json_option
def show(model: str, text: str | None, ids: bool, as_json: bool) -> None:
    """Colour TEXT (or stdin) by the tokens of MODEL: a model's name, a folder with tokenizer.json, a GGUF file.

    A byte that is part of a character shows as ⟨E4⟩. Without colour the tokens stand in ⟦⟧, special ones in ⟪⟫.

    \b
    daneel tokenizer show smollm2 "The year is 2042. 公元2042年。" --ids
    """
    from daneel.tokenizer.show import bracketed, pieces

    tokenizer = _load(model)
    found = pieces(tokenizer, piped() if text is None else readable(text, "TEXT"))
    if as_json:
        emit({
            "model": model,
            "tokens": [
                {"id": p.id, "text": p.text, "bytes": p.bytes.hex(), "special": p.special} for p in found
            ],
        })  # fmt: skip
        return
    out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    if out.is_terminal and not out.no_color:
        line = Text()
        for number, piece in enumerate(found):
            style = "bold reverse" if piece.special else f"#ffffff {_GROUNDS[number % len(_GROUNDS)]}"
            line.append(piece.text.replace("↵\n", "↵"), style)
            if ids:
                line.append(f"{piece.id}", f"dim {style}")
            if piece.text.endswith("\n"):
                line.append("\n")
        out.print(line)
    else:
        click.echo(bracketed(found, ids).removesuffix("\n"))
    size = sum(len(piece.bytes) for piece in found)
    console.print(f"{len(found)} tokens, {size} bytes, {size / max(1, len(found)):.2f} bytes per token")


@command.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL…")
@click.option("--on", "data", multiple=True, type=click.Path(path_type=Path),
              help="Measure on files, folders, or a corpus (its held-out part).  [default: the samples]")  # fmt: skip
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Also write this offline page.")
@json_option
def report(models: tuple[str, ...], data: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """How well the tokenizer of each MODEL fits texts, language by language, beside those at hand.

    GPT-2's, SmolLM2's and Gemma's tokenizers join the comparison once they are pulled.

    \b
    daneel tokenizer report my-tokenizer
    daneel tokenizer report my-tokenizer gpt2-tokenizer --on corpus/ -o tokens.html
    """
    from daneel.run import atomic_write
    from daneel.store.installed import installed
    from daneel.tokenizer import report as reporting
    from daneel.tokenizer.texts import stream

    if data:
        source, texts = ", ".join(map(str, data)), reporting.by_language(stream(data, "heldout"))
    else:
        from daneel.cli.demo import samples

        source, texts = "the samples that come with daneel", reporting.by_language(stream([samples()]))
    here = {each.name for each in installed()}
    names = list(models)
    for other in _OTHERS:
        if other in here and other not in names:
            names.append(other)
        elif other not in names:
            console.print(f"{other} is left out: daneel pull {other}")
    portraits = []
    for name in names:
        with console.status(f"measuring {name} …"):
            portraits.append(reporting.portray(name, _load(name), texts))
    if out is not None:
        atomic_write(out, reporting.page(portraits, source).html())
        console.print(f"{out} written")
    if as_json:
        emit(reporting.summary(portraits, source))
        return
    shown = Console(highlight=False, markup=False)
    brief = _brief(names)
    for tongue in texts:
        shown.print(_table(tongue, reporting.SHORT, brief, reporting.columns(portraits, tongue)))
        shown.print()
    common = [[f"{p.vocabulary:,}" for p in portraits], [f"{p.common_chinese:.1%}" for p in portraits]]
    shown.print(_table("vocabulary", ("tokens", "Chinese whole"), brief, common))
    shown.print()
    for name, portrait in zip(brief, portraits, strict=True):
        longest = "  ".join(f"⟦{token}⟧" for token in portrait.longest)
        shown.print(Text(f"longest of {name}: {longest}"), no_wrap=True, overflow="ellipsis")
    shown.print(_KEY, style="dim")


def _brief(names: Sequence[str]) -> list[str]:
    """The last part of each name, or the whole where two would be the same."""
    last = [Path(name).name for name in names]
    return [short if last.count(short) == 1 else name for name, short in zip(names, last, strict=True)]


def _table(title: str, labels: Sequence[str], names: Sequence[str], columns: Sequence[Sequence[str]]) -> Table:
    """A line a tokenizer, a column a measure: many tokenizers need no more width than few."""
    table = Table(title, box=None, pad_edge=False)
    table.columns[0].overflow = "fold"
    for label in labels:
        table.add_column(label, justify="right", max_width=10)
    for row in zip(names, *columns, strict=True):
        table.add_row(*row)
    return table


@command.command()
@click.argument("model")
@click.option("--on", "data", required=True, multiple=True, type=click.Path(path_type=Path),
              help="Text in the new language: a corpus, files or folders.")  # fmt: skip
@click.option("--add", "count", required=True, type=click.IntRange(min=1), help="New tokens.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The model folder to write.")
@click.option("--keep", multiple=True, type=click.Path(path_type=Path),
              help="Texts whose ids must stay as they are.  [default: all ASCII text]")  # fmt: skip
@click.option("--init", type=click.Choice(["pieces", "mean", "random"]), default="pieces", show_default=True,
              help="New rows: the mean of the pieces a token replaces, the mean of all rows, or random.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="For --init random.")
@json_option
def extend(
    model: str, data: tuple[Path, ...], count: int, out: Path, keep: tuple[Path, ...], init: Any, seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Add tokens of a new language to MODEL: its old ids stay, BPE goes on, the embedding gets more rows.

    Train the result on the language next: the new tokens know only what their pieces knew.

    \b
    daneel tokenizer extend smollm2 --on chinese/ --add 4000 -o smollm2-zh
    daneel train chinese/ --base smollm2-zh
    """
    from daneel.store import resolve
    from daneel.tokenizer.extend import counts
    from daneel.tokenizer.extend import extend as extend_model
    from daneel.tokenizer.load import Tokenizer
    from daneel.tokenizer.texts import stream

    folder = resolve(model)
    if out.exists() and not (out / "config.json").is_file() and any(out.iterdir()):
        raise UsageError(f"{out} exists and is not a model: name another folder, or remove it first")
    if out.resolve() == folder.resolve():
        raise UsageError(f"{out} is the model itself: name another folder")
    before = Tokenizer.load(folder)
    with console.status("learning new tokens …"):
        learned = extend_model(folder, out, stream(data), count, stream(keep) if keep else None, init, seed)
    after = Tokenizer.load(out)
    old, new = counts((before, after), stream(data))
    if len(learned.names) < count:
        console.print(f"{len(learned.names):,} tokens instead of {count:,}: the text has no more that occur twice")
    if as_json:
        emit({"model": str(out), "base": model, "added": len(learned.names), "vocabulary": after.vocab_size,
              "tokens_before": old, "tokens_after": new})  # fmt: skip
        return
    click.echo(f"{out}: {len(learned.names):,} new tokens, {after.vocab_size:,} in all")
    console.print(f"the new text took {old:,} tokens and takes {new:,} now ({(old - new) / max(1, old):.1%} fewer)")


def _load(name: str) -> Any:
    from daneel.store import resolve_tokenizer
    from daneel.tokenizer.load import Tokenizer

    return Tokenizer.load(resolve_tokenizer(name))
