"""From a folder or a file of records to packed rows, a base model and its tokenizer."""

import json
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from daneel.config import TrainConfig
from daneel.corpus.build import build, read_corpus, read_manifest
from daneel.corpus.document import Document
from daneel.corpus.read import is_corpus
from daneel.corpus.records import Kind, Record, is_records, read_records
from daneel.data.encode import byte_counts, encode
from daneel.data.packing import Array, Mixture, Shards, write_shards
from daneel.data.packing import Document as Packable
from daneel.errors import DataError, ModelError, UsageError
from daneel.formats.families import FAMILIES
from daneel.formats.hf import read_architecture, read_config, read_labels
from daneel.model.init import new_model
from daneel.model.load import load_model
from daneel.run import atomic_write
from daneel.store import resolve
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.train import train_tokenizer
from daneel.train.objectives import (
    SENTINELS,
    causal,
    chat,
    labelled,
    pairs,
    preferences,
    reference,
    sentinels,
    span_sizes,
    spans,
)
from daneel.train.save import GENERATION, save_classifier, save_fresh
from daneel.train.sizes import PAIR_SHAPES, pair_config, pair_sizes, scratch_config, sizes

SCRATCH = "scratch"
# A step too long in preferences unlearns what the model could: TRL's default for a full model is lower still.
PREFERENCE_LR = {"lora": 1e-4, "full": 5e-6}


@dataclass(frozen=True)
class Source:
    """What is learned from: documents of a corpus, or records of one kind."""

    train: Sequence[Document] | Sequence[Record]
    heldout: Sequence[Document] | Sequence[Record]
    corpus: Path | None
    notes: list[str] = field(default_factory=list)
    """What the user should know: what was dropped, and how it was split."""
    mixture: Sequence["Source"] = ()
    """Where sources have weights, each alone."""
    weights: Sequence[float] = ()

    @property
    def documents(self) -> tuple[list[Document], list[Document]] | None:
        """Training and held-out documents; None for records."""
        if not self.train or isinstance(self.train[0], Record):
            return None
        return [d for d in self.train if isinstance(d, Document)], [d for d in self.heldout if isinstance(d, Document)]

    @property
    def kind(self) -> Kind | Literal["documents"]:
        """What is learned together."""
        return self.train[0].kind if self.train and isinstance(self.train[0], Record) else "documents"

    @property
    def pairs(self) -> bool:
        """Whether these are pairs."""
        return self.kind == "pairs"

    @property
    def labels(self) -> list[str]:
        """What texts are, in order: numbers by their size, names by the alphabet."""
        found = {item.label for item in (*self.train, *self.heldout) if isinstance(item, Record) and item.label}
        return sorted(found, key=lambda label: (int(label), "") if label.isdecimal() else (sys.maxsize, label))

    def texts(self) -> Iterable[str]:
        """All training text, for a vocabulary."""
        for item in self.train:
            if isinstance(item, Document):
                yield item.text
            elif item.source is not None:
                yield item.source
                yield item.target or ""
            else:
                yield item.text or "\n".join(m.get("content") or "" for m in item.messages or [])


def read_mixture(data: Sequence[Path], weights: Sequence[float], seed: int, heldout: float) -> Source:
    """Records of several sources, each with a part held out and a weight."""
    for path in data:
        if not (read_manifest(path)["kind"] != "documents" if is_corpus(path) else is_records(path)):
            raise UsageError(f"{path} holds no records: only they have weights; folders of text make one corpus")
    sources = [read_source([path], path, seed, heldout) for path in data]
    train = [record for source in sources for record in _records(source.train)]
    held = [record for source in sources for record in _records(source.heldout)]
    _same_kind(train + held)
    notes = [
        f"{path.name}: {source.notes[0]}, {weight / sum(weights):.0%} of what is read"
        for path, source, weight in zip(data, sources, weights, strict=True)
    ]
    return Source(train, held, None, notes=notes, mixture=sources, weights=weights)


def _records(items: Sequence[Document] | Sequence[Record]) -> list[Record]:
    return [item for item in items if isinstance(item, Record)]


def read_source(data: Sequence[Path], corpus: Path, seed: int, heldout: float) -> Source:
    """Records, or a corpus: one that is built already, or built here at `corpus`."""
    if all(is_records(path) and not is_corpus(path) for path in data):
        records = [record for path in data for record in read_records(path)]
        _same_kind(records)
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


def resolve_teacher(name: str, kind: str, config: TrainConfig) -> Path:
    """The folder of a model to learn from. Raises DaneelError where it cannot teach."""
    if kind in ("preferences", "labels"):
        raise UsageError(f"--teacher is for texts, conversations and pairs, not for {kind}: leave it out")
    if config.label_smoothing:
        raise UsageError("--label-smoothing spreads what --teacher tells better: leave one of them out")
    folder = resolve(name)
    if not (folder / "config.json").is_file():
        raise ModelError(f"--teacher {name} is an adapter: write it whole with --merge")
    if read_architecture(folder).labels:
        raise ModelError(f"--teacher {name} tells labels apart and writes no text: name a language model")
    return folder.resolve()


def require_alike(base: Path, teacher: Path, length: int) -> None:
    """Raises ModelError unless a teacher reads what the base reads, token for token."""
    ours, theirs = read_architecture(base), read_architecture(teacher)
    if not Tokenizer.load(base).alike(Tokenizer.load(teacher)):
        raise ModelError(
            f"--teacher {teacher.name} has another vocabulary than {base.name}: only probabilities of the same tokens "
            "can be compared; --base scratch takes the teacher's"
        )
    if bool(ours.encoder_layers) != bool(theirs.encoder_layers):
        raise ModelError(f"--teacher {teacher.name} and {base.name} differ in shape: one has an encoder")
    if theirs.context < length:
        raise ModelError(f"--length is {length}, but --teacher {teacher.name} reads at most {theirs.context} tokens")


def base_model(
    name: str, size: str, shape: str, source: Source, fresh: Path, config: TrainConfig, teacher: Path | None = None
) -> Path:
    """The folder of the model to start from; `scratch` makes a new one at `fresh`, with the teacher's vocabulary or one
    of its own."""
    if name != SCRATCH:
        folder = resolve(name)
        if not (folder / "config.json").is_file():
            raise ModelError(f"{name} is an adapter: train it with --merge to go on from it, or name its base")
        return _classifier(name, folder, source, fresh, config) if source.kind == "labels" else folder
    assert config.length is not None
    if source.kind in ("preferences", "labels"):
        raise UsageError(f"{source.kind} are learned by a model that knows its language already: name it with --base")
    # The first is what `auto` makes.
    fitting = {"pairs": PAIR_SHAPES, "documents": ("llama", "t5")}.get(source.kind, ("llama",))
    shape = fitting[0] if shape == "auto" else shape
    if shape not in fitting:
        raise UsageError(f"--shape {shape} does not learn {source.kind}: give {' or '.join(fitting)}")
    context = max(1024, config.length)
    folder = fresh.with_name("tokenizer")
    encoder = shape in PAIR_SHAPES
    wanted = pair_sizes(size) if encoder else sizes(size)
    special = SENTINELS if encoder and not source.pairs else ()
    if teacher is None:
        tokenizer = train_tokenizer(source.texts(), folder, wanted.vocabulary, encoder=encoder, special=special)
    else:
        tokenizer = Tokenizer.load(teacher)
        tokenizer.save(folder)
        atomic_write(folder / GENERATION, json.dumps({"eos_token_id": list(tokenizer.eos)}))
    make = partial(pair_config, shape) if encoder else scratch_config
    settings = make(wanted, tokenizer, context)
    model = new_model(FAMILIES[settings["model_type"]].architecture(settings), config.seed)
    save_fresh(fresh, model, settings, folder)
    return fresh


def _classifier(name: str, base: Path, source: Source, fresh: Path, config: TrainConfig) -> Path:
    """A base with a head for the labels; one that has a head already, if that knows them all."""
    arch, labels = read_architecture(base), source.labels
    if len(labels) < 2:
        raise DataError(f"every text has the label {labels[0]}: to tell labels apart takes two or more")
    if len(labels) > arch.vocab_size:
        raise DataError(f"{len(labels)} labels are more than {name} has tokens: a label is a class, not a text")
    if arch.labels:
        known = read_labels(read_config(base))
        if unknown := [label for label in labels if label not in known]:
            raise ModelError(f"{name} tells apart {', '.join(known)}, not {unknown[0]}: start from its base")
        return base
    if arch.encoder_layers:
        raise UsageError(f"{name} is an encoder-decoder: labels are told apart by a decoder alone, such as smollm2")
    save_classifier(fresh, base, labels, config.seed)
    return fresh


def _same_kind(records: list[Record]) -> None:
    for record in records:
        if record.kind != records[0].kind:
            raise DataError(
                f"{record.where}: {records[0].kind} and {record.kind} cannot be learned together; give them apart"
            )


def documents(
    kind: str, tokenizer: Tokenizer, records: Iterable[Record], start: int, labels: Sequence[str] = ()
) -> Iterator[Packable]:
    """What is packed of records of one kind; `start` begins the targets of pairs, `labels` are those of the head."""
    if kind == "pairs":
        return pairs(tokenizer, records, start)
    if kind == "labels":
        return labelled(tokenizer, records, labels)
    return preferences(tokenizer, records) if kind == "preferences" else chat(tokenizer, records)


def pack(source: Source, base: Path, folder: Path, config: TrainConfig) -> tuple[Shards, Shards | None]:
    """Packed training and held-out rows for a base, under `folder`."""
    assert config.length is not None
    parts: list[Shards] = []
    length, more = config.length, None
    if source.kind == "preferences":
        more = reference(load_model(base, config.dtype), config.rows)
    tokenizer, arch, labels = Tokenizer.load(base), read_architecture(base), read_labels(read_config(base))
    sizes: Array | None = byte_counts(tokenizer)
    made: Iterable[Packable] | Mixture
    if source.mixture:
        sizes = None  # bits per byte would be those of all rows, not of what is read

    def records(items: Sequence[Document] | Sequence[Record]) -> Iterator[Packable]:
        return documents(source.kind, tokenizer, _records(items), arch.start, labels)

    for name, items in (("train", source.train), ("heldout", source.heldout)):
        if not items:
            continue
        texts = encode((item.text for item in items if isinstance(item, Document)), tokenizer)
        if source.kind == "documents" and arch.encoder_layers:
            target = span_sizes(length, len(sentinels(tokenizer)))[1]
            made = spans(tokenizer, texts, arch.start, length, config.seed)
            # Bits per byte would be those of the gaps alone.
            parts.append(write_shards(made, folder / name, target - 1, whole=True, source=length))
            continue
        if source.kind == "documents":
            made = causal(tokenizer, texts)
        elif source.mixture:
            apart = [part.train if name == "train" else part.heldout for part in source.mixture]
            made = Mixture([records(some) for some in apart], source.weights)
        else:
            made = records(items)
        whole = source.kind != "documents"
        parts.append(write_shards(made, folder / name, length, whole=whole, sizes=sizes, more=more))
    return parts[0], parts[1] if len(parts) > 1 else None


def open_shards(folder: Path) -> tuple[Shards, Shards | None]:
    """The rows that `pack` wrote."""
    heldout = folder / "heldout"
    return Shards(folder / "train"), Shards(heldout) if heldout.exists() else None


def packing_notes(train: Shards, kind: str) -> list[str]:
    """What packing cut or left empty."""
    meta, kind = train.meta, "texts" if kind == "labels" else kind
    notes = [f"{meta.tokens:,} tokens in {meta.rows:,} rows of {meta.length}"]
    if meta.cut_documents:
        notes.append(
            f"{meta.cut_documents} {kind} are longer than a row and lost {meta.cut_tokens} tokens at their end"
        )
    if meta.too_long:
        what = "both answers together are" if kind == "preferences" else "a side is"
        notes.append(f"{meta.too_long} {kind} were left out: {what} longer than a row (raise --length)")
    if meta.no_loss:
        notes.append(f"{meta.no_loss} conversations were left out: their question alone fills a row (raise --length)")
    if meta.padding:
        notes.append(f"{train.padding_share:.1%} of the places stay empty, since nothing is cut to fill them")
    return notes
