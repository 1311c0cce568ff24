"""Documents through the steps of a recipe, batch by batch, in any number of processes.

Local steps follow one another in one pass over the batches. A joint step ends a pass: at its end every batch is
summarised, the summaries are decided upon, and the next pass begins with the verdicts. Between passes the batches lie
on disk, so memory holds one batch a process whatever the size of the corpus.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from daneel.corpus.document import Document, digest
from daneel.corpus.fields import part
from daneel.corpus.identify import language
from daneel.corpus.naming import name
from daneel.corpus.overlap import summarised
from daneel.corpus.read import Dropped, Item, Raw, load
from daneel.corpus.statistics import Statistics, measure
from daneel.corpus.step import Arrays, JointStep, LocalStep, Result, Run, Step
from daneel.corpus.words import Words, mix

# A task is files of about so many bytes; a batch at most about so many characters, or one document.
TASK_BYTES = 1 << 20
BATCH_CHARACTERS = 1 << 20
EXAMPLES = 3
READING = "read"
Watch = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""
T = TypeVar("T")


@dataclass(frozen=True)
class Loss:
    """Something that was read and is not in the corpus."""

    source: str
    step: str
    reason: str
    example: str = ""
    """What of it was the reason, in a few words."""
    rows: int = 1
    """How many rows of a file this tells of."""


@dataclass
class Tally:
    """How many documents a step changed or dropped in one way."""

    dropped: bool
    documents: int = 0
    times: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)

    def add(self, documents: int, times: int, examples: Iterable[dict[str, str]]) -> None:
        """Count more of the same."""
        self.documents += documents
        self.times += times
        self.examples += list(examples)[: EXAMPLES - len(self.examples)]


Tallies = dict[tuple[str, str], Tally]
"""By step and what it did."""


@dataclass
class Batch:
    """Documents on disk after a pass, and what happened to those that were read for it."""

    path: Path
    sizes: list[int] = field(default_factory=list)
    """Words of each document."""
    languages: list[str] = field(default_factory=list)
    """The language of each."""
    keys: list[int] = field(default_factory=list)
    """A hash of each, of records of their first text: those with the same belong to the same part of the corpus."""
    targets: list[int] = field(default_factory=list)
    """Of pairs, a hash of each translation: those with the same belong together as well."""
    statistics: Statistics | None = None
    """Counts for the card, after the last pass; the first batch has those of all."""
    tallies: Tallies = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    read: int = 0


# A document in a batch carries what is known of its file.
SCHEMA = pa.schema(
    [
        *((item.name, pa.string()) for item in fields(Document)),
        ("encoding", pa.string()),
        ("bytes", pa.int64()),
        ("changes", pa.list_(pa.string())),
        ("form", pa.string()),
    ]
)


@dataclass
class Row:
    """A document on its way, with its file's encoding and size and the changes made to it so far."""

    document: Document
    encoding: str
    bytes: int
    changes: list[str]
    form: str
    """JSON of what a record of several texts is; empty for a document."""


_OF_ROW = [item.name for item in fields(Row)][1:]


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """A batch to disk."""
    plain = [{**vars(row.document), **{key: getattr(row, key) for key in _OF_ROW}} for row in rows]
    pq.write_table(pa.Table.from_pylist(plain, SCHEMA), path, compression="lz4")


def read_rows(path: Path) -> list[Row]:
    """A batch from disk."""
    own = [item.name for item in fields(Document)]
    return [
        Row(Document(*(row[key] for key in own)), *(row[key] for key in _OF_ROW))
        for row in pq.read_table(path).to_pylist()
    ]


def process(
    items: Iterable[Item | Dropped],
    steps: Sequence[Step],
    scratch: Path,
    run: Run,
    watch: Watch = lambda stage, done, total: None,
    hidden: Callable[[str], str] = str,
) -> list[Batch]:
    """All documents of the items (or what could not be read) through all steps; batches in the order of the items.

    `hidden` makes of a source's name what may be told of it.
    The batches of the last pass stay in `scratch`; what earlier passes dropped is counted with them.
    """
    passes = _passes(steps)
    local, joint = passes[0]
    tasks = [(n, group, local, joint, scratch, hidden) for n, group in enumerate(_grouped(items))]
    groups = _watched("reading", run(_first, tasks), len(tasks), watch)
    batches = _folded(batch for group in groups for batch in group)
    if not batches:
        return []
    for before, (local, joint) in pairwise(passes):
        deciding = before[1]
        assert deciding is not None
        verdicts = deciding.decide([summary(batch.path) for batch in batches], run)
        for batch, verdict in zip(batches, verdicts, strict=True):
            np.savez(summary(batch.path), **verdict)  # type: ignore[arg-type]
        done = run(_next, ((batch, deciding, local, joint) for batch in batches))
        batches = _folded(_watched(deciding.name.replace("_", " "), done, len(batches), watch))
    return batches


def _folded(batches: Iterable[Batch]) -> list[Batch]:
    """The batches, the statistics of all added to those of the first: a thousand of them would fill the memory."""
    out: list[Batch] = []
    for batch in batches:
        out.append(batch)
        if len(out) > 1 and batch.statistics and out[0].statistics:
            out[0].statistics.add(batch.statistics)
            batch.statistics = None
    return out


def _watched(stage: str, results: Iterable[T], total: int, watch: Watch) -> Iterator[T]:
    watch(stage, 0, total)
    for done, result in enumerate(results, 1):
        watch(stage, done, total)
        yield result


def _passes(steps: Sequence[Step]) -> list[tuple[list[LocalStep], JointStep | None]]:
    """Runs of local steps, each with the joint step that ends it; the last has none."""
    passes: list[tuple[list[LocalStep], JointStep | None]] = []
    local: list[LocalStep] = []
    for step in steps:
        if isinstance(step, JointStep):
            passes.append((local, step))
            local = []
        else:
            local.append(step)
    return [*passes, (local, None)]


def _grouped(items: Iterable[Item | Dropped]) -> Iterator[list[Item | Dropped]]:
    group: list[Item | Dropped] = []
    size = 0
    for item in items:
        group.append(item)
        size += 0 if isinstance(item, Dropped) else item.size
        if size >= TASK_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


_Reading = tuple[int, list[Item | Dropped], list[LocalStep], JointStep | None, Path, Callable[[str], str]]


def _first(task: _Reading) -> list[Batch]:
    """Read some items and put them through the first pass."""
    number, items, local, joint, scratch, hidden = task
    batches: list[Batch] = []
    rows: list[Row] = []
    batch = Batch(scratch / f"{number:07}-0000.parquet")
    characters = 0

    def finish() -> None:
        nonlocal batch, rows, characters
        _through(batch, rows, _steps(batch, local), joint)
        batches.append(batch)
        batch, rows, characters = Batch(scratch / f"{number:07}-{len(batches):04}.parquet"), [], 0

    for item in items:
        for found in [item] if isinstance(item, Dropped) else load(item):
            raw = replace(found, source=hidden(found.source))
            if isinstance(raw, Dropped):
                batch.read += raw.rows
                loss = Loss(raw.source, READING, raw.reason, rows=raw.rows)
                _drop(batch, loss, (raw.what or raw.reason).partition(":")[0])
                continue
            batch.read += 1
            row = _row(raw)
            rows.append(row)
            characters += len(raw.text)
            if raw.note:
                _note(batch, READING, "noted while reading", raw.source, raw.note)
                row.changes.append("noted while reading")
            if characters >= BATCH_CHARACTERS:
                finish()
    if batch.read or not batches:
        finish()
    return batches


def _next(task: tuple[Batch, JointStep, list[LocalStep], JointStep | None]) -> Batch:
    """A batch through the verdict on it, and a later pass."""
    batch, decided, local, joint = task
    with np.load(summary(batch.path), allow_pickle=False) as stored:
        verdict: Arrays = dict(stored)

    def judged(rows: list[Row]) -> list[Row]:
        documents = [row.document for row in rows]
        return _kept(batch, rows, decided.name, decided.apply(documents, verdict))

    _through(batch, read_rows(batch.path), lambda rows: _steps(batch, local)(judged(rows)), joint)
    return batch


def _through(batch: Batch, rows: list[Row], steps: Callable[[list[Row]], list[Row]], joint: JointStep | None) -> None:
    rows = steps(rows)
    if joint is None:
        rows = _finished(batch, rows)
        # Before the words of the batch are told apart here: both at once would take twice the memory.
        batch.statistics = measure([row.document for row in rows])
        words = Words([row.document.text for row in rows])
        batch.sizes = words.counts.tolist()
        batch.languages = [row.document.language for row in rows]
        batch.keys = [_key(row) for row in rows]
        batch.targets = [_hashed(part(row.document.text)[1]) for row in rows if _is_pair(row)]
        found = summarised(words)
    else:
        found = joint.summarise([row.document for row in rows])
    write_rows(batch.path, rows)
    np.savez(summary(batch.path), **found)  # type: ignore[arg-type]


def _steps(batch: Batch, steps: Sequence[LocalStep]) -> Callable[[list[Row]], list[Row]]:
    def call(rows: list[Row]) -> list[Row]:
        for step in steps:
            rows = _kept(batch, rows, step.name, step.apply([row.document for row in rows]))
        return rows

    return call


def _kept(batch: Batch, rows: list[Row], step: str, result: Result) -> list[Row]:
    for place, note in result.notes:
        source = rows[place].document.source
        if note.dropped:
            reason = f"{note.what} of {note.of}" if note.of else note.what
            _drop(batch, Loss(source, step, reason, note.example), note.what)
        else:
            _note(batch, step, note.what, source, note.example, note.times)
            if note.what not in rows[place].changes:
                rows[place].changes.append(note.what)
    pairs = zip(rows, result.documents, strict=True)
    return [replace(row, document=document) for row, document in pairs if document is not None]


def _finished(batch: Batch, rows: list[Row]) -> list[Row]:
    """Documents with all they need: a title, a language, the hash of their text; empty ones dropped."""
    out = []
    for row in rows:
        document = row.document
        if not document.text.strip():
            _drop(batch, Loss(document.source, READING, "empty"), "empty")
            continue
        title, author = ("", "") if row.form else name(document.text, document.source)
        document = replace(
            document,
            title=document.title or title,
            author=document.author or author,
            language=document.language or _language(row),
            sha256=digest(document.text),
        )
        out.append(replace(row, document=document))
    return out


def _language(row: Row) -> str:
    """Of a pair both, as en-zh."""
    if _is_pair(row):
        return "-".join(map(language, part(row.document.text)))
    return language(row.document.text)


def _is_pair(row: Row) -> bool:
    return bool(row.form) and json.loads(row.form)["kind"] == "pair"


def _key(row: Row) -> int:
    """The same for equal documents, and for records that begin with the same text, up to case, spaces and punctuation.

    What a system turn says is the same in all conversations of a file, so the first other turn counts.
    """
    if not row.form:
        return int(row.document.sha256[:16], 16)
    texts, roles = part(row.document.text), json.loads(row.form).get("roles", [])
    first = next((n for n, role in enumerate(roles) if role != "system"), 0)
    return _hashed(texts[first])


def _hashed(text: str) -> int:
    """The same for texts of the same words; what has none is hashed as it stands."""
    hashes = Words([text]).hashes
    if not len(hashes):
        return int(digest(text)[:16], 16)
    # From 1, as the mix of 0 is 0 and the first word would not count.
    places = mix(np.arange(1, len(hashes) + 1, dtype=np.uint64))
    return int(mix(np.add.reduce(hashes * places, keepdims=True))[0])


def _row(raw: Raw) -> Row:
    about = {key: raw.about.get(key, "") for key in ("title", "author", "language", "licence")}
    return Row(
        Document(raw.text, raw.source, **about, sha256=""), raw.encoding, raw.bytes, [], raw.about.get("form", "")
    )


def _note(batch: Batch, step: str, what: str, source: str, example: str, times: int = 1) -> None:
    tally = batch.tallies.setdefault((step, what), Tally(dropped=False))
    tally.add(1, times, [{"source": source, "example": example}])


def _drop(batch: Batch, loss: Loss, kind: str) -> None:
    tally = batch.tallies.setdefault((loss.step, kind), Tally(dropped=True))
    tally.add(loss.rows, loss.rows, [{"source": loss.source, "example": loss.example}])
    batch.losses.append(loss)


def merged(batches: Iterable[Batch]) -> Tallies:
    """The tallies of all batches together, those of the first batches first."""
    out: Tallies = {}
    for batch in batches:
        for key, tally in batch.tallies.items():
            out.setdefault(key, Tally(tally.dropped)).add(tally.documents, tally.times, tally.examples)
    return out


def summary(path: Path) -> Path:
    """Where what a step or the split must know of a batch is kept."""
    return path.with_suffix(".npz")


def described(steps: Sequence[Step], tallies: Tallies) -> list[dict[str, Any]]:
    """The tallies for the manifest, in the order of the steps."""
    order = [READING, *(step.name for step in steps)]
    return [
        {"step": step, "what": what, **asdict(tally)}
        for (step, what), tally in sorted(tallies.items(), key=lambda pair: order.index(pair[0][0]))
    ]
