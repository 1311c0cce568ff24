"""Fresh weights for a model from scratch."""

import torch
from torch import nn

from daneel.formats.architecture import Architecture
from daneel.model.decoder import Decoder
from daneel.model.encoder_decoder import EncoderDecoder


def empty_model(arch: Architecture) -> Decoder:
    """The modules, without values in them."""
    return EncoderDecoder(arch) if arch.encoder_layers else Decoder(arch)


@torch.no_grad()
def new_model(arch: Architecture, seed: int) -> Decoder:
    """Normal weights of the architecture's spread; what writes to the residual is smaller by sqrt(2 x layers).

    The scaling is GPT-2's: each of the 2 x layers additions then adds an equal share of the variance. Norms after the
    residual undo it, so there nothing is scaled. Where scores are not divided by the root of a head's size (T5),
    queries are smaller by it instead.
    """
    model = empty_model(arch)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):  # also that of the head, which has two axes
            nn.init.zeros_(parameter)
        elif parameter.ndim == 1:
            nn.init.constant_(parameter, 0.0 if arch.norm_offset else 1.0)
        else:
            residual = arch.norms != "after" and name.endswith(
                ("attention.out.weight", "cross.out.weight", "mlp.down.weight")
            )
            std = arch.init_std / (2 * arch.layers) ** 0.5 if residual else arch.init_std
            nn.init.normal_(parameter, std=std, generator=generator)
            if arch.zero_pad and name == "embed.weight":
                parameter[arch.pad] = 0
            if arch.attention_scale == 1.0 and name.endswith(("qkv.weight", "cross.q.weight")):
                parameter[: arch.heads * arch.head_dim] *= arch.head_dim**-0.5
    return model


def keep_pad_zero(model: Decoder) -> None:
    """Where the embedding of padding is zero, it learns nothing, neither from below nor as a row of the head."""
    if model.arch.zero_pad and model.embed.weight.requires_grad:
        pad = torch.tensor([model.arch.pad])
        model.embed.weight.register_hook(lambda gradient: gradient.index_fill(0, pad, 0))  # type: ignore[no-untyped-call]
