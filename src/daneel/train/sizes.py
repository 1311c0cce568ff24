"""One dial for models from scratch: a number of parameters gives shape, vocabulary, learning rate, batch and steps.

None of it was swept here: each rule stands on the source beside it.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

from daneel.config import TrainConfig, seconds
from daneel.errors import UsageError
from daneel.formats.architecture import Architecture
from daneel.formats.families import llama, marian, t5
from daneel.tokenizer.load import Tokenizer

PAIR_SHAPES = ("marian", "t5")
"""Encoder-decoders."""


@dataclass(frozen=True)
class Size:
    """What a name stands for."""

    vocabulary: int
    width: int
    layers: int
    """Of an encoder-decoder, on each side."""
    heads: int
    hidden: int


def fitted_vocabulary(parameters: float) -> int:
    """Tokens for a model of so many parameters in all, a power of two."""
    # 1. From 4,096 at 3M on with the square root. Tao et al. (arXiv:2407.13623): the embeddings should grow as the
    #    other weights to the power 0.83, which over a width that grows with about their third root is near that.
    #    bench/vocabulary.py compares vocabularies at one number of parameters.
    return int(2 ** round(math.log2(4096 * math.sqrt(parameters / 3e6))))


def decoder_size(parameters: float) -> Size:
    """The Llama of about so many parameters, its embeddings among them."""
    vocabulary = fitted_vocabulary(parameters)

    # 2. A block has 12 x width^2 weights: 4 in attention, 8 in a gated feed-forward of 8/3 of the width (Llama,
    #    arXiv:2302.13971).
    def depth(width: int) -> float:
        return (parameters - vocabulary * width) / (12 * width**2)

    # 3. Of the widths in heads of 64 (arXiv:2302.13971 has 128, its small descendants 64) the one that is nearest to
    #    50 x the depth. Kaplan et al. (arXiv:2001.08361, figure 5): between 10 and 100 or so it hardly matters; GPT-2
    #    (64) and SmolLM2 (19) lie on either side, and wide matrices multiply faster.
    widths = [width for width in range(64, 4096, 64) if depth(width) > 0.5]
    width = min(widths, key=lambda width: abs(math.log(width / depth(width) / 50)))
    return Size(vocabulary, width, round(depth(width)), width // 64, -(-width * 8 // 3 // 32) * 32)


def pair_size(parameters: float) -> Size:
    """The encoder-decoder of about so many parameters; both sides share the embeddings."""
    vocabulary = fitted_vocabulary(parameters)
    # 4. Six blocks a side as the original Transformer (arXiv:1706.03762, 65M), four in those too small for six.
    layers = 6 if parameters > 2e7 else 4
    # 5. Feed-forward 4 x the width as there: with attention 12 x width^2 in a block of the encoder, and with attention
    #    to the source 16 in one of the decoder. That and the embeddings make the width; heads of 64, four if small.
    each = 28 * layers
    exact = (math.sqrt(vocabulary**2 + 4 * each * parameters) - vocabulary) / (2 * each)
    step = 64 if exact >= 256 else 16
    width = round(exact / step) * step
    return Size(vocabulary, width, layers, max(4, width // 64), 4 * width)


SIZES = {name: decoder_size(count) for name, count in (("3m", 3e6), ("10m", 1e7), ("30m", 3e7), ("100m", 1e8))}
PAIR_SIZES = {name: pair_size(count) for name, count in (("3m", 3e6), ("10m", 1e7), ("30m", 3e7), ("100m", 1e8))}
# An invented language has a few hundred words: the blocks of 3m with a small vocabulary.
PAIR_SIZES["2m"] = replace(PAIR_SIZES["3m"], vocabulary=512)

# 6. Chinchilla (arXiv:2203.15556): about 20 tokens a parameter.
TOKENS_PER_PARAMETER = 20
# 7. Muennighoff et al. (arXiv:2305.16264): text read four times teaches almost as much as four times the text.
MOST_EPOCHS = 4.0
# What a small model reaches of the rate of products alone, to tell how many tokens fit into a budget.
SHARE = 0.3
# 8. Nothing above 2e-3: the law below was fitted on 60M parameters and more, and 3m and 10m learned well with it.
MOST_LR = 2e-3
# Tokens a forward pass: more are split, so that what 100m holds of them for its gradients stays near a gigabyte.
PASS = 4096


def derived(config: TrainConfig, arch: Architecture, tokens: int) -> TrainConfig:
    """The settings with what was not given derived: epochs, learning rate and batch for so many tokens of text."""
    # Here, since a vocabulary is made with these sizes and without torch.
    import torch

    from daneel.model.init import empty_model
    from daneel.model.load import resolve_dtype
    from daneel.train.flops import flops_per_token, gemm_rate

    length = config.length
    assert length is not None
    with torch.device("meta"):
        model = empty_model(arch)
    count = sum(weight.numel() for weight in model.parameters())
    if config.epochs is None and config.steps is None and config.budget is None:
        config = replace(config, epochs=min(MOST_EPOCHS, TOKENS_PER_PARAMETER * count / tokens))
    planned = (config.epochs or MOST_EPOCHS) * tokens
    if config.budget:
        speed = SHARE * gemm_rate(resolve_dtype(config.dtype)) / flops_per_token(model, length)
        fit = seconds(config.budget) * speed
        planned = min(planned, fit) if config.epochs else fit
    if config.lr is None:
        config = replace(config, lr=peak_lr(count - model.embed.weight.numel(), planned))
    if config.batch is None:
        rows = max(1, round(batch_tokens(planned) / length))
        passes = max(config.accumulate, -(-rows * length // PASS))
        config = replace(config, batch=-(-rows // passes), accumulate=passes)
    return config


# 9. The step law (arXiv:2503.04715) of learning rate and batch, for weights without embeddings and tokens in all.
def peak_lr(weights: float, tokens: float) -> float:
    """The highest learning rate, to two digits."""
    return float(f"{min(MOST_LR, 1.79 * weights**-0.713 * tokens**0.307):.1e}")


def batch_tokens(tokens: float) -> float:
    """Tokens a step, no fewer than 2,048: that little text is far below what the law was fitted on."""
    return float(max(2048, 0.58 * tokens**0.571))


def sizes(size: str) -> Size:
    """The decoder of this size. Raises UsageError."""
    return _known(size, SIZES)


def pair_sizes(size: str) -> Size:
    """The encoder-decoder of this size. Raises UsageError."""
    return _known(size, PAIR_SIZES)


def _known(size: str, table: dict[str, Size]) -> Size:
    if size not in table:
        raise UsageError(f"--size {size} is not known; sizes: {', '.join(table)}")
    return table[size]


def scratch_config(size: Size, tokenizer: Tokenizer, context: int) -> dict[str, Any]:
    """The `config.json` of a new Llama of this size."""
    return llama.config(
        vocab_size=tokenizer.vocab_size, width=size.width, layers=size.layers, heads=size.heads, kv_heads=size.heads,
        hidden=size.hidden, context=context, bos=tokenizer.bos, eos=tokenizer.eos[0],
    )  # fmt: skip


def pair_config(shape: str, size: Size, tokenizer: Tokenizer, context: int) -> dict[str, Any]:
    """The `config.json` of a new encoder-decoder of this size."""
    assert tokenizer.pad is not None
    make = marian.config if shape == "marian" else t5.config
    return make(
        vocab_size=tokenizer.vocab_size, width=size.width, layers=size.layers, heads=size.heads, hidden=size.hidden,
        context=context, pad=tokenizer.pad, eos=tokenizer.eos[0],
    )  # fmt: skip
