"""Small tokenizers of both kinds, trained on the spot."""

import json
from pathlib import Path

import pytest
import tokenizers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, trainers

from daneel.tokenizer.load import Tokenizer
from daneel.tokenizer.train import train_tokenizer

TEXT = [
    "The year is 2042. AI has advanced to the point where nobody asks.\n\nShe didn't answer; it's late.",
    "公元2042年，人工智能已经发展到了这样的地步：没有人再提问。“你听见了吗？”他问。",
    "def main():\n    return {'a': 1, 'b': 22}\n\tif x  ==  3:\n        pass\n",
    "café naïve Ω ½ 😀 👩‍🚀 mañana",
] * 20


@pytest.fixture(scope="session")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return train_tokenizer(TEXT, tmp_path_factory.mktemp("bytes"), 600)


@pytest.fixture(scope="session")
def pieces_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SentencePiece style as Gemma has it: `▁` for a space, byte fallback, runs of spaces as added tokens."""
    folder = tmp_path_factory.mktemp("pieces")
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
    raw = tokenizers.Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    raw.normalizer = normalizers.Replace(" ", "▁")
    raw.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    raw.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=[*special, *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    raw.train_from_iterator([text for text in TEXT if "😀" not in text], trainer)
    # The trainer makes every special token an added one; byte pieces are ordinary vocabulary.
    state = json.loads(raw.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] in special]
    raw = tokenizers.Tokenizer.from_str(json.dumps(state))
    raw.add_tokens([AddedToken("▁▁▁▁", normalized=False), AddedToken("\n\n", normalized=False)])
    raw.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": True,
        "bos_token": {"content": "<bos>", "__type": "AddedToken"},
        "eos_token": "<eos>",
        "chat_template": [
            {"name": "default", "template": GEMMA},
            {"name": "tool_use", "template": "{{ raise_exception('not this one') }}"},
        ],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "config.json").write_text(json.dumps({"eos_token_id": 1, "bos_token_id": 2}))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [1, 5]}))
    return folder


GEMMA = """{{ bos_token }}
{%- for message in messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}
"""


@pytest.fixture(scope="session")
def pieces(pieces_folder: Path) -> Tokenizer:
    return Tokenizer.load(pieces_folder)
