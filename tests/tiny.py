"""Small random checkpoints, made on the spot by Transformers, and a 400-token tokenizer trained on the spot."""

import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

TEXT = [
    "The lamp was lit at dusk, and the keeper wrote it down. So it is entered.",
    "In 2042 the Slow Fleet came home, and nobody on Corran was awake to count the ships.",
    "公元2042年，灯塔的看守人写下了最后一页日志。海上没有风，也没有船。",
    "def tally(lamps: int) -> int:\n    return lamps + 1\n",
]

SIZES: dict[str, Any] = {
    "vocab_size": 400, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 80, "max_position_embeddings": 128,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip

CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2Config", {
        "vocab_size": 400, "n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 128,
        "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
    }),
    "llama": ("LlamaConfig", {**SIZES, "head_dim": 12, "tie_word_embeddings": True}),
    "llama3": ("LlamaConfig", {**SIZES, "rope_parameters": LLAMA3, "attention_bias": True, "mlp_bias": True}),
    "qwen2": ("Qwen2Config", {
        **SIZES, "use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1,
        "layer_types": ["full_attention", "sliding_attention"],
    }),
    "qwen3": ("Qwen3Config", {**SIZES, "head_dim": 16, "tie_word_embeddings": True}),
    "gemma3": ("Gemma3TextConfig", {
        **SIZES, "num_hidden_layers": 3, "head_dim": 16, "query_pre_attn_scalar": 20, "sliding_window": 5,
        "layer_types": ["sliding_attention", "sliding_attention", "full_attention"],
    }),
}  # fmt: skip

MARIAN = {
    "vocab_size": 400, "d_model": 48, "encoder_layers": 3, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 80, "decoder_ffn_dim": 80, "max_position_embeddings": 128,
    "scale_embedding": True, "activation_function": "swish", "decoder_start_token_id": 0, "forced_eos_token_id": 2,
    "dropout": 0.0,
}  # fmt: skip
T5 = {
    "vocab_size": 400, "d_model": 48, "d_kv": 16, "d_ff": 80, "num_layers": 3, "num_decoder_layers": 2, "num_heads": 4,
    "relative_attention_num_buckets": 8, "relative_attention_max_distance": 20, "decoder_start_token_id": 0,
    "n_positions": 128, "dropout_rate": 0.0,
}  # fmt: skip
SEQ2SEQ: dict[str, tuple[str, dict[str, Any]]] = {
    "marian": ("MarianConfig", MARIAN),
    "t5": ("T5Config", {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
    "t5-tied": ("T5Config", T5),
}
"""Encoder-decoders; the encoder has a layer more, so that the two cannot be taken for each other."""

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@cache
def tokenizer_json() -> str:
    """A byte-level BPE of 400 tokens, with ChatML's special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer.to_str()


def write_tokenizer(folder: Path) -> None:
    """`tokenizer.json` and `tokenizer_config.json`, as a model folder has them."""
    (folder / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "bos_token": "<|im_start|>",
        "add_bos_token": False, "chat_template": TEMPLATE, "model_max_length": 128,
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


def reference(family: str, seed: int = 0, std: float = 0.3, **changes: Any) -> Any:
    """A Transformers model with random weights wide enough that logits span more than ten."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import transformers

        name, sizes = (CONFIGS | SEQ2SEQ)[family]
        config = getattr(transformers, name)(
            **{**sizes, **changes}, bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=std, init_std=std
        )
        config._attn_implementation = "eager"
        torch.manual_seed(seed)
        kind = transformers.AutoModelForSeq2SeqLM if family in SEQ2SEQ else transformers.AutoModelForCausalLM
        model = kind.from_config(config).eval().float()
    with torch.no_grad():
        if family in SEQ2SEQ:
            for name, module in model.named_modules():
                if isinstance(module, torch.nn.Linear):
                    # T5 leaves scores as they are, so its queries are smaller.
                    module.weight.normal_(std=std / 4 if name.endswith(".q") else std)
        if family == "t5-tied":
            model.shared.weight.mul_(8)  # what the head reads is scaled down
        if family == "marian":
            model.final_logits_bias.normal_(std=std)
        for parameter in model.parameters():
            # Biases and norms too: a zero bias or a norm of ones would hide a missing one.
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * std)
    return model


def tiny_model(folder: Path, family: str = "llama", seed: int = 0, **changes: Any) -> Path:
    """A Hugging Face model folder with weights and tokenizer."""
    model = reference(family, seed, **changes)
    model.save_pretrained(folder)
    write_tokenizer(folder)
    return folder
