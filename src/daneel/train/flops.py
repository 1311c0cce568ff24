"""How much arithmetic a token of training takes, and how much of it this machine can do."""

import time
from functools import cache

import torch
from torch import nn

from daneel.model.decoder import Decoder

# A side of the matrices that are multiplied: what the widest layers of small models have.
SIDE = 1024
PATIENCE = 0.2


@cache
def gemm_rate(dtype: torch.dtype) -> float:
    """Operations a second that PyTorch reaches here in products of matrices: the best of a fifth of a second."""
    a, b, out = (torch.ones(SIDE, SIDE, dtype=dtype) for _ in range(3))
    times: list[float] = []
    began = time.perf_counter()
    while not times or time.perf_counter() - began < PATIENCE:
        clock = time.perf_counter()
        torch.mm(a, b, out=out)
        times.append(time.perf_counter() - clock)
    return 2 * SIDE**3 / min(times)


def flops_per_token(model: Decoder, length: int) -> float:
    """Operations that the model asks for in forward and backward, for a token of a full row of `length`.

    6 for each weight that multiplies, and 12 for each element of the queries and each token that is seen (PaLM,
    arXiv:2204.02311, appendix B). A frozen weight takes 4, as no gradient of its own is computed. Where a token sees
    only those before it, it sees half the row; that documents in a row see less still is not counted, nor are norms
    and activations. Of an encoder-decoder, a token of the target together with one of the source.
    """
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    tables.discard(id(model.head_weight))  # as the output head it does multiply
    weights = [p for p in model.parameters() if p.ndim > 1 and id(p) not in tables]
    products = sum((6 if p.requires_grad else 4) * p.numel() for p in weights)
    arch = model.arch
    seen = sum(min(length, window or length) / 2 for window in arch.window)
    if arch.encoder_layers:
        seen += (arch.encoder_layers + arch.layers) * length
    return products + 12 * arch.heads * arch.head_dim * seen
