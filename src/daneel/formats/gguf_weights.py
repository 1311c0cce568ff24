"""A GGUF file's tensors under their Hugging Face names, written one after the other.

Source: llama.cpp's `convert_hf_to_gguf.py`, run backwards: Llama's rows of Q and K return to their order,
Gemma's norms lose the 1 that was added, GPT-2's matrices are turned again.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from daneel.errors import ModelError
from daneel.formats.gguf_config import ROPE_FACTORS, tied
from daneel.formats.gguf_file import GGUF, Array

OUTSIDE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
INSIDE = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "ffn_norm": "post_attention_layernorm",
}
GEMMA_INSIDE = INSIDE | {
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
GPT2_OUTSIDE = {
    "token_embd": "transformer.wte",
    "position_embd": "transformer.wpe",
    "output_norm": "transformer.ln_f",
    "output": "lm_head",
}
GPT2_INSIDE = {
    "attn_norm": "ln_1",
    "attn_qkv": "attn.c_attn",
    "attn_output": "attn.c_proj",
    "ffn_norm": "ln_2",
    "ffn_up": "mlp.c_fc",
    "ffn_down": "mlp.c_proj",
}


@dataclass(frozen=True)
class Move:
    """Where one tensor of the file goes, and what must be undone on the way."""

    source: str
    target: str
    shape: tuple[int, ...]
    unpermute: int = 0
    """Heads whose rows llama.cpp had reordered; 0 for none."""
    minus_one: bool = False
    transpose: bool = False


def plan(gguf: GGUF, config: dict[str, Any]) -> list[Move]:
    """A move for every tensor that the model has. Raises ModelError for one that has no place in it."""
    arch = gguf.metadata["general.architecture"]
    outside, inside = (GPT2_OUTSIDE, GPT2_INSIDE) if arch == "gpt2" else (OUTSIDE, INSIDE)
    inside = GEMMA_INSIDE if arch == "gemma3" else inside
    layers = "transformer.h" if arch == "gpt2" else "model.layers"
    skip = {ROPE_FACTORS, *(["output.weight"] if tied(gguf) else [])}
    out = []
    for name, info in gguf.tensors.items():
        if name in skip:
            continue
        stem, _, leaf = name.rpartition(".")
        target = outside.get(stem)
        if stem.startswith("blk."):
            _, layer, part = stem.split(".", 2)
            target = f"{layers}.{layer}.{inside[part]}" if part in inside else None
            stem = part
        if target is None or leaf not in ("weight", "bias"):
            raise ModelError(f"{gguf.path} has a tensor {name!r} that no {arch} model of ours has a place for")
        transpose = arch == "gpt2" and len(info.shape) == 2 and stem in GPT2_INSIDE
        heads = {"attn_q": "num_attention_heads", "attn_k": "num_key_value_heads"}.get(stem)
        out.append(
            Move(
                name,
                f"{target}.{leaf}",
                info.shape[::-1] if transpose else info.shape,
                unpermute=config[heads] if arch == "llama" and heads else 0,
                minus_one=arch == "gemma3" and stem.endswith("norm"),
                transpose=transpose,
            )
        )
    return out


def write_weights(gguf: GGUF, moves: list[Move], path: Path) -> None:
    """`model.safetensors` in float32, tensor by tensor, to keep memory small. The caller makes it atomic."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for move in moves:
        end = at + 4 * int(np.prod(move.shape))
        header[move.target] = {"dtype": "F32", "shape": list(move.shape), "data_offsets": [at, end]}
        at = end
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)  # the data must begin at a multiple of eight
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        for move in moves:
            for part in _parts(gguf, move):
                file.write(np.ascontiguousarray(part, dtype="<f4").data)


def _parts(gguf: GGUF, move: Move) -> Iterator[Array]:
    if move.transpose:
        yield gguf.read(move.source).T
        return
    order = _row_order(gguf, move) if move.unpermute else None
    if order is not None and len(move.shape) == 1:
        yield gguf.read(move.source)[order]
        return
    for part in gguf.rows(move.source, order):
        yield part - np.float32(1) if move.minus_one else part


def _row_order(gguf: GGUF, move: Move) -> np.ndarray[Any, np.dtype[np.intp]]:
    """llama.cpp pairs neighbours in RoPE where Transformers pairs a head's halves."""
    rows = move.shape[0]
    if rows % (2 * move.unpermute):
        raise ModelError(f"{gguf.path} is damaged: {rows} rows of {move.source} do not make {move.unpermute} heads")
    return np.arange(rows).reshape(move.unpermute, -1, 2).swapaxes(1, 2).reshape(-1)
