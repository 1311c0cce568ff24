"""Fresh weights for a model from scratch."""

import torch
from torch import nn

from daneel.formats.architecture import Architecture
from daneel.model.decoder import Decoder


@torch.no_grad()
def new_model(arch: Architecture, seed: int) -> Decoder:
    """Normal weights of the architecture's spread; what writes to the residual is smaller by sqrt(2 x layers).

    The scaling is GPT-2's: each of the 2 x layers additions then adds an equal share of the variance.
    """
    model = Decoder(arch)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif parameter.ndim == 1:
            nn.init.constant_(parameter, 0.0 if arch.norm_offset else 1.0)
        else:
            residual = name.endswith(("attention.out.weight", "mlp.down.weight"))
            std = arch.init_std / (2 * arch.layers) ** 0.5 if residual else arch.init_std
            nn.init.normal_(parameter, std=std, generator=generator)
    return model
