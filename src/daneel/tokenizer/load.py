"""A tokenizer from any Hugging Face folder: text to ids, ids to the exact bytes they stand for."""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tokenizers
from tokenizers import processors

from daneel.errors import ModelError
from daneel.run import atomic_write
from daneel.tokenizer.chat import ChatTemplate
from daneel.tokenizer.fast import LEAST, Array, FastEncoder, fast_encoder

_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's printable character for every byte, the other way round."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(rest)}


_ALPHABET = _byte_alphabet()


class Tokenizer:
    """Ids for text and back, with what a model's folder says about beginning, end and chat."""

    def __init__(self, raw: tokenizers.Tokenizer, settings: dict[str, Any], configs: list[dict[str, Any]]):
        raw.no_truncation()
        raw.no_padding()
        self._raw = raw
        self._lock = threading.Lock()
        self._settings = settings
        self._added = raw.get_added_tokens_decoder()
        self._bytes: dict[int, bytes] = {}
        # Made for the first large batch; False stands for a vocabulary that it does not cover.
        self._fast: FastEncoder | Literal[False] | None = None
        # Normaliser, pre-tokenizer and decoder describe themselves in JSON; the vocabulary is not read twice.
        self._parts = {
            kind
            for part in (raw.pre_tokenizer, raw.decoder)
            if part is not None
            for kind in _kinds(json.loads(part.__getstate__()))
        }
        self.vocab_size: int = max([raw.get_vocab_size(), *(id + 1 for id in self._added)])
        """Ids run from 0 to here; a model's embedding may be padded beyond."""
        self.names: dict[str, str] = _names(settings)
        """Special tokens by role, such as `eos_token`, as the chat template sees them."""
        self.bos: int | None = next(iter(self._role("bos", configs)), None)
        self.eos: tuple[int, ...] = self._role("eos", configs)
        """Every id that ends a text or a turn."""
        begin = () if self.bos is None else (self.bos,)
        self.pad: int | None = next(iter(self._role("pad", configs)), None)
        """What fills rows of several texts."""
        self.special_ids: frozenset[int] = frozenset(
            [*(id for id, token in self._added.items() if token.special), *begin, *self.eos]
        )
        # Transformers goes by the post-processor, llama.cpp by the flag; `save` makes them agree.
        wanted = raw.encode("a").ids[:1] == [self.bos] or settings.get("add_bos_token")
        self.add_bos: bool = bool(wanted and begin)
        """The model expects its texts to begin with `bos`."""
        self.prefix: list[int] = list(begin) if self.add_bos else []
        """What `encode` leaves to the caller to put before a text."""
        source = settings.get("chat_template")
        self.chat: ChatTemplate | None = ChatTemplate(source, self.names) if source else None

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Read `tokenizer.json` and what stands beside it."""
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise ModelError(f"{folder} has no tokenizer.json: save the model there with its fast tokenizer")
        try:
            raw = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelError(f"{path} is not a tokenizer this version reads: {error}") from None
        settings = _read(folder / "special_tokens_map.json") | _read(folder / "tokenizer_config.json")
        settings["chat_template"] = _chat_template(folder, settings)
        return cls(raw, settings, [_read(folder / "generation_config.json"), _read(folder / "config.json")])

    def alike(self, other: "Tokenizer") -> bool:
        """Whether both make the same ids of every text."""
        mine, theirs = (json.loads(each._raw.to_str()) for each in (self, other))
        names = [{id: token.content for id, token in each._added.items()} for each in (self, other)]
        parts = ("model", "normalizer", "pre_tokenizer")
        return names[0] == names[1] and all(mine[part] == theirs[part] for part in parts)

    def save(self, folder: Path) -> None:
        """Write the tokenizer so that Transformers loads it with the same ids.

        The class is `PreTrainedTokenizerFast`, which takes `tokenizer.json` as it is; some named classes
        replace its pre-tokenizer by their own.
        """
        settings = {key: value for key, value in self._settings.items() if value is not None}
        # `auto_map` and `backend` ask for code that is not in this folder.
        for key in ("auto_map", "backend"):
            settings.pop(key, None)
        settings |= {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": self.add_bos}
        # What the named class had filled in by itself must now be written.
        for role, id in (("bos_token", self.bos), ("eos_token", next(iter(self.eos), None))):
            if id is not None:
                settings.setdefault(role, self._raw.id_to_token(id))
        raw = self._raw
        if self.add_bos and raw.encode("a").ids[:1] != self.prefix:
            raw = tokenizers.Tokenizer.from_str(raw.to_str())
            bos = raw.id_to_token(self.prefix[0])
            raw.post_processor = processors.TemplateProcessing(
                f"{bos} $A", f"{bos} $A {bos} $B", [(bos, self.prefix[0])]
            )
        atomic_write(folder / "tokenizer.json", raw.to_str())
        atomic_write(folder / "tokenizer_config.json", json.dumps(settings, ensure_ascii=False, indent=2))

    def encode(self, text: str, special: bool = False) -> list[int]:
        """Ids of a text, without `prefix`; with `special`, the names of special tokens become their ids."""
        with self._lock:  # the switch belongs to the tokenizer, not to the call
            self._raw.encode_special_tokens = not special
            # Without offsets it takes half the time; only the batch call can leave them out.
            return list(self._raw.encode_batch_fast([text], add_special_tokens=False)[0].ids)

    def encode_batch(self, texts: Sequence[str], threads: int = 1) -> list[Array]:
        """Ids of many texts, uint32, the same as `encode` gives one by one and several times as fast."""
        with self._lock:
            if self._fast is None and sum(map(len, texts)) >= LEAST:
                self._fast = fast_encoder(self._raw, _ALPHABET) or False
        fast = self._fast
        covered = [bool(fast and fast.covers(text)) for text in texts]
        quick = [text for text, fits in zip(texts, covered, strict=True) if fits]
        rest = [text for text, fits in zip(texts, covered, strict=True) if not fits]
        from_fast = iter(fast.encode(quick, threads) if fast else ())
        from_library = iter(self._plain(rest))
        return [next(from_fast if fits else from_library) for fits in covered]

    def _plain(self, texts: list[str]) -> Iterator[Array]:
        """What the library alone gives; it uses all cores."""
        with self._lock:
            self._raw.encode_special_tokens = True
            for encoding in self._raw.encode_batch_fast(texts, add_special_tokens=False) if texts else ():
                yield np.array(encoding.ids, np.uint32)

    def spans(self, text: str, special: bool = False) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids of a text, and where in it each token stands, in characters."""
        with self._lock:
            self._raw.encode_special_tokens = not special
            encoding = self._raw.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def decode(self, ids: list[int]) -> str:
        """The text of some ids, special tokens by name, as Transformers decodes it."""
        return str(self._raw.decode(ids, skip_special_tokens=False))

    def token(self, id: int) -> str:
        """How the vocabulary spells a token; empty for an id without one."""
        return str(self._raw.id_to_token(id) or "")

    def token_bytes(self, id: int) -> bytes:
        """The exact bytes of one token, a special token's name for it, nothing for an id without a token."""
        if id not in self._bytes:
            self._bytes[id] = self._to_bytes(id)
        return self._bytes[id]

    def _to_bytes(self, id: int) -> bytes:
        token = self._raw.id_to_token(id)
        added = self._added.get(id)
        if token is None:
            return b""
        if added is not None and (added.special or "ByteLevel" in self._parts):
            return token.encode()
        if "ByteLevel" in self._parts and _ALPHABET.keys() >= set(token):
            return bytes(_ALPHABET[character] for character in token)
        if "ByteFallback" in self._parts and (byte := _BYTE_TOKEN.fullmatch(token)):
            return bytes([int(byte[1], 16)])
        if self._parts & {"Metaspace", "▁"}:
            token = token.replace("▁", " ")
        return token.encode()

    def _role(self, role: str, configs: list[dict[str, Any]]) -> tuple[int, ...]:
        """Ids that the tokenizer's settings and the model's configs give for `bos` or `eos`."""
        name = self.names.get(f"{role}_token")
        ids = [] if name is None else [self._raw.token_to_id(name)]
        if role == "eos" or f"{role}_token" not in self._settings:
            for config in [*configs, *(config.get("text_config") or {} for config in configs)]:
                value = config.get(f"{role}_token_id")
                ids += value if isinstance(value, list) else [value]
        return tuple(dict.fromkeys(id for id in ids if id is not None))


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from None
    return value


def _kinds(part: Any) -> set[str]:
    """Every `type` in a component's description, and `▁` where it stands for a space."""
    if isinstance(part, list):
        return set().union(*map(_kinds, part))
    if not isinstance(part, dict):
        return set()
    kinds = {part["type"]} if isinstance(part.get("type"), str) else set()
    if part.get("type") == "Replace" and part.get("pattern") == {"String": "▁"}:
        kinds.add("▁")
    return kinds.union(*map(_kinds, part.values()))


def _names(settings: dict[str, Any]) -> dict[str, str]:
    named = {key: value for key, value in settings.items() if key.endswith("_token")}
    extra = settings.get("extra_special_tokens")
    named |= extra if isinstance(extra, dict) else {}
    texts = {key: value.get("content") if isinstance(value, dict) else value for key, value in named.items()}
    return {key: value for key, value in texts.items() if isinstance(value, str)}


def _chat_template(folder: Path, settings: dict[str, Any]) -> str | None:
    """The default template: Transformers prefers the file of its own to the tokenizer's settings."""
    alone = folder / "chat_template.jinja"
    if alone.is_file():
        return alone.read_text("utf-8")
    found = settings.get("chat_template") or _read(folder / "chat_template.json").get("chat_template")
    if isinstance(found, list):
        found = {entry["name"]: entry["template"] for entry in found}
    if isinstance(found, dict):
        found = found.get("default")
    return found
