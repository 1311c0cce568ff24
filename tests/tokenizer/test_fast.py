"""Ids must be those of `tokenizers`, whatever the text: every test compares with the library itself."""

import functools
import json
import random
import unicodedata

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, trainers

from daneel.formats.gguf_tokenizer import PATTERNS, WORDS
from daneel.kernels import bpe
from daneel.tokenizer import fast, load
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.pretokens import pattern

LLAMA3 = WORDS.replace(r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)")
TEXT = [
    "It's 2042; they'll say I'd gone, and we're what we've made.  \n\n\tThe year ends here, doesn't it?",
    "公元2042年，人工智能已经发展到了这样的地步：没有人再提问。“你听见了吗？”他问。人工智能没有回答。",
    "これは日本語の文です。東京に行きました。 Это русский текст. مرحبا بالعالم नमस्ते दुनिया",
    "def main():\n    return {'a': 1, 'b': 22}\n\tif x  ==  3:\r\n        pass\n",
    "café naïve Ω ½ 😀 👩‍🚀 mañana",
] * 20
NAMES = ["gpt2", "smollm", "digits", "qwen2", "llama3", "llama-bpe"]


def steps(name: str) -> list[pre_tokenizers.PreTokenizer]:
    def cut(expression: str) -> pre_tokenizers.PreTokenizer:
        return pre_tokenizers.Split(Regex(expression), "isolated")

    return {
        "gpt2": [],
        "smollm": [cut(expression) for expression in PATTERNS["smollm"]],
        "digits": [pre_tokenizers.Digits(individual_digits=True)],
        "qwen2": [cut(LLAMA3 % r"\p{N}")],
        "llama3": [cut(LLAMA3 % r"\p{N}{1,3}")],
        "llama-bpe": [cut(PATTERNS["llama-bpe"][0])],
    }[name]


def make(name: str, size: int = 900, **options: bool) -> tokenizers.Tokenizer:
    raw = tokenizers.Tokenizer(models.BPE(**options))
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=name in ("gpt2", "digits"))
    raw.pre_tokenizer = pre_tokenizers.Sequence([*steps(name), last])
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, special_tokens=["<|end|>"], show_progress=False
    )
    raw.train_from_iterator(TEXT, trainer)
    return raw


@pytest.fixture(autouse=True)
def small_texts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "LEAST", 0)


@pytest.fixture(scope="module", params=NAMES)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return Tokenizer(make(request.param), {}, [])


def check(tokenizer: Tokenizer, texts: list[str], threads: int = 1) -> None:
    """With another copy of the vocabulary, which knows nothing yet, and with this one."""
    found = tokenizer.encode_batch(texts, threads)
    expected = [tokenizer.encode(text) for text in texts]
    for text, a, b in zip(texts, found, expected, strict=True):
        assert a.dtype == np.uint32
        assert a.tolist() == b, text


def uses_kernel(tokenizer: Tokenizer) -> bool:
    tokenizer.encode_batch(["a"])
    return bool(tokenizer._fast)


WHITE = st.text(st.sampled_from(" \t\n\r\x0b\x0c\x85\xa0\u2003\u2028\u3000\u200b"), max_size=6)
SHORT = st.sampled_from(
    [
        "'s",
        "'S",
        "'ſ",
        "'T",
        "'re",
        "'Re",
        "'rE",
        "'LL",
        "'ll",
        "'lL",
        "'ve",
        "'m",
        "'d",
        "'",
        "''",
        "'x",
        "ſ",
        "K",
        "'ß",
    ]
)
DIGITS = st.text(st.sampled_from("0123456789٠१२３½²Ⅷ〇五🯰"), max_size=7)
SIGNS = st.text(st.sampled_from("'’\"“”.,;:!?-—…()[]{}<>|+=^~$`_\\/#@*&%。，！？「」"), max_size=4)
MARKS = st.sampled_from(
    ["e\u0301", "a\u0308\u0327", "\u0301", "न\u093f", "👩\u200d🚀", "❤\ufe0f", "🇨🇳", "👍🏽", "\0", "\ufeff"]
)
WORDS_OF_ALL = st.text(
    st.sampled_from("abcdstremvlSTREéçñßŁżİıſЯжعرहकไทខ中文字符々ー公元人工智能日本語ひらカタｶ한국𠀀𝒳"), max_size=6
)
PIECES = st.lists(
    st.one_of(WHITE, SHORT, DIGITS, SIGNS, MARKS, WORDS_OF_ALL, st.text(max_size=4), st.sampled_from(TEXT)), max_size=14
).map("".join)


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(PIECES, max_size=4))
def test_any_text_gives_the_ids_of_the_library(tokenizer: Tokenizer, texts: list[str]) -> None:
    check(tokenizer, texts)


@pytest.mark.slow
def test_every_code_point_is_what_the_library_takes_it_for(tokenizer: Tokenizer) -> None:
    assert uses_kernel(tokenizer)
    points = [*range(1, 0xD800), *range(0xE000, 0x30000), *range(0xE0000, 0xE0200)]
    for around in ("a{}b", " {} ", "'{}x", "1{}1"):
        texts = [
            "\n".join(around.format(chr(point)) for point in points[at : at + 2048])
            for at in range(0, len(points), 2048)
        ]
        check(tokenizer, texts)


def test_pieces_are_not_cut_by_chunks_threads_or_a_memory_that_overflows(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(1)
    words = [word for text in TEXT for word in text.replace("。", "。 ").split(" ")]
    texts = [
        "".join(rng.choice(words) + rng.choice(["", " ", "  ", "\n"]) for _ in range(n)) for n in (3, 400, 0, 1, 2000)
    ]
    texts += [
        "",
        "a" * 3000,
        " " * 3000,
        "“" * 3000,
        "我" * 3000,
        "1" * 3000,
        "\n" * 3000 + "x",
        "a" * 2000 + " b" * 900,
    ]
    monkeypatch.setattr(fast, "CHUNK", 97)
    monkeypatch.setattr(bpe, "MOST_PIECES", 50)
    fresh = Tokenizer(tokenizer._raw, {}, [])
    for threads in (1, 3):
        check(fresh, texts, threads)


@pytest.mark.parametrize("name", ["gpt2", "llama3"])
def test_whole_tokens_may_be_exempt_from_merges(name: str) -> None:
    """Tokens that no merge leads to: a whole piece becomes one of them, a part of a longer piece does not."""
    raw = make(name)
    state = raw.to_str()
    size = raw.get_vocab_size()
    extra = "".join(f',"{token}":{size + n}' for n, token in enumerate(spelled(["zq", "没回", "你答", " zq"])))
    at = state.index('"vocab":{') + len('"vocab":{')
    end = state.index("}", state.index(f":{size - 1}", at))
    raw = tokenizers.Tokenizer.from_str(state[:end] + extra + state[end:])
    for ignore in (False, True):
        raw.model.ignore_merges = ignore
        tokenizer = Tokenizer(raw, {}, [])
        check(tokenizer, ["zq zq 没回 你答", "我没回你答没回。没回", "没回。你答，没回"] * 3)
        assert uses_kernel(tokenizer)
        assert raw.model.ignore_merges == ignore


def test_a_character_whose_bytes_join_a_blank_first_is_not_taken_whole() -> None:
    (a, b, c), blank = spelled(["“"])[0], "Ġ"
    merges = [(a, b), (blank, a + b), (a + b, c), (blank + a + b, c)]
    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *(left + right for left, right in merges)]
    raw = tokenizers.Tokenizer(models.BPE({token: n for n, token in enumerate(tokens)}, merges))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = Tokenizer(raw, {}, [])
    check(tokenizer, [" “", "“", "a “b", "““ “", "é“"])
    assert uses_kernel(tokenizer)


POOL = "कख ไทย न中文字。，éñ\u0308а́бя😀😁𠀀𝒳𐍈𑀓ࠀ߿ıſabts're 12\n’\u3000\U0010ffff\U00040000\ufeff"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_random_vocabularies_give_the_ids_of_the_library(seed: int) -> None:
    """Merges that no training would make: across characters, of parts of them, in any order."""
    rng = random.Random(seed)
    signs = {byte: sign for sign, byte in load._ALPHABET.items()}
    for _ in range(40):
        some = rng.sample(POOL, rng.randint(2, 7))
        texts = ["".join(rng.choices(some, k=rng.randint(1, 30))) for _ in range(20)]
        rows = [[signs[byte] for byte in text.encode()] for text in texts]
        lost = set(rng.sample(sorted(signs.values()), rng.choice([0, 0, 0, 3])))
        tokens = [sign for sign in signs.values() if sign not in lost]
        merges: list[tuple[str, str]] = []
        for _ in range(rng.randint(0, 60)):
            row = rng.choice(rows)
            if len(row) < 2:
                continue
            at = rng.randrange(len(row) - 1)
            left, right = row[at : at + 2]
            if left in tokens and right in tokens and (left, right) not in merges:
                merges.append((left, right))
                tokens += [left + right] * (left + right not in tokens)
                row[at : at + 2] = [left + right]
        rng.shuffle(merges) if rng.random() < 0.2 else None
        model = models.BPE({token: n for n, token in enumerate(tokens)}, merges, ignore_merges=rng.random() < 0.3)
        raw = tokenizers.Tokenizer(model)
        name = rng.choice(NAMES)
        last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=name in ("gpt2", "digits"))
        raw.pre_tokenizer = pre_tokenizers.Sequence([*steps(name), last])
        tokenizer = Tokenizer(raw, {}, [])
        check(tokenizer, [*texts, "".join(rng.choices(some, k=200))])
        assert uses_kernel(tokenizer)


def spelled(texts: list[str]) -> list[str]:
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return [level.pre_tokenize_str(text)[0][0] for text in texts]


def test_what_the_kernel_does_not_cover_goes_to_the_library(pieces: Tokenizer) -> None:
    assert not uses_kernel(pieces)
    check(pieces, ["The year is 2042.    公元2042年 😀", "", " a"])
    raw = make("qwen2")
    raw.normalizer = normalizers.NFC()
    raw.add_tokens([AddedToken("<tool>", normalized=False)])
    tokenizer = Tokenizer(raw, {}, [])
    assert uses_kernel(tokenizer)
    texts = ["a <tool> b", "cafe\u0301", unicodedata.normalize("NFC", "cafe\u0301"), "a\0b", "<|end|>", "plain"]
    check(tokenizer, texts * 2)
    raw.normalizer = normalizers.Lowercase()
    assert not uses_kernel(Tokenizer(raw, {}, []))


@settings(max_examples=100, deadline=None)
@given(
    texts=st.lists(st.text(st.sampled_from("ab éñ中文\x04\x13!\U00050000\U000a0000\u0301"), max_size=12), max_size=3)
)
@pytest.mark.parametrize("name", ["gpt2", "smollm"])
def test_a_vocabulary_may_lack_bytes_as_smollm2_s_does(name: str, texts: list[str]) -> None:
    check(lacking(name), texts)
    check(lacking(name), [*texts, "中文\U00050000中文", "\x04", "!\x04!", "\x04\x13"])


@functools.cache
def lacking(name: str) -> Tokenizer:
    state = json.loads(make(name).to_str())
    gone = set(spelled(["\x04", "\x13"])) | {chr(0xF1), chr(0xF2)}
    vocab = {token: id for token, id in state["model"]["vocab"].items() if not gone & set(token)}
    state["model"]["vocab"] = {token: n for n, token in enumerate(vocab)}
    state["model"]["merges"] = [pair for pair in state["model"]["merges"] if not gone & set("".join(pair))]
    state["added_tokens"] = []
    tokenizer = Tokenizer(tokenizers.Tokenizer.from_str(json.dumps(state)), {}, [])
    assert uses_kernel(tokenizer)
    return tokenizer


def test_a_pattern_that_is_not_known_is_not_guessed() -> None:
    unknown = {"type": "Split", "pattern": {"Regex": r"\p{L}+"}, "behavior": "Isolated", "invert": False}
    last = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    assert pattern({"type": "Sequence", "pretokenizers": [unknown, last]}) is None
    assert pattern(last | {"use_regex": True}) is not None
    assert pattern(last | {"use_regex": True, "add_prefix_space": True}) is None
    assert pattern({"type": "Metaspace"}) is None
