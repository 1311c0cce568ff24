"""`daneel export`: a model in the form another tool wants."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from daneel.cli.common import console, emit, json_option
from daneel.errors import UsageError
from daneel.store.progress import megabytes

if TYPE_CHECKING:  # torch comes with it
    from daneel.export import Target


@click.command(short_help="Write a model as another tool wants it, and compare its logits there.")
@click.argument("model")
@click.option(
    "--to", required=True, type=click.Choice(["hf", "gguf", "ct2"]), help="For Transformers, llama.cpp or CTranslate2."
)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The folder, or the .gguf file.")
@click.option("--dtype", type=click.Choice(["float32", "bfloat16"]), help="For hf: float32 (default) or bfloat16.")
@click.option(
    "--quant", metavar="TYPE",
    help="For gguf: q8_0 (default), q4_1, q4_0, bf16, f32. For ct2: int8 (default), int16, bfloat16, float32.",
)  # fmt: skip
@json_option
def command(model: str, to: "Target", out: Path, dtype: str | None, quant: str | None, as_json: bool) -> None:
    """Write MODEL for Transformers (hf), llama.cpp (gguf) or CTranslate2 (ct2), an adapter merged into its base.

    The other tool then loads it, and its tokens and logits are compared with ours; a result that differs is deleted.

    \b
    daneel export runs/keeper --to gguf --quant q4_1 -o keeper.gguf
    daneel export smollm2 --to hf -o smollm2-hf
    """
    if dtype is not None and to != "hf":
        raise UsageError(f"--dtype goes with --to hf; {to} takes --quant")
    if quant is not None and to == "hf":
        raise UsageError("--quant goes with --to gguf or ct2; hf takes --dtype")
    if to == "gguf" and out.suffix.lower() != ".gguf":
        raise UsageError(f"{out} must end in .gguf, by which llama.cpp's tools know such files: -o {out}.gguf")
    from daneel.export import export

    done = export(model, to, out, dtype or quant, console.print)
    if as_json:
        emit({
            "path": str(done.path), "format": done.format, "quant": done.quant, "bytes": done.bytes,
            "verified_by": done.verified_by, "max_difference": done.max_difference,
            "relative_difference": done.relative_difference,
        })  # fmt: skip
        return
    share = done.relative_difference
    agreed = "" if share is None else f"; {done.verified_by} agrees, logits within {100 * share:.2g} % of their spread"
    console.print(f"{done.path}: {done.quant}, {megabytes(done.bytes)}{agreed}")
