"""Conversations, from the files of training records, as documents that the steps can clean."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from daneel.corpus.fields import join
from daneel.corpus.read import Dropped, Raw
from daneel.corpus.records import each_record, is_records, record_files
from daneel.errors import DataError

FORM = "conversation"


@dataclass(frozen=True)
class RecordFile:
    """A file of training records."""

    path: Path
    source: str

    @property
    def size(self) -> int:
        """Bytes to read."""
        return self.path.stat().st_size


def plan_conversations(paths: Sequence[str | Path]) -> Iterator[RecordFile]:
    """The files of conversations below the paths. Raises DataError."""
    for path in map(Path, paths):
        if not is_records(path):
            raise DataError(f"{path} holds no conversations: the chat recipe reads .jsonl with messages")
        for file in record_files(path):
            yield RecordFile(file, file.relative_to(path).as_posix() if path.is_dir() else file.name)


def load_conversations(item: RecordFile) -> Iterator[Raw | Dropped]:
    """Each conversation of a file; what is none comes with its reason."""
    for number, found in enumerate(each_record(item.path), 1):
        source = f"{item.source}#{number}"
        if isinstance(found, DataError):
            # Where the file lies on this machine is nobody's business.
            yield Dropped(source, str(found).replace(str(item.path), item.source))
            continue
        messages = found.messages
        if messages is None or not all(isinstance(message.get("content"), str) for message in messages):
            yield Dropped(source, "not a conversation in words alone")
            continue
        # A lone surrogate can be written in JSON and in no file.
        said = (message["content"].encode("utf-16", "surrogatepass") for message in messages)
        texts = [text.decode("utf-16", "replace") for text in said]
        form = json.dumps({"kind": FORM, "roles": [message["role"] for message in messages]})
        yield Raw(
            join(texts), source, item.path.stem, "utf-8", sum(len(text.encode()) for text in texts), {"form": form}
        )
