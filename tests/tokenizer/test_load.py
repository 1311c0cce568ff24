import json
import shutil
import threading
from pathlib import Path

import pytest
import tokenizers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from daneel.errors import ModelError
from daneel.run import home
from daneel.tokenizer.chat import encode_chat
from daneel.tokenizer.load import Tokenizer

# Pieces that meet the corners: runs of spaces, half-known characters, special tokens' names, digits.
PARTS = st.sampled_from(
    [
        "  ",
        "    ",
        "\n\n",
        "\t",
        "The year",
        " 2042",
        "公元",
        "，",
        "😀",
        "👩‍🚀",
        "e\u0301",
        "<|im_end|>",
        "<eos>",
        "<0x41>",
    ]
)
TEXTS = st.lists(PARTS | st.text(max_size=8), max_size=8).map("".join)


def joined(tokenizer: Tokenizer, ids: list[int]) -> bytes:
    return b"".join(map(tokenizer.token_bytes, ids))


@pytest.mark.parametrize("name", ["byte_level", "pieces"])
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_bytes_of_tokens_join_to_the_text(request: pytest.FixtureRequest, name: str, text: str) -> None:
    tokenizer: Tokenizer = request.getfixturevalue(name)
    text = text.replace("▁", "_") if name == "pieces" else text  # SentencePiece writes a space so
    for special in (False, True):
        ids = tokenizer.encode(text, special=special)
        assert joined(tokenizer, ids) == text.encode()
        assert joined(tokenizer, ids).decode() == tokenizer.decode(ids)


@pytest.mark.parametrize("name", ["byte_level", "pieces"])
def test_every_id_has_the_bytes_that_decode_gives(request: pytest.FixtureRequest, name: str) -> None:
    tokenizer: Tokenizer = request.getfixturevalue(name)
    for id in range(tokenizer.vocab_size):
        assert tokenizer.token_bytes(id).decode("utf-8", "replace") == tokenizer.decode([id])
    assert tokenizer.token_bytes(tokenizer.vocab_size) == b""
    assert {tokenizer.token_bytes(id) for id in range(tokenizer.vocab_size)} >= {bytes([b]) for b in range(128)}


def test_half_characters_stay_bytes(byte_level: Tokenizer, pieces: Tokenizer) -> None:
    for tokenizer in (byte_level, pieces):
        ids = tokenizer.encode("鑫")
        assert len(ids) > 1
        assert joined(tokenizer, ids) == "鑫".encode()


def test_names_of_special_tokens_are_text_unless_asked(byte_level: Tokenizer) -> None:
    assert len(byte_level.encode("<|im_end|>")) > 1
    assert byte_level.encode("<|im_end|>", special=True) == [2]
    assert len(byte_level.encode("<|im_end|>")) > 1
    assert byte_level.token_bytes(2) == b"<|im_end|>"


@pytest.mark.parametrize("name", ["byte_level", "pieces"])
def test_ids_of_what_is_saved_are_those_of_transformers(
    request: pytest.FixtureRequest, name: str, tmp_path: Path
) -> None:
    tokenizer: Tokenizer = request.getfixturevalue(name)
    tokenizer.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    text = "The  year is 2042.\n\n公元，<start_of_turn><|im_end|>"
    assert tokenizer.prefix + tokenizer.encode(text, special=True) == theirs(text)["input_ids"]
    assert theirs.eos_token_id == tokenizer.eos[0]


def test_beginnings_and_ends(pieces: Tokenizer, byte_level: Tokenizer) -> None:
    assert (pieces.bos, pieces.eos, pieces.add_bos, pieces.prefix) == (2, (1, 5), True, [2])
    assert pieces.special_ids == {0, 1, 2, 3, 4, 5}
    assert (byte_level.bos, byte_level.eos, byte_level.prefix) == (None, (0, 2), [])
    assert byte_level.special_ids == {0, 1, 2}


def edited(folder: Path, out: Path, **settings: object) -> Tokenizer:
    shutil.copytree(folder, out)
    (out / "tokenizer_config.json").write_text(json.dumps(settings))
    return Tokenizer.load(out)


def test_what_the_settings_leave_out_comes_from_the_config(pieces_folder: Path, tmp_path: Path) -> None:
    tokenizer = edited(pieces_folder, tmp_path / "a")
    assert (tokenizer.bos, tokenizer.eos) == (2, (1, 5))
    assert not tokenizer.add_bos
    assert edited(pieces_folder, tmp_path / "b", bos_token=None).bos is None
    shutil.copytree(pieces_folder, tmp_path / "c")
    (tmp_path / "c" / "tokenizer_config.json").unlink()
    (tmp_path / "c" / "special_tokens_map.json").write_text('{"eos_token": {"content": "<end_of_turn>"}}')
    assert Tokenizer.load(tmp_path / "c").eos == (5, 1)


def test_a_post_processor_that_adds_bos_is_noticed(pieces_folder: Path, tmp_path: Path) -> None:
    raw = tokenizers.Tokenizer.from_file(str(pieces_folder / "tokenizer.json"))
    raw.post_processor = tokenizers.processors.TemplateProcessing("<bos> $A", None, [("<bos>", 2)])
    raw.enable_truncation(4)
    raw.enable_padding()
    raw.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text('{"bos_token": "<bos>", "eos_token": "<eos>"}')
    tokenizer = Tokenizer.load(tmp_path)
    assert tokenizer.prefix == [2]
    assert tokenizer.decode(tokenizer.encode("a b c d e f g h")) == "a b c d e f g h"  # not cut at 4


@pytest.mark.parametrize("form", ["settings", "jinja", "json", "none"])
def test_a_template_is_found_wherever_it_is_kept(pieces_folder: Path, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "model"
    template = "{{ messages[0]['content'] }}!"
    shutil.copytree(pieces_folder, folder)
    settings = {"chat_template": template if form == "settings" else None}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    if form == "jinja":
        (folder / "chat_template.jinja").write_text(template)
    if form == "json":
        (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    chat = Tokenizer.load(folder).chat
    assert (None if chat is None else chat.render([{"role": "user", "content": "hi"}])) == (
        None if form == "none" else "hi!"
    )


def test_save_and_load_agree(pieces: Tokenizer, tmp_path: Path) -> None:
    pieces.save(tmp_path)
    again = Tokenizer.load(tmp_path)
    text = "The  year 公元 <eos> 😀"
    assert again.encode(text) == pieces.encode(text)
    # Further ends belong to the model's configs.
    assert (again.bos, again.eos, again.prefix) == (2, (1,), [2])
    assert again.chat is not None
    assert again.chat.source == (pieces.chat.source if pieces.chat else None)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"


def test_threads_do_not_mix_up_special_tokens(byte_level: Tokenizer) -> None:
    wrong = []

    def work(special: bool) -> None:
        for _ in range(300):
            if (byte_level.encode("<|im_end|>", special=special) == [2]) != special:
                wrong.append(special)

    threads = [threading.Thread(target=work, args=(n % 2 == 0,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_errors_name_the_file_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no tokenizer\.json: save"):
        Tokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer.json is not a tokenizer"):
        Tokenizer.load(tmp_path)


def test_broken_settings_are_named(byte_level: Tokenizer, tmp_path: Path) -> None:
    byte_level.save(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(ModelError, match=r"tokenizer_config.json is not JSON"):
        Tokenizer.load(tmp_path)


@pytest.mark.weights
def test_smollm2_splits_digits_and_keeps_every_byte() -> None:
    folder = home() / "models" / "smollm2"
    if not folder.is_dir():
        pytest.skip("needs `daneel pull smollm2`")
    tokenizer = Tokenizer.load(folder)
    ids = [788, 216, 34, 32, 36, 34, 28, 216, 33, 41, 40, 36, 216, 355, 256, 35, 32, 32, 33, 47]
    assert tokenizer.encode("In 2042, 1984  or  3001?") == ids
    theirs = AutoTokenizer.from_pretrained(folder)
    turns = [{"role": "user", "content": "公元2042年？"}, {"role": "assistant", "content": "Yes 😀"}]
    assert encode_chat(tokenizer, turns)[0] == theirs.apply_chat_template(turns)["input_ids"]
    for text in ("公元2042年，人工智能 😀 é\t  x\n\n", "def f(x):\n    return x<|im_end|>"):
        assert joined(tokenizer, tokenizer.encode(text)) == text.encode()
        assert tokenizer.encode(text, special=True) == theirs(text)["input_ids"]


@pytest.mark.weights
@pytest.mark.parametrize("name", ["smollm2", "gemma3"])
def test_real_tokenizers_give_exact_bytes_and_save_as_they_are(name: str, tmp_path: Path) -> None:
    folder = home() / "models" / name
    if not folder.is_dir():
        pytest.skip(f"needs `daneel pull {name}`")
    tokenizer = Tokenizer.load(folder)
    tokenizer.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text in (
        "公元2042年，\n\n\n    👩‍🚀 é 𠮷",
        "x  ==  3\t<unused1> <0x41>",
        " leading",
        "鑫\u0000\ufffd",
    ):
        assert joined(tokenizer, tokenizer.encode(text)) == text.encode()
        assert tokenizer.prefix + tokenizer.encode(text, special=True) == theirs(text)["input_ids"]
    for id in range(0, tokenizer.vocab_size, 7):
        assert tokenizer.token_bytes(id).decode("utf-8", "replace") == tokenizer.decode([id])
