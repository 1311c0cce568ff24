"""A model's input embeddings: the matrix as the file has it, the vectors of words, and their neighbours. No torch.

The matrix stays on disk and is read in blocks, so that a vocabulary of 262,144 takes little memory.
"""

import json
import struct
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from daneel.errors import ModelError, UsageError
from daneel.formats.families import FAMILIES
from daneel.formats.hf import read_config, weight_files
from daneel.formats.peft import CONFIG, WEIGHTS, read_adapter
from daneel.formats.word2vec import escape
from daneel.store import resolve
from daneel.tokenizer.load import Tokenizer

Array = NDArray[np.float32]

# How the families of Transformers name the input embedding; a prefix may stand before each.
NAMES = (
    "shared.weight", "encoder.embed_tokens.weight", "embed_tokens.weight", "wte.weight", "tok_embeddings.weight",
    "embed_in.weight", "word_embeddings.weight",
)  # fmt: skip
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
COMPONENTS = 1
"""Directions taken off where nothing else is said. The paper's rule, dimension // 100, measured worse on Gemma 3: see
`bench/embeddings.py`."""
SAMPLE = 32_768
"""Tokens, evenly taken, that principal directions are found from: on Gemma 3 the first then has a cosine of 0.9998 with
that of all 262,144, in a tenth of the time."""
_BLOCK = 8192
# Scripts that put no space before a word.
_UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "BOPOMOFO ", "THAI ", "LAO ", "KHMER ", "MYANMAR ", "TIBETAN ")


@dataclass(frozen=True)
class Word:
    """A word as the model reads it."""

    text: str
    """As the user gave it."""
    ids: tuple[int, ...]
    pieces: tuple[str, ...]

    @property
    def spaced(self) -> bool:
        """Whether its first token holds the space that stands before it within a text."""
        return self.pieces[0].startswith(" ")


@dataclass(frozen=True)
class Neighbour:
    """A token near a word."""

    text: str
    """Without the space before it."""
    token: int
    cosine: float


@dataclass(frozen=True)
class Correction:
    """What is taken off every vector before cosines: `origin`, then the part along each row of `directions`.

    With both it is "all-but-the-top" (Mu and Viswanath 2018, arXiv:1702.01417).
    """

    origin: Array
    """[dimension]"""
    directions: Array
    """[components, dimension], orthonormal."""

    def units(self, vectors: Array) -> Array:
        """The vectors [rows, dimension], corrected and of length 1; one that vanishes stays 0."""
        moved = vectors - self.origin
        moved -= (moved @ self.directions.T) @ self.directions
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        out: Array = np.divide(moved, length, out=np.zeros_like(moved), where=length > 1e-12)
        return out


class Embeddings:
    """The input embedding matrix [tokens, dimension] of a model, with its tokenizer.

    `name` is whatever the store resolves. Of a LoRA adapter the base's matrix is taken, since LoRA leaves it alone;
    `base` then names it. Raises ModelError: an adapter that changes the embeddings, or weights that hold none.
    """

    def __init__(self, name: str) -> None:
        self.name, self.base = name, ""
        folder = reader = resolve(name)
        if (folder / CONFIG).is_file():
            self.base = read_adapter(folder).base
            _require_untouched(folder)
            folder = resolve(self.base)
            # A run keeps a tokenizer beside its adapter; PEFT does not.
            reader = reader if (reader / "tokenizer.json").is_file() else folder
        self.tokenizer = Tokenizer.load(reader)
        self._matrix, self._bf16 = _open(folder)
        self.count, self.dimension = self._matrix.shape
        if self.tokenizer.vocab_size > self.count:
            raise ModelError(
                f"{folder}: {self.tokenizer.vocab_size} tokens but only {self.count} embeddings; fetch the model again"
            )
        self.scale = _scale(read_config(folder), folder)
        """What the model multiplies a vector by before its first layer; the vectors here are as stored."""

    def rows(self, ids: Sequence[int] | NDArray[np.intp] | slice) -> Array:
        """Some vectors, [rows, dimension], as stored in the file."""
        raw = self._matrix[ids]
        if not self._bf16:
            return np.asarray(raw, dtype=np.float32)
        # bfloat16 is the upper half of a float32.
        return (raw.astype(np.uint32) << 16).view(np.float32)

    def blocks(self) -> Iterator[Array]:
        """The whole matrix, some rows at a time."""
        for start in range(0, self.count, _BLOCK):
            yield self.rows(slice(start, start + _BLOCK))

    def word(self, text: str) -> Word:
        """How the model reads a word. Raises UsageError if its vocabulary cannot write it.

        Within a text most words follow a space, and a token of its own stands for that; it is taken unless the
        script has no spaces, or it needs more tokens than the bare word. A space that the user wrote is kept.
        """
        forms = [text] if not text or text[0].isspace() or _unspaced(text[0]) else [f" {text}", text]
        ids = min((self.tokenizer.encode(form) for form in forms), key=len)
        if not ids or self.tokenizer.special_ids & set(ids):
            raise UsageError(f"{self.name} has no tokens for the word {text!r}: give another")
        pieces = tuple(self.tokenizer.token_bytes(id).decode(errors="replace") for id in ids)
        return Word(text, tuple(ids), pieces)

    def vectors(self, words: Sequence[Word]) -> Array:
        """A vector a word, [words, dimension]: for a word of several tokens the mean of theirs."""
        return np.stack([self.rows(list(word.ids)).mean(axis=0) for word in words])

    def parts(self, words: Sequence[Word]) -> Iterator[Array]:
        """The vectors of words, some at a time."""
        for start in range(0, len(words), _BLOCK):
            yield self.vectors(words[start : start + _BLOCK])

    def names(self) -> Iterator[str]:
        """A unique name for every row, as word2vec's format needs it."""
        tokens = [self.tokenizer.token_bytes(id) for id in range(self.count)]
        owner: dict[bytes, int] = {}
        for id, data in enumerate(tokens):
            # Of tokens with the same bytes, such as `a` and SentencePiece's `<0x61>`, the one that text is made of.
            if owner.setdefault(data, id) != id and self.tokenizer.encode(data.decode(errors="replace")) == [id]:
                owner[data] = id
        for id, data in enumerate(tokens):
            yield escape(data, None if data and owner[data] == id else id)

    def correction(self, components: int = COMPONENTS) -> Correction:
        """The mean of all tokens, and the first principal directions of SAMPLE of them around it."""
        known = np.array([bool(text) for text in self.texts])
        total, count = np.zeros(self.dimension), int(known.sum())
        for start, block in self._numbered():
            total += block[known[start : start + len(block)]].sum(axis=0, dtype=np.float64)
        origin = total / count
        if not components:
            return Correction(origin.astype(np.float32), np.zeros((0, self.dimension), np.float32))
        ids = np.flatnonzero(known)
        sample = self.rows(ids[:: -(-count // SAMPLE)]) - origin.astype(np.float32)
        spread = (sample.T @ sample).astype(np.float64)
        directions = np.linalg.eigh(spread).eigenvectors[:, ::-1][:, :components].T
        return Correction(origin.astype(np.float32), np.ascontiguousarray(directions, dtype=np.float32))

    def none(self) -> Correction:
        """No correction: the vectors as they are."""
        return Correction(np.zeros(self.dimension, np.float32), np.zeros((0, self.dimension), np.float32))

    def neighbours(
        self, words: Sequence[Word], correction: Correction, count: int = 10, variants: bool = False
    ) -> list[list[Neighbour]]:
        """The nearest tokens of each word by cosine.

        Special tokens and parts of characters are left out. Of tokens that differ in case and space only the
        nearest is listed, and none that so differs from the word itself, unless `variants` are wanted.
        """
        units = correction.units(self.vectors(words))
        cosines = np.empty((len(words), self.count), np.float32)
        for start, block in self._numbered():
            cosines[:, start : start + len(block)] = units @ correction.units(block).T
        cosines[:, [not text.strip() for text in self.texts]] = -np.inf
        return [self._nearest(word, row, count, variants) for word, row in zip(words, cosines, strict=True)]

    def whole_words(self, limit: int) -> list[Word]:
        """The first words of the vocabulary: letters after a space, or of a script without spaces, not one alone.

        Vocabularies made by BPE begin with what was most frequent in the texts they were made from. They do not say
        where a word ends, so beginnings of words are among these.
        """
        out: list[Word] = []
        seen = set()
        for id, text in enumerate(self.texts):
            word = text.strip()
            if len(word) < 2 or word in seen or not all(unicodedata.category(each)[0] in "LM" for each in word):
                continue
            if text == f" {word}" or (text == word and _unspaced(word[0])):
                seen.add(word)
                out.append(Word(word, (id,), (text,)))
                if len(out) == limit:
                    break
        return out

    @cached_property
    def texts(self) -> list[str]:
        """What each token stands for; empty for special tokens, parts of characters and unused ids."""
        out = [""] * self.count
        for id in range(self.tokenizer.vocab_size):
            if id not in self.tokenizer.special_ids:
                try:
                    out[id] = self.tokenizer.token_bytes(id).decode()
                except UnicodeDecodeError:
                    continue
        return out

    def _numbered(self) -> Iterator[tuple[int, Array]]:
        return zip(range(0, self.count, _BLOCK), self.blocks(), strict=True)

    def _nearest(self, word: Word, cosines: Array, count: int, variants: bool) -> list[Neighbour]:
        out: list[Neighbour] = []
        seen = {_folded(word.text)}
        for id in np.argsort(-cosines, kind="stable"):
            text = self.texts[id]
            if len(out) == count or cosines[id] == -np.inf:
                break
            if (id,) == word.ids or (not variants and _folded(text) in seen):
                continue
            seen.add(_folded(text))
            out.append(Neighbour(text if variants else text.strip(), int(id), round(float(cosines[id]), 4)))
        return out


def _folded(text: str) -> str:
    return text.strip().casefold()


def _unspaced(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_UNSPACED)


def _scale(config: dict[str, Any], folder: Path) -> float:
    kind = config.get("model_type")
    try:
        if kind in FAMILIES:
            return FAMILIES[str(kind)].architecture(config).embed_scale
        # Marian, BART and their like.
        return float(config["d_model"]) ** 0.5 if config.get("scale_embedding") else 1.0
    except KeyError as error:
        raise ModelError(f"{folder / 'config.json'} lacks {error}; fetch the model again") from None


def _require_untouched(folder: Path) -> None:
    """An adapter's file may hold embeddings of its own: a LoRA of them, or the matrix itself."""
    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as file:
            names = list(file.keys())
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{folder / WEIGHTS} cannot be read ({error})") from None
    parts = {name.split(".")[-2] for name in NAMES}
    if changed := [name for name in names if parts & set(name.split("."))]:
        raise ModelError(f"{folder} changes its base's embeddings ({changed[0]}); merge it first, then name the result")


def _open(folder: Path) -> tuple[np.memmap[Any, Any], bool]:
    """The matrix where it lies in the file, and whether its 16 bits are bfloat16, which numpy does not have."""
    files = weight_files(folder)
    found = [name for ending in NAMES for name in files if name == ending or name.endswith(f".{ending}")]
    if not found:
        raise ModelError(f"{folder} has no token embeddings under a known name ({', '.join(NAMES)})")
    name, path = found[0], files[found[0]]
    try:
        # The library checks the header: every tensor inside the file, as long as its shape and type say.
        with safe_open(path, framework="numpy") as file:
            names = file.keys()
    except SafetensorError as error:
        raise ModelError(f"{path} is damaged ({error}); fetch the model again") from None
    if name not in names:
        raise ModelError(f"{path} lacks {name}, which the folder's index says is there; fetch the model again")
    with path.open("rb") as raw:
        (length,) = struct.unpack("<Q", raw.read(8))
        entry = json.loads(raw.read(length))[name]
    if entry["dtype"] not in _TYPES or len(entry["shape"]) != 2:
        raise ModelError(f"{path}: {name} holds {entry['dtype']} of shape {entry['shape']}; a float matrix is needed")
    start = 8 + length + entry["data_offsets"][0]
    matrix = np.memmap(path, _TYPES[entry["dtype"]], "r", start, tuple(entry["shape"]))
    return matrix, entry["dtype"] == "BF16"
