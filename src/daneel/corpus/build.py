"""A corpus folder from files: the documents, what became of everything read, and a card."""

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from daneel.corpus.canaries import beside, forget, plant
from daneel.corpus.card import corpus_card
from daneel.corpus.divide import PARTS, Division, divide
from daneel.corpus.document import Document
from daneel.corpus.engine import Engine, engine
from daneel.corpus.excerpt import excerpts
from daneel.corpus.facts import facts
from daneel.corpus.index_build import write_index
from daneel.corpus.page import corpus_page
from daneel.corpus.pipeline import Batch, Loss, Watch, described, merged, process, read_rows
from daneel.corpus.read import is_corpus, plan
from daneel.corpus.recipe import Recipe, load_recipe
from daneel.corpus.split import Unit
from daneel.corpus.step import JointStep
from daneel.corpus.write import SCHEMA, write_parts
from daneel.errors import DataError, UsageError
from daneel.run import atomic_dir, atomic_write

# `manifest.json` names so many of what was dropped; `manifest.parquet` names all.
_LISTED = 1000
VERSION = 2
# What others read of a manifest.
_FORM = {
    **dict.fromkeys(("recipe", "split", "languages", "licences", "authors", "sources", "counts"), dict),
    **dict.fromkeys(("seed", "read", "kept", "lost", "canaries"), int),
    **dict.fromkeys(("dropped", "steps"), list),
    "kind": str,
}
# Bytes of sources below which other processes cost more than they save.
ALONE = 4 << 20


@dataclass(frozen=True)
class Corpus:
    """A corpus on disk, read."""

    folder: Path
    train: list[Document]
    heldout: list[Document]
    manifest: dict[str, Any]
    """What was read, kept and dropped, with counts and examples; `manifest.json`."""


def build(
    paths: Sequence[str | Path],
    out: Path,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    heldout: float = 0.1,
    split_by: Unit = "auto",
    processes: int = 1,
    kind: Engine = "processes",
    alone: int = ALONE,
    canaries: int = 0,
    watch: Watch = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Read, clean and split the texts of `paths` into the corpus folder `out`; gives the manifest.

    The same sources and settings give the same bytes, whatever `processes` and `kind`; sources of fewer than `alone`
    bytes are read in one process. Memory holds a batch of about a million characters a process, or one longer document
    (of `read.part_bytes` at most), with what a step makes of it, and some numbers a document. Raises DaneelError.
    """
    if not 0 <= heldout <= 0.5:
        raise UsageError(f"a held-out share of {heldout} makes no sense: give 0 to 0.5, such as 0.1")
    if out.exists() and not is_corpus(out) and (out.is_file() or any(out.iterdir())):
        raise UsageError(f"{out} exists and is not a corpus: name another folder, or remove it first")
    recipe = recipe or load_recipe("default")
    with atomic_dir(out) as folder:
        scratch = folder / "scratch"
        scratch.mkdir()
        items = list(plan(paths, recipe.reading, scratch, recipe.kind, recipe.languages))
        few = kind == "processes" and sum(getattr(item, "size", 0) for item in items) < alone
        with engine(kind, 1 if few else processes) as run:
            batches = process(items, recipe.steps, scratch, run, watch, recipe.hidden)
        if not any(batch.sizes for batch in batches):
            losses = [loss for batch in batches for loss in batch.losses]
            reasons = "; ".join(f"{loss.source}: {loss.reason}" for loss in losses[:3])
            raise DataError(f"no usable text in {', '.join(map(str, paths))} ({reasons or 'no files'})")
        watch("splitting", 0, 1)
        division = divide(batches, heldout, seed, split_by, recipe.kind)
        secrets = plant(canaries, seed, _identity(batches), _learned(division, recipe)) if canaries else None
        watch("writing", 0, 1)
        written = write_parts(folder, recipe.kind, division, batches, secrets)
        if recipe.kind == "documents":
            write_index(documents(folder, "train"), folder / "index")
        manifest = {
            "format": "daneel-corpus",
            "version": VERSION,
            "kind": recipe.kind,
            "recipe": {"name": recipe.name, **recipe.settings()},
            "seed": seed,
            "heldout": heldout,
            "split": {
                "unit": division.unit,
                "how": division.how,
                "passages": division.passages,
                "shared": division.shared,
            },
            "read": sum(batch.read for batch in batches),
            "kept": sum(len(batch.sizes) for batch in batches),
            **_lost(batches),
            "steps": described(recipe.steps, merged(batches)),
            "languages": dict(Counter(code for batch in batches for code in batch.languages).most_common()),
            "licences": dict(written.licences.most_common()),
            "authors": dict(written.authors.most_common(_LISTED)),
            "sources": dict(written.sources.most_common(_LISTED)),
            "counts": written.counts,
            "canaries": 0 if secrets is None else len(secrets.canaries),
        }
        found, sample = facts(batches), excerpts([document for _, document in written.sample])
        for name, text in {
            "manifest.json": json.dumps(manifest, ensure_ascii=False, indent=2),
            "statistics.json": json.dumps(found, ensure_ascii=False, indent=2),
            "card.md": corpus_card(manifest, found, sample),
            "report.html": corpus_page("Corpus card", manifest, found, sample),
        }.items():
            (folder / name).write_text(text, "utf-8")
        shutil.rmtree(scratch)
    if secrets:
        atomic_write(beside(out), secrets.record())
    else:
        forget(out)
    return manifest


def read_corpus(folder: Path) -> Corpus:
    """A corpus that `build` wrote, its texts in memory. Raises DataError."""
    manifest = read_manifest(folder)
    if manifest["kind"] != "documents":
        raise DataError(f"{folder} is a corpus of {manifest['kind']}, not of texts: name {folder}/train.jsonl")
    try:
        train, heldout = (
            [Document(**row) for row in pq.read_table(folder / f"{part}.parquet", schema=SCHEMA).to_pylist()]
            for part in PARTS
        )
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{folder} is damaged ({error}): build it again") from None
    return Corpus(folder, train, heldout, manifest)


def documents(folder: Path, part: str) -> Iterator[list[Document]]:
    """The documents of `train` or `heldout`, a batch at a time."""
    with pq.ParquetFile(folder / f"{part}.parquet") as file:
        for group in range(file.num_row_groups):
            yield [Document(**row) for row in file.read_row_group(group).to_pylist()]


def read_manifest(folder: Path) -> dict[str, Any]:
    """What `manifest.json` of a corpus says. Raises DataError."""
    if not is_corpus(folder):
        raise DataError(f"{folder} is not a corpus: build one with `daneel corpus build PATH -o {folder}`")
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    if manifest.get("version") != VERSION or not all(
        isinstance(manifest.get(key), form) for key, form in _FORM.items()
    ):
        raise DataError(f"{folder}/manifest.json is damaged or of another version of daneel: build the corpus again")
    return manifest


def clean(paths: Sequence[str | Path]) -> tuple[list[Document], list[Loss]]:
    """The documents of the paths as the default recipe's local steps leave them, and what could not be used."""
    recipe = load_recipe("default")
    steps = [step for step in recipe.steps if not isinstance(step, JointStep)]
    with tempfile.TemporaryDirectory() as name, engine("processes", 1) as run:
        scratch = Path(name)
        batches = process(plan(paths, recipe.reading, scratch), steps, scratch, run)
        documents = [row.document for batch in batches for row in read_rows(batch.path)]
    return documents, [loss for batch in batches for loss in batch.losses]


def _learned(division: Division, recipe: Recipe) -> list[tuple[int, str]]:
    """Words of each training document, and the language that is learned: of pairs the target's."""
    pairs = recipe.kind == "pairs"
    return [(size, code.rpartition("-")[2] if pairs else code) for size, code in division.training()]


def _identity(batches: Sequence[Batch]) -> str:
    """A hash of what the corpus is made of."""
    keys = np.array([key for batch in batches for key in batch.keys], np.uint64)
    return hashlib.sha256(keys.tobytes()).hexdigest()


def _lost(batches: Sequence[Batch]) -> dict[str, Any]:
    losses = [loss for batch in batches for loss in batch.losses]
    return {"lost": sum(loss.rows for loss in losses), "dropped": [asdict(loss) for loss in losses[:_LISTED]]}
