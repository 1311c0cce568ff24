"""word2vec's text format: a line `count dimension`, then a line for each word with its values, all split by spaces.

Source: the `word2vec` program of Mikolov et al. (2013), and what gensim's `load_word2vec_format` takes. A word in it
holds no white space, but a model's token may hold any bytes. So a name is written thus, and `unescape` reads it back:

    ▁       a space, as SentencePiece writes it
    \\xNN    a byte that is white space, a control character, `\\`, `▁` itself or no UTF-8
    \\#ID    after a name: the id of a token whose bytes are another's too, or alone: of one that has no bytes
"""

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SPACE = "▁"
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")
_SUFFIX = re.compile(r"\\#\d+$")
# A float32 comes back exactly from nine digits.
_DIGITS = "%.9g"
BYTES_PER_VALUE = 14
"""What a value takes on disk at most, nearly always."""


def escape(data: bytes, id: int | None = None) -> str:
    """A name without white space for the bytes of a token, made unique by an id if one is given."""
    name = []
    # Surrogates stand for the bytes that are no UTF-8.
    for character in data.decode("utf-8", "surrogateescape"):
        if character == " ":
            name.append(SPACE)
        elif character in (SPACE, "\\") or character.isspace() or not character.isprintable():
            name += [f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape")]
        else:
            name.append(character)
    return "".join(name) + ("" if id is None else f"\\#{id}")


def unescape(name: str) -> bytes:
    """The bytes of a token from its name."""
    plain = _SUFFIX.sub("", name).replace(SPACE, " ").encode()
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), plain)


def write_word2vec(path: Path, names: Iterable[str], count: int, vectors: Iterable[NDArray[np.float32]]) -> None:
    """Write `count` names and their vectors [rows, dimension], which come in blocks; the file appears whole or not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            each, line = iter(names), ""
            for block in vectors:
                if not line:
                    line = " ".join(["%s", *[_DIGITS] * block.shape[1]]) + "\n"
                    file.write(f"{count} {block.shape[1]}\n")
                for row in block.tolist():
                    file.write(line % (next(each), *row))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
