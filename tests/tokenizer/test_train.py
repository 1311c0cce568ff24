import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gguf
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny
import tiny_gguf
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, models, pre_tokenizers
from transformers import AutoTokenizer

from daneel.errors import DataError, ModelError, UsageError
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.patterns import PATTERNS, ggml_pre
from daneel.tokenizer.texts import stream
from daneel.tokenizer.train import LONGEST, SMALLEST, train_tokenizer

ENGLISH = "The year is 2042. AI has advanced to the point where nobody asks; she didn't answer, and it's late.\n"
CHINESE = "公元2042年，人工智能已经发展到了这样的地步：没有人再提问。“你听见了吗？”他问。人工智能没有回答。\n"
KINDS = [("bpe", "gpt2"), ("bpe", "llama3"), ("bpe", "qwen2"), ("unigram", "gpt2"), ("unigram", "qwen2")]
TEXTS = st.lists(
    st.sampled_from([ENGLISH, CHINESE, "12345", "  \n\n\t", "'ſ", "e\u0301", "👩‍🚀", "<|im_end|>", "<|x|>"])
    | st.text(),
    max_size=5,
).map("".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("own")
    train_tokenizer([ENGLISH, CHINESE] * 50, out, 400)
    return out


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """A tokenizer of each kind, trained once."""
    made: dict[tuple[str, str], Path] = {}

    def get(model: str, pattern: str) -> Path:
        if (model, pattern) not in made:
            out = tmp_path_factory.mktemp(f"{model}-{pattern}")
            train_tokenizer(tiny.TEXT * 3 + [ENGLISH, CHINESE] * 3, out, 420, model=model, pattern=pattern,  # type: ignore[arg-type]
                            special=["<|x|>"])  # fmt: skip
            made[model, pattern] = out
        return made[model, pattern]

    return get


@pytest.mark.parametrize(("model", "pattern"), KINDS)
@settings(max_examples=120, deadline=None)
@given(text=TEXTS)
def test_every_text_comes_back_and_transformers_gives_the_same_ids(
    trained: Callable[[str, str], Path], model: str, pattern: str, text: str
) -> None:
    tokenizer, theirs = _both(trained(model, pattern))
    ids = tokenizer.encode(text, special=True)
    assert ids == theirs(text)["input_ids"]
    assert tokenizer.decode(ids) == text == theirs.decode(ids)
    assert b"".join(map(tokenizer.token_bytes, tokenizer.encode(text))) == text.encode()


@pytest.mark.parametrize(("model", "pattern"), KINDS)
@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=20))
def test_any_bytes_can_be_written(trained: Callable[[str, str], Path], model: str, pattern: str, data: bytes) -> None:
    tokenizer, _ = _both(trained(model, pattern))
    single = {tokenizer.token_bytes(id): id for id in range(tokenizer.vocab_size)}
    ids = [single[bytes([byte])] for byte in data]
    assert b"".join(map(tokenizer.token_bytes, ids)) == data
    assert tokenizer.decode(ids) == data.decode("utf-8", "replace")


_loaded: dict[Path, tuple[Tokenizer, object]] = {}


def _both(folder: Path):
    if folder not in _loaded:
        _loaded[folder] = (Tokenizer.load(folder), AutoTokenizer.from_pretrained(folder))
    return _loaded[folder]


def test_it_has_the_asked_size_and_learns_both_languages(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    assert tokenizer.vocab_size == 400
    assert tokenizer.encode("人工智能") != [id for c in "人工智能" for id in tokenizer.encode(c)]
    assert len(tokenizer.encode(" advanced")) < len(" advanced")
    # Digits stand one by one, so that numbers are read alike.
    assert [tokenizer.token_bytes(id) for id in tokenizer.encode("2042")] == [b"2", b"0", b"4", b"2"]


def test_unigram_has_the_asked_size_and_learns_both_languages(tmp_path: Path) -> None:
    tokenizer = train_tokenizer([ENGLISH, CHINESE] * 50, tmp_path, 400, model="unigram")
    assert tokenizer.vocab_size == 400
    assert len(tokenizer.encode("人工智能")) < 4
    assert len(tokenizer.encode(ENGLISH)) < len(ENGLISH) / 2
    assert tokenizer.encode("<|im_end|>", special=True) == [2]


def test_the_likeliest_pieces_win(tmp_path: Path) -> None:
    # `abab` and `cd` explain everything; neither `ab` nor `ba` is worth a place.
    tokenizer = train_tokenizer(["abab cd abab cd cd abab"] * 40, tmp_path, SMALLEST + 3, model="unigram")
    learned = {tokenizer.token_bytes(id) for id in range(tokenizer.vocab_size)}
    assert {b" abab", b" cd"} <= learned
    assert b"ba" not in learned


def test_special_tokens_end_texts_and_turns(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder)
    assert [tokenizer.token_bytes(id) for id in tokenizer.eos] == [b"<|endoftext|>", b"<|im_end|>"]
    assert tokenizer.prefix == []
    assert tokenizer.chat is not None
    assert tokenizer.chat.render([{"role": "user", "content": "?"}], add_generation_prompt=True) == (
        "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_further_special_tokens_and_another_template(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(
        [ENGLISH], tmp_path, 300, special=["<|x|>"], chat_template="{{ messages[0].content }}<|x|>"
    )
    assert tokenizer.encode("<|x|>", special=True) == [3]
    assert tokenizer.chat is not None
    assert tokenizer.chat.render([{"role": "user", "content": "好"}]) == "好<|x|>"
    with pytest.raises(UsageError, match="special token 'PAD' is an ordinary word: set it apart, such as"):
        train_tokenizer([ENGLISH], tmp_path, 300, special=["PAD"])
    with pytest.raises(DataError, match="template"):
        train_tokenizer([ENGLISH], tmp_path, 300, chat_template="{% if %}")


def test_little_text_gives_the_real_size(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(["aab aab"], tmp_path, 5000)
    assert SMALLEST < tokenizer.vocab_size < SMALLEST + 5


@pytest.mark.parametrize("model", ["bpe", "unigram"])
def test_no_sentence_is_learned_by_heart(tmp_path: Path, model: str) -> None:
    # What stands once teaches nothing, and a clause is one word where there are no spaces.
    once = "灯塔的看守人写下了最后一页日志没有风也没有船"
    tokenizer = train_tokenizer([once, CHINESE * 9], tmp_path, 5000, model=model)  # type: ignore[arg-type]
    assert len(tokenizer.encode(once)) > len(once) / 2
    sizes = [len(tokenizer.token_bytes(id)) for id in range(3, tokenizer.vocab_size)]
    assert LONGEST - 3 < max(sizes) <= LONGEST < len("人工智能已经发展到了这样的地步".encode())


def test_texts_may_be_a_stream(tmp_path: Path) -> None:
    def texts() -> Iterator[str]:
        yield from [ENGLISH, CHINESE]

    for model in ("bpe", "unigram"):
        train_tokenizer(texts(), tmp_path / "a", 320, model=model)  # type: ignore[arg-type]
        train_tokenizer([ENGLISH, CHINESE], tmp_path / "b", 320, model=model)  # type: ignore[arg-type]
        assert (tmp_path / "a/tokenizer.json").read_bytes() == (tmp_path / "b/tokenizer.json").read_bytes()


SCRIPT = """
import sys
from pathlib import Path
from daneel.tokenizer.train import train_tokenizer
train_tokenizer([Path(sys.argv[1]).read_text("utf-8")] * 2, Path(sys.argv[2]), 700, model=sys.argv[3])
"""


@pytest.mark.parametrize("model", ["bpe", "unigram"])
def test_two_processes_write_the_same_bytes(tmp_path: Path, model: str) -> None:
    text = tmp_path / "text"
    text.write_text(Path(__file__).read_text("utf-8") + "".join(tiny.TEXT) + CHINESE, "utf-8")
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(text), str(tmp_path / seed), model],
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(tokenizers.__file__).parents[1])},
        )
    assert (tmp_path / "1/tokenizer.json").read_bytes() == (tmp_path / "2/tokenizer.json").read_bytes()


def test_too_small_a_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a vocabulary of 100 is too small: 259"):
        train_tokenizer([ENGLISH], tmp_path, 100)
    with pytest.raises(UsageError, match="no pattern 'gpt5'; there are gpt2, llama3, qwen2"):
        train_tokenizer([ENGLISH], tmp_path, 400, pattern="gpt5")
    assert not any(tmp_path.iterdir())


# The patterns as the models' own files spell them.
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CUTS = {
    "gpt-2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
    "llama-bpe": lambda: _split(QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")),
    "qwen2": lambda: _split(QWEN2),
    # Qwen3.5 takes combining marks for letters; RoBERTa puts a space before a text.
    "": lambda: _split(QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+")),
    " ": lambda: pre_tokenizers.ByteLevel(add_prefix_space=True),
}


def _split(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


@pytest.mark.parametrize("pre", CUTS)
def test_the_pattern_of_any_file_is_recognised(tmp_path: Path, pre: str) -> None:
    raw = tokenizers.Tokenizer(models.BPE())
    raw.pre_tokenizer = CUTS[pre]()
    raw.save(str(tmp_path / "tokenizer.json"))
    assert ggml_pre(tmp_path) == (pre.strip() or None)


def test_what_is_trained_is_recognised(
    trained: Callable[[str, str], Path], pieces_folder: Path, tmp_path: Path
) -> None:
    for pattern, pre in PATTERNS.items():
        assert ggml_pre(trained("bpe", pattern)) == pre
    assert ggml_pre(trained("unigram", "qwen2")) is None
    assert ggml_pre(pieces_folder) == "default"
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json is not a tokenizer"):
        ggml_pre(tmp_path)


def metadata(folder: Path) -> dict[str, object]:
    """What an exporter writes of a byte-level BPE."""
    state = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    names = sorted(state["model"]["vocab"], key=state["model"]["vocab"].get)
    special = {token["content"] for token in state["added_tokens"]}
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": ggml_pre(folder),
        "tokenizer.ggml.tokens": names,
        "tokenizer.ggml.token_type": [
            int(gguf.TokenType.CONTROL if name in special else gguf.TokenType.NORMAL) for name in names
        ],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in state["model"]["merges"]],
    }


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PATTERNS)
def test_llama_cpp_gives_the_same_ids(trained: Callable[[str, str], Path], tmp_path: Path, pattern: str) -> None:
    pytest.importorskip("xllamacpp")
    bench = Path(__file__).parents[2] / "bench" / "tokenizer_parity.py"
    spec = importlib.util.spec_from_file_location("tokenizer_parity", bench)
    assert spec is not None
    assert spec.loader is not None
    parity = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(parity)
    folder = trained("bpe", pattern)
    ours = Tokenizer.load(folder)
    # xllamacpp has no way to load a vocabulary alone, so a tiny model goes with it.
    reference = tiny_gguf.model("llama", vocab_size=ours.vocab_size)
    path = tiny_gguf.tiny_gguf(tmp_path / "model.gguf", reference=reference, **metadata(folder))
    peer = parity.LlamaCpp(path)
    texts = [*tiny.TEXT, ENGLISH, CHINESE, "it'S 1234567, 'ſ don’t\r\n\r\n  x\t\ty  ", *parity.odd(300)]
    assert [ours.encode(text) for text in texts] == [peer.encode(text) for text in texts]


def test_a_corpus_is_streamed_and_files_are_read(tmp_path: Path) -> None:
    stories, corpus = tmp_path / "stories", tmp_path / "corpus"
    stories.mkdir()
    corpus.mkdir()
    texts = [f"It was the year {n} of the lamp, and the keeper{n} was in it. {CHINESE}" for n in range(40)]
    for n, text in enumerate(texts[:12]):
        (stories / f"{n:02}.txt").write_text(text, "utf-8")
    (corpus / "manifest.json").write_text('{"format": "daneel-corpus"}')
    pq.write_table(pa.table({"source": texts, "text": texts}), corpus / "train.parquet")
    pq.write_table(pa.table({"text": texts[:2]}), corpus / "heldout.parquet")
    assert list(stream([corpus])) == texts
    assert list(stream([corpus], "heldout")) == texts[:2]
    assert [text.strip() for text in stream([stories])] == [text.strip() for text in texts[:12]]
    assert len(list(stream([stories / "01.txt", corpus]))) == 1 + len(texts)


def test_what_cannot_be_streamed_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing does not exist: give a corpus"):
        stream([tmp_path / "nothing"])
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(DataError, match="no usable text"):
        list(stream([tmp_path]))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "manifest.json").write_text('{"format": "daneel-corpus"}')
    (corpus / "train.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="corpus is damaged"):
        list(stream([corpus]))
    pq.write_table(pa.table({"title": ["x"]}), corpus / "train.parquet")
    with pytest.raises(DataError, match="corpus is damaged"):
        list(stream([corpus]))
