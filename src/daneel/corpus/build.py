"""A corpus folder from files: the documents, what became of everything read, and a card."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from daneel.corpus.clean import clean, name
from daneel.corpus.dedup import drop_duplicates
from daneel.corpus.document import Document, digest, language, words
from daneel.corpus.read import Dropped, Raw, is_corpus, read
from daneel.corpus.split import Split, Unit, split
from daneel.errors import DataError, UsageError
from daneel.run import atomic_dir

_FIELDS = ("text", "source", "title", "author", "language", "licence", "sha256")
_SCHEMA = pa.schema([(field, pa.string()) for field in _FIELDS])
_EXAMPLES = 3


@dataclass(frozen=True)
class Corpus:
    """A corpus on disk, read."""

    folder: Path
    train: list[Document]
    heldout: list[Document]
    manifest: dict[str, Any]
    """What was read, kept and dropped, with counts and examples; `manifest.json`."""


def build(paths: list[Path], out: Path, *, seed: int = 0, heldout: float = 0.1, split_by: Unit = "auto") -> Corpus:
    """Read, clean, deduplicate and split the texts below `paths` into the corpus folder `out`."""
    if not 0 <= heldout <= 0.5:
        raise UsageError(f"a held-out share of {heldout} makes no sense: give 0 to 0.5, such as 0.1")
    if out.exists() and not is_corpus(out) and (out.is_file() or any(out.iterdir())):
        raise UsageError(f"{out} exists and is not a corpus: name another folder, or remove it first")
    documents, rows, dropped, fixes = _documents(paths)
    documents, same = drop_duplicates(documents)
    dropped += same
    if not documents:
        reasons = "; ".join(f"{each.source}: {each.reason}" for each in dropped[:3])
        raise DataError(f"no usable text in {', '.join(map(str, paths))} ({reasons or 'no files'})")
    parts = split(documents, heldout, seed, split_by)
    manifest = {
        "format": "daneel-corpus",
        "version": 1,
        "seed": seed,
        "heldout": heldout,
        "split": {"unit": parts.unit, "how": parts.reason},
        "read": len(documents) + len(dropped),
        "kept": len(documents),
        "dropped": [asdict(each) for each in dropped],
        "fixes": fixes,
        "languages": dict(Counter(document.language for document in documents).most_common()),
        "counts": {"train": _counts(parts.train), "heldout": _counts(parts.heldout)},
        "files": [rows[document.source] for document in documents],
    }
    with atomic_dir(out) as folder:
        _write(folder / "train.parquet", parts.train)
        _write(folder / "heldout.parquet", parts.heldout)
        pq.write_table(_manifest_rows(parts), folder / "manifest.parquet", compression="zstd")
        (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2), "utf-8")
        (folder / "card.md").write_text(_card(documents, manifest), "utf-8")
    return Corpus(out, parts.train, parts.heldout, manifest)


def read_corpus(folder: Path) -> Corpus:
    """A corpus that `build` wrote."""
    if not is_corpus(folder):
        raise DataError(f"{folder} is not a corpus: build one with `daneel corpus build PATH -o {folder}`")
    try:
        train, heldout = (
            [Document(**row) for row in pq.read_table(folder / f"{part}.parquet", schema=_SCHEMA).to_pylist()]
            for part in ("train", "heldout")
        )
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{folder} is damaged ({error}): build it again") from None
    return Corpus(folder, train, heldout, json.loads((folder / "manifest.json").read_text("utf-8")))


def _documents(
    paths: list[Path],
) -> tuple[list[Document], dict[str, dict[str, Any]], list[Dropped], dict[str, Any]]:
    """Documents, what is known of each one's reading, what was dropped, and repairs with examples."""
    documents, dropped = [], []
    rows: dict[str, dict[str, Any]] = {}
    fixes: dict[str, dict[str, Any]] = {}
    for raw in read(paths):
        if isinstance(raw, Dropped):
            dropped.append(raw)
            continue
        cleaned = clean(raw.text)
        if not cleaned.text.strip():
            dropped.append(Dropped(raw.source, "empty"))
            continue
        done = cleaned.fixes | ({"wrong bytes replaced": raw.note} if raw.note else {})
        for kind, example in done.items():
            entry = fixes.setdefault(kind, {"documents": 0, "examples": []})
            entry["documents"] += 1
            if len(entry["examples"]) < _EXAMPLES:
                entry["examples"].append({"source": raw.source, "example": example})
        document = _document(raw, cleaned.text, cleaned.title, cleaned.author)
        documents.append(document)
        rows[raw.source] = {
            "source": raw.source,
            "title": document.title,
            "bytes": raw.bytes,
            "encoding": raw.encoding,
            "language": document.language,
            "words": words(document.text),
            "fixes": list(done),
        }
    return documents, rows, dropped, fixes


def _document(raw: Raw, text: str, title: str, author: str) -> Document:
    first, by = name(text, raw.stem)
    return Document(
        text=text,
        source=raw.source,
        title=raw.about.get("title") or title or first,
        author=raw.about.get("author") or author or by,
        language=raw.about.get("language") or language(text),
        licence=raw.about.get("licence", ""),
        sha256=digest(text),
    )


def _counts(documents: list[Document]) -> dict[str, int]:
    return {
        "documents": len(documents),
        "words": sum(words(document.text) for document in documents),
        "characters": sum(len(document.text) for document in documents),
        "bytes": sum(len(document.text.encode()) for document in documents),
    }


def _write(path: Path, documents: list[Document]) -> None:
    pq.write_table(pa.Table.from_pylist(list(map(asdict, documents)), _SCHEMA), path, compression="zstd")


def _manifest_rows(parts: Split) -> pa.Table:
    rows = [
        {key: value for key, value in asdict(document).items() if key != "text"}
        | {"split": part, "words": words(document.text), "characters": len(document.text)}
        for part, documents in (("train", parts.train), ("heldout", parts.heldout))
        for document in documents
    ]
    return pa.Table.from_pylist(rows)


def _card(documents: list[Document], manifest: dict[str, Any]) -> str:
    counts = manifest["counts"]
    licences = Counter(document.licence or "not stated" for document in documents)
    authors = Counter(document.author for document in documents if document.author)
    reasons = Counter(each["reason"].split(":")[0] for each in manifest["dropped"])
    repairs = {kind: fix["documents"] for kind, fix in manifest["fixes"].items()}
    lines = [
        "# Corpus",
        "",
        f"{manifest['kept']} documents, {manifest['split']['how']}.",
        "",
        "| part | documents | words | characters |",
        "|---|--:|--:|--:|",
        *(
            f"| {part} | {count['documents']:,} | {count['words']:,} | {count['characters']:,} |"
            for part, count in counts.items()
        ),
        "",
        "A Chinese character counts as a word.",
        "",
        f"- languages: {_listed(manifest['languages'])}",
        f"- licences: {_listed(licences)}",
        f"- authors: {_listed(authors) or 'not stated'}",
        f"- dropped: {_listed(reasons) or 'nothing'}",
        f"- repaired: {_listed(repairs) or 'nothing'}",
        "",
        "Every file, with the reason where it was dropped, is in `manifest.json`; a row per document in",
        "`manifest.parquet`; the texts in `train.parquet` and `heldout.parquet`.",
        "",
    ]
    return "\n".join(lines)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{key} ({count})" for key, count in counts.items())
