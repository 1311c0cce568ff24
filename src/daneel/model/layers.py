"""The parts every block is made of: linear maps, norms, the feed-forward network."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from daneel.formats.architecture import Architecture
from daneel.model.nibbles import Nibbles


class Linear(nn.Module):
    """y = x W^T + b, left uninitialised: weights are loaded or drawn by model/init.py."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None
        self.nibbles: Nibbles | None = None

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        if self.nibbles is not None and self.nibbles.fits(x):
            out = self.nibbles(x)
            return out if self.bias is None else out + self.bias
        return F.linear(x, self.weight, self.bias)


class RMSNorm(nn.Module):
    """arXiv:1910.07467; `offset` multiplies by 1 + w as Gemma does."""

    def __init__(self, size: int, eps: float, *, offset: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(size))
        self.eps, self.offset = eps, offset

    def forward(self, x: Tensor) -> Tensor:
        """The mean square is taken in float32 whatever the type."""
        # By the vector's length, which is one operation where square and mean are four: decoding feels each.
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        normed = x * torch.rsqrt(length * length * (1 / x.shape[-1]) + self.eps)
        if self.offset:
            return (normed * (self.weight.float() + 1.0)).to(x.dtype)
        return normed.to(x.dtype) * self.weight


class LayerNorm(nn.Module):
    """arXiv:1607.06450, with weight and bias."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(size))
        self.bias = nn.Parameter(torch.empty(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Over the last axis."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


Norm = RMSNorm | LayerNorm


def make_norm(arch: Architecture, size: int) -> Norm:
    """The norm that the architecture asks for."""
    if arch.norm == "rms":
        return RMSNorm(size, arch.norm_eps, offset=arch.norm_offset)
    return LayerNorm(size, arch.norm_eps)


class FeedForward(nn.Module):
    """down(act(up(x))), or down(act(gate(x)) * up(x)) with gate and up fused in one matrix."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.gated, self.activation = arch.gated, arch.activation
        self.up = Linear(arch.width, arch.hidden * (2 if arch.gated else 1), bias=arch.mlp_bias)
        self.down = Linear(arch.hidden, arch.width, bias=arch.mlp_bias)

    def act(self, x: Tensor) -> Tensor:
        """The architecture's activation function."""
        match self.activation:
            case "silu":
                return F.silu(x)
            case "gelu_tanh":
                return F.gelu(x, approximate="tanh")
            case "gelu":
                return F.gelu(x)
            case "relu":
                return F.relu(x)

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] -> [..., width]."""
        up = self.up(x)
        if self.gated:
            gate, up = up.chunk(2, dim=-1)
            out: Tensor = self.down(self.act(gate) * up)
        else:
            out = self.down(self.act(up))
        return out
