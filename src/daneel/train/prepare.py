"""From a folder or a file of records to packed rows, a base model and its tokenizer."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from daneel.config import TrainConfig
from daneel.corpus.build import build, read_corpus, read_manifest
from daneel.corpus.document import Document
from daneel.corpus.read import is_corpus
from daneel.corpus.records import Record, is_records, read_records
from daneel.data.encode import encode
from daneel.data.packing import Shards, write_shards
from daneel.errors import DataError, ModelError
from daneel.formats.families import llama
from daneel.model.init import new_model
from daneel.store import resolve
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.train import train_tokenizer
from daneel.train.objectives import causal, chat
from daneel.train.save import save_fresh
from daneel.train.sizes import scratch_config, vocabulary

SCRATCH = "scratch"


@dataclass(frozen=True)
class Source:
    """What is learned from: documents of a corpus, or conversations."""

    train: Sequence[Document] | Sequence[Record]
    heldout: Sequence[Document] | Sequence[Record]
    corpus: Path | None
    notes: list[str] = field(default_factory=list)
    """What the user should know: what was dropped, and how it was split."""

    @property
    def documents(self) -> tuple[list[Document], list[Document]] | None:
        """Training and held-out documents; None for conversations."""
        if not self.train or isinstance(self.train[0], Record):
            return None
        return [d for d in self.train if isinstance(d, Document)], [d for d in self.heldout if isinstance(d, Document)]

    def texts(self) -> Iterable[str]:
        """All training text, for a vocabulary."""
        for item in self.train:
            if isinstance(item, Document):
                yield item.text
            else:
                yield item.text or "\n".join(m.get("content") or "" for m in item.messages or [])


def read_source(data: Sequence[Path], corpus: Path, seed: int, heldout: float) -> Source:
    """Conversations from records, or a corpus: one that is built already, or built here at `corpus`."""
    if all(is_records(path) and not is_corpus(path) for path in data):
        records = [record for path in data for record in read_records(path)]
        random.Random(seed).shuffle(records)  # noqa: S311
        count = round(len(records) * heldout)
        if heldout and not 0 < count < len(records):
            raise DataError(
                f"{', '.join(map(str, data))} has {len(records)} records: too few to hold some out; "
                "give more, or --heldout 0"
            )
        note = f"{len(records) - count} records to learn from, {count} held out"
        return Source(records[count:], records[:count], None, [note])
    if len(data) == 1 and is_corpus(data[0]):
        corpus = data[0]
        if read_manifest(corpus)["kind"] != "documents":
            parts = [list(read_records(corpus / f"{part}.jsonl")) for part in ("train", "heldout")]
            note = f"{len(parts[0])} records to learn from, {len(parts[1])} held out"
            return Source(parts[0], parts[1], corpus, [note])
    else:
        build(data, corpus, seed=seed, heldout=heldout)
    built = read_corpus(corpus)
    manifest = built.manifest
    notes = [
        f"{len(built.train)} texts to learn from, {len(built.heldout)} held out ({manifest['split']['how']})",
        *[f"left out {each['source']}: {each['reason']}" for each in manifest["dropped"][:5]],
    ]
    if len(manifest["dropped"]) > 5:
        more = manifest["lost"] - sum(each.get("rows", 1) for each in manifest["dropped"][:5])
        notes.append(f"… and {more:,} more, listed in {built.folder / 'manifest.json'}")
    return Source(built.train, built.heldout, built.folder, notes)


def base_model(name: str, size: str, source: Source, fresh: Path, config: TrainConfig) -> Path:
    """The folder of the model to start from; `scratch` makes a new one, and its vocabulary, at `fresh`."""
    if name != SCRATCH:
        folder = resolve(name)
        if not (folder / "config.json").is_file():
            raise ModelError(f"{name} is an adapter: train it with --merge to go on from it, or name its base")
        return folder
    tokenizer = train_tokenizer(source.texts(), fresh.with_name("tokenizer"), vocabulary(size))
    settings = scratch_config(size, tokenizer, max(1024, config.length))
    model = new_model(llama.architecture(settings), config.seed)
    save_fresh(fresh, model, settings, fresh.with_name("tokenizer"))
    return fresh


def pack(source: Source, tokenizer: Tokenizer, folder: Path, length: int) -> tuple[Shards, Shards | None]:
    """Packed training and held-out rows under `folder`."""
    parts: list[Shards] = []
    for name, items in (("train", source.train), ("heldout", source.heldout)):
        if not items:
            continue
        records = [item for item in items if isinstance(item, Record)]
        texts = [item.text for item in items if isinstance(item, Document)]
        documents = chat(tokenizer, records) if records else causal(tokenizer, encode(texts, tokenizer))
        parts.append(write_shards(documents, folder / name, length, whole=bool(records)))
    return parts[0], parts[1] if len(parts) > 1 else None


def open_shards(folder: Path) -> tuple[Shards, Shards | None]:
    """The rows that `pack` wrote."""
    heldout = folder / "heldout"
    return Shards(folder / "train"), Shards(heldout) if heldout.exists() else None


def packing_notes(train: Shards) -> list[str]:
    """What packing cut or left empty."""
    meta = train.meta
    notes = [f"{meta.tokens:,} tokens in {meta.rows:,} rows of {meta.length}"]
    if meta.cut_documents:
        notes.append(
            f"{meta.cut_documents} conversations are longer than a row and lost {meta.cut_tokens} tokens at their end"
        )
    if meta.no_loss:
        notes.append(f"{meta.no_loss} conversations were left out: their question alone fills a row (raise --length)")
    if meta.padding:
        notes.append(f"{train.padding_share:.1%} of the places stay empty, since conversations are not cut")
    return notes
