"""`daneel write`: continue a text."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from daneel.cli.common import console, emit, json_option, model_option, piped
from daneel.cli.options import dtype_option, read_sampling, sampling_options
from daneel.errors import DataError, UsageError
from daneel.generate.sampling import Sampled, draw_seed


@click.command()
@click.argument("prompt", required=False)
@model_option
@click.option("-n", "--max-new-tokens", default=200, show_default=True, help="How many tokens at most.")
@click.option("--stop", multiple=True, metavar="TEXT", help="End before this text; may be given again.")
@click.option("--logprobs", is_flag=True, help="Also give each token's log-probability under the model.")
@click.option(
    "--in",
    "source",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A prompt a line; a .jsonl file has them as prompt or text.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where the results of --in go, as JSONL.")
@click.option(
    "--beams", type=click.IntRange(min=1), help="Search the best text with so many beams instead of sampling."
)
@click.option(
    "--n-best", type=click.IntRange(min=1), default=1, show_default=True, help="With --beams: how many texts."
)
@click.option("--length-penalty", default=1.0, show_default=True,
              help="Of --beams: scores are divided by the length to this power.")  # fmt: skip
@click.option("--early-stopping", type=click.Choice(["no", "yes", "never"]), default="no", show_default=True,
              help="Of --beams: yes stops when as many have ended, never only when none can be better.")  # fmt: skip
@dtype_option
@sampling_options
@json_option
def command(
    prompt: str | None,
    model: str,
    max_new_tokens: int,
    stop: tuple[str, ...],
    logprobs: bool,
    source: Path | None,
    out: Path | None,
    beams: int | None,
    n_best: int,
    length_penalty: float,
    early_stopping: str,
    dtype: str,
    as_json: bool,
    **settings: Any,
) -> int:
    """Continue PROMPT as raw text, without a chat template; - reads it from stdin.

    An encoder-decoder writes the target of a source.

    \b
    daneel write "The year is 2042. AI has advanced to the point where"
    daneel write - -n 500 --temperature 1.1 --seed 7 < chapter.txt
    daneel write --in prompts.txt -o continued.jsonl
    daneel write "The robot shows me a star." -m runs/translator --beams 4 --n-best 2
    """
    sampling = read_sampling(settings)
    if (prompt is None) == (source is None):
        raise UsageError("write takes a PROMPT (- for stdin) or --in FILE, one of the two")
    if out is not None and source is None:
        raise UsageError("-o goes with --in FILE; a single text goes to stdout: daneel write PROMPT > FILE")
    if logprobs and source is not None:
        raise UsageError("--logprobs goes with a single PROMPT, not with --in")
    if as_json and source is not None and out is None:
        raise UsageError("--in with --json needs -o FILE for the texts")
    if beams is not None:
        if source is not None or stop or logprobs:
            raise UsageError("--beams searches for a single PROMPT, without --in, --stop and --logprobs")
        early = {"no": False, "yes": True, "never": "never"}[early_stopping]
        search = {"length_penalty": length_penalty, "early_stopping": early, "n_best": n_best}
        text = piped().removesuffix("\n") if prompt == "-" else str(prompt)
        return _search(model, dtype, text, {"beams": beams, "max_new_tokens": max_new_tokens, **search}, as_json)
    given = sampling.seed is not None
    if not given:
        sampling = read_sampling(settings | {"seed": draw_seed()})

    from daneel.lm.base import Generation
    from daneel.lm.load import load

    params = Generation(max_new_tokens, sampling, stop)
    if source is not None:
        records = _read(source)
        return _batch(load(model, dtype), records, params, out, as_json)
    text = piped().removesuffix("\n") if prompt == "-" else str(prompt)
    code = _one(load(model, dtype), text, params, logprobs, as_json)
    if not given and not as_json and sampling.temperature > 0:
        console.print(f"--seed {sampling.seed} writes this again", style="dim")
    return code


def _search(name: str, dtype: str, prompt: str, settings: dict[str, Any], as_json: bool) -> int:
    from daneel.generate.beam import Beams
    from daneel.lm.local import LocalModel
    from daneel.store import resolve

    beams = Beams(**settings)
    model = LocalModel(resolve(name), name, dtype)
    model.warn_if_unfit(prompt)
    (ways,) = model.search([prompt], beams)
    if as_json:
        emit({"model": name, **settings, "texts": [{"text": way.text, "score": round(way.score, 5)} for way in ways]})
    for way in ways if not as_json else []:
        click.echo(way.text if len(ways) == 1 else f"{way.score:9.4f}  {way.text}")
    return 0


def _one(model: Any, prompt: str, params: Any, logprobs: bool, as_json: bool) -> int:
    from daneel.lm.base import Request

    model.warn_if_unfit(prompt)
    backend = model.backend  # reads the weights, which is not the model's time to the first token
    tokens: list[Sampled] = []
    pieces: list[str] = []
    reason = "cancelled"
    if not as_json and sys.stdout.isatty():
        click.secho(prompt, dim=True, nl=False)
    began = time.perf_counter()
    first = last = began
    try:
        for chunk in model.generate([Request(prompt)], params):
            last = time.perf_counter()
            first = last if not tokens else first
            tokens += chunk.tokens
            pieces.append(chunk.text)
            reason = chunk.finish_reason or reason
            if not as_json and chunk.text:
                click.echo(chunk.text, nl=False)
    except KeyboardInterrupt:
        console.print("stopped")
    if not as_json:
        click.echo()
    shown = [_shown(model, sampled) for sampled in tokens] if logprobs else []
    if as_json:
        emit({
            "text": "".join(pieces),
            "model": model.name,
            "backend": backend,
            "prompt_tokens": model.count(prompt),
            "completion_tokens": len(tokens),
            "tokens_per_second": round((len(tokens) - 1) / (last - first), 2) if len(tokens) > 1 else None,
            "time_to_first_token": round(first - began, 4),
            "seed": params.sampling.seed,
            "finish_reason": reason,
            **({"logprobs": shown} if logprobs else {}),
        })  # fmt: skip
    for entry in shown if not as_json else []:
        click.echo(f"{entry['logprob']:9.4f}  {entry['token']!r}")
    return 130 if reason == "cancelled" else 0


def _shown(model: Any, sampled: Sampled) -> dict[str, Any]:
    data: bytes = model.token_bytes(sampled.token)
    return {
        "token": data.decode("utf-8", "replace"), "id": sampled.token, "bytes": list(data),
        "logprob": round(sampled.logprob, 5),
    }  # fmt: skip


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 at byte {error.start}: convert it first") from None
    records: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if path.suffix != ".jsonl":
            records.append({"prompt": line})
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict) or not isinstance(record.get("prompt", record.get("text")), str):
            raise DataError(f"{path}:{number} is not a JSON object with a prompt or text")
        records.append({**record, "prompt": record.get("prompt", record.get("text"))})
    if not records:
        raise DataError(f"{path} holds no prompt")
    return records


def _batch(model: Any, records: list[dict[str, Any]], params: Any, out: Path | None, as_json: bool) -> int:
    from daneel.lm.base import Request
    from daneel.run import atomic_write

    model.warn_if_unfit("".join(record["prompt"] for record in records))
    backend = model.backend
    began = time.perf_counter()
    with console.status(f"{len(records)} prompts"):
        answers = model.complete([Request(record["prompt"]) for record in records], params)
    seconds = time.perf_counter() - began
    written = sum(len(answer.tokens) for answer in answers)
    lines = [
        json.dumps(
            {
                **record, "text": answer.text, "prompt_tokens": model.count(record["prompt"]),
                "completion_tokens": len(answer.tokens), "seed": params.sampling.seed,
                "finish_reason": answer.finish_reason,
            },
            ensure_ascii=False,
        )
        for record, answer in zip(records, answers, strict=True)
    ]  # fmt: skip
    text = "\n".join(lines) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        atomic_write(out, text)
    rate = round(written / seconds, 2)
    if as_json:
        emit({
            "texts": len(records), "out": str(out), "model": model.name, "backend": backend,
            "completion_tokens": written, "tokens_per_second": rate, "seed": params.sampling.seed,
        })  # fmt: skip
    else:
        console.print(f"{len(records)} texts, {written} tokens, {rate} tokens/s, seed {params.sampling.seed}")
    return 0
