from pathlib import Path

import pytest
from transformers import AutoTokenizer

from daneel.errors import DataError
from daneel.tokenizer.chat import ChatTemplate, encode_chat, preview
from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.train import CHATML

TURNS = [
    {"role": "user", "content": "Who are you?"},
    {"role": "assistant", "content": "丹尼尔。\nA robot who passes for a person 🤖"},
    {"role": "user", "content": "  And now?  "},
    {"role": "assistant", "content": "\nNow I answer twice."},
]
SYSTEM = {"role": "system", "content": "Be brief."}
# A template that says itself what the assistant wrote, as TRL's do.
MARKED = CHATML.replace(
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}",
    "{{ '<|im_start|>' + message['role'] + '\\n' }}{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\\n' }}",
)
# Qwen3 writes the last answer with an empty thought, and the earlier ones without.
THINKING = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' }}"
    "{%- if loop.last and message.role == 'assistant' %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
    "{{- message.content.strip() + '<|im_end|>' + '\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def learned(tokenizer: Tokenizer, messages: list[dict[str, str]]) -> list[str]:
    return [text for text, loss in preview(tokenizer, *encode_chat(tokenizer, messages)) if loss]


@pytest.fixture
def with_template(byte_level: Tokenizer, tmp_path: Path):
    def load(source: str) -> Tokenizer:
        byte_level.save(tmp_path)
        (tmp_path / "chat_template.jinja").write_text(source)
        return Tokenizer.load(tmp_path)

    return load


@pytest.mark.parametrize("source", [CHATML, MARKED])
def test_loss_is_on_the_answers_and_their_end(with_template, source: str) -> None:
    tokenizer = with_template(source)
    answers = [f"{turn['content']}<|im_end|>" for turn in TURNS if turn["role"] == "assistant"]
    # The line break that opens the second answer shares a token with the one before it, which is learned too.
    assert [text.lstrip("\n") for text in learned(tokenizer, TURNS)] == [text.lstrip("\n") for text in answers]
    assert learned(tokenizer, [SYSTEM, *TURNS[:2]]) == answers[:1]
    assert learned(tokenizer, TURNS[:1]) == []


def test_ids_and_mask_are_those_of_transformers(byte_level: Tokenizer, with_template, tmp_path: Path) -> None:
    tokenizer = with_template(MARKED)
    theirs = AutoTokenizer.from_pretrained(tmp_path).apply_chat_template(
        [SYSTEM, *TURNS], return_assistant_tokens_mask=True, return_dict=True
    )
    masked = [bool(loss) for loss in theirs["assistant_masks"]]
    assert encode_chat(tokenizer, [SYSTEM, *TURNS]) == (theirs["input_ids"], masked)
    # Found by rendering prefixes, the same tokens.
    assert encode_chat(byte_level, [SYSTEM, *TURNS]) == (theirs["input_ids"], masked)


def test_gemma_style(pieces: Tokenizer, pieces_folder: Path) -> None:
    theirs = AutoTokenizer.from_pretrained(pieces_folder)
    ids, _ = encode_chat(pieces, TURNS)
    assert ids == theirs.apply_chat_template(TURNS)["input_ids"]
    assert ids[0] == pieces.bos
    assert [text.lstrip("\n") for text in learned(pieces, TURNS)] == [
        f"{turn['content'].strip()}<end_of_turn>" for turn in TURNS if turn["role"] == "assistant"
    ]
    assert pieces.chat is not None
    prompt = pieces.chat.render(TURNS[:1], add_generation_prompt=True)
    assert (
        pieces.encode(prompt, special=True)
        == theirs.apply_chat_template(TURNS[:1], add_generation_prompt=True)["input_ids"]
    )


def test_an_earlier_turn_written_differently_is_found(with_template) -> None:
    first, second = learned(with_template(THINKING), TURNS)
    assert first == f"{TURNS[1]['content']}<|im_end|>"
    assert second == "<think>\n\n</think>\n\nNow I answer twice.<|im_end|>"


def test_a_conversation_that_the_assistant_opens(with_template) -> None:
    assert learned(with_template(CHATML), [{"role": "assistant", "content": "Hello."}]) == ["Hello.<|im_end|>"]


def test_turns_that_cannot_be_found_are_an_error(with_template) -> None:
    tokenizer = with_template("{{ messages | length }}{% for m in messages %}{{ m.content | upper }}{% endfor %}")
    with pytest.raises(DataError, match="message 2, the assistant's, cannot be found: split"):
        encode_chat(tokenizer, TURNS)


def test_what_the_template_refuses_is_one_line(pieces: Tokenizer) -> None:
    with pytest.raises(DataError, match=r"refuses a conversation of \[user, user\]: Conversation roles must alt"):
        encode_chat(pieces, [TURNS[0], TURNS[0]])
    with pytest.raises(DataError, match="give at least one"):
        encode_chat(pieces, [])
    with pytest.raises(DataError, match=r"refuses a conversation of \[user\]"):
        ChatTemplate("{{ 1 + messages[0].content }}", {}).render([{"role": "user", "content": "x"}])


def test_without_a_template(byte_level: Tokenizer, tmp_path: Path) -> None:
    byte_level.save(tmp_path)
    settings = (tmp_path / "tokenizer_config.json").read_text().replace('"chat_template"', '"other"')
    (tmp_path / "tokenizer_config.json").write_text(settings)
    with pytest.raises(DataError, match="no chat template"):
        encode_chat(Tokenizer.load(tmp_path), TURNS)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ messages | tojson }}", '[{"role": "user", "content": "<é>"}]'),
        ("{{ strftime_now('%Y')[:2] }}", "20"),
        ("{% for m in messages %}\n  {% if tools is none %}\nnone{% break %}{% endif %}{% endfor %}", "none"),
        ("{{ bos_token }}{{ eos_token }}", "<s>"),
    ],
)
def test_variables_and_filters_as_transformers(source: str, text: str) -> None:
    message = {"role": "user", "content": "<é>", "tool_calls": None}
    assert ChatTemplate(source, {"bos_token": "<s>"}).render([message]) == text


@pytest.mark.parametrize("source", ["{{ messages.append(1) }}", "{{ ''.__class__.__mro__ }}", "{% if %}"])
def test_the_sandbox_holds(source: str) -> None:
    with pytest.raises(DataError):
        ChatTemplate(source, {}).render([{"role": "user", "content": "x"}])


def test_preview_gives_every_character_once(byte_level: Tokenizer) -> None:
    ids, mask = encode_chat(byte_level, TURNS)
    assert "".join(text for text, _ in preview(byte_level, ids, mask)) == byte_level.decode(ids)
