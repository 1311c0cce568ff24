"""LoRA (arXiv:2106.09685) over our fused linears, in PEFT's format on disk."""

import json
import math
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from daneel.errors import ModelError, UsageError
from daneel.formats.architecture import Architecture
from daneel.formats.peft import CONFIG, WEIGHTS, AdapterConfig, Part, adapter_config, linear_parts
from daneel.model.decoder import Decoder
from daneel.model.layers import Linear


class LoRALinear(nn.Module):
    """y = x W^T + b + scale · x A^T B^T for each adapted part of a fused W; W and b do not learn."""

    def __init__(
        self, base: Linear, parts: list[Part], adapted: list[Part], config: AdapterConfig, draw: torch.Generator
    ) -> None:
        super().__init__()
        self.weight, self.bias = base.weight, base.bias
        self.adapted = adapted
        # Without names, which differ from block to block: the compiled block must fit them all.
        self.layout = [(part.size, part in adapted) for part in parts]
        self.rank, self.scale = config.rank, config.scale
        inputs = base.weight.shape[1]
        # One matrix for every A: they all read the same input.
        self.lora_a = nn.Parameter(torch.empty(len(adapted) * config.rank, inputs))
        self.lora_b = nn.ParameterList(nn.Parameter(torch.zeros(part.size, config.rank)) for part in adapted)
        # PEFT's start: Kaiming uniform with a = sqrt(5), that is U(-1/sqrt(in), 1/sqrt(in)).
        bound = 1 / math.sqrt(inputs)
        nn.init.uniform_(self.lora_a, -bound, bound, generator=draw)

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        inner = iter(F.linear(x, self.lora_a).split(self.rank, dim=-1))  # type: ignore[no-untyped-call]
        halves = iter(self.lora_b)
        deltas = [
            F.linear(next(inner), next(halves)) * self.scale if learns else x.new_zeros(*x.shape[:-1], size)
            for size, learns in self.layout
        ]
        return F.linear(x, self.weight, self.bias) + (torch.cat(deltas, dim=-1) if len(deltas) > 1 else deltas[0])

    def tensors(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Module name -> its A [r, in] and B [out, r]."""
        halves = zip(self.adapted, self.lora_a.split(self.rank), self.lora_b, strict=True)  # type: ignore[no-untyped-call]
        return {part.module: (a, b) for part, a, b in halves}

    @torch.no_grad()
    def merged(self) -> Linear:
        """A plain linear with the product added to its weights."""
        weight = self.weight.float().clone()
        for part, (a, b) in zip(self.adapted, self.tensors().values(), strict=True):
            weight[part.start : part.start + part.size] += self.scale * (b.float() @ a.float())
        out = Linear(weight.shape[1], weight.shape[0], bias=False)
        out.weight = nn.Parameter(weight.to(self.weight.dtype), requires_grad=False)
        out.bias = self.bias
        return out


def unmatched(arch: Architecture, config: AdapterConfig) -> list[str]:
    """Targets that no linear of the model answers to."""
    modules = [part.module for parts in linear_parts(arch).values() for part in parts]
    single = [config] if isinstance(config.targets, str) else [replace(config, targets=(t,)) for t in config.targets]
    return ["".join(one.targets) for one in single if not any(map(one.includes, modules))]


def add_lora(model: Decoder, config: AdapterConfig, seed: int = 0) -> None:
    """Put adapters into the chosen linears, in place. Raises UsageError if nothing matches."""
    draw = torch.Generator().manual_seed(seed)
    found = False
    for ours, parts in linear_parts(model.arch).items():
        adapted = [part for part in parts if config.includes(part.module)]
        if adapted:
            found = True
            parent, leaf = ours.rsplit(".", 1)
            base = model.get_submodule(ours)
            assert isinstance(base, Linear)
            setattr(model.get_submodule(parent), leaf, LoRALinear(base, parts, adapted, config, draw))
    if not found:
        leaves = sorted({p.module.rsplit(".", 1)[-1] for parts in linear_parts(model.arch).values() for p in parts})
        raise UsageError(f"no linear is called {config.targets!r}; this model has {', '.join(leaves)}")


def lora_layers(model: Decoder) -> dict[str, LoRALinear]:
    """The adapted linears by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoRALinear)}


def merge_lora(model: Decoder) -> None:
    """Replace each adapted linear by a plain one, in place."""
    for name, layer in lora_layers(model).items():
        parent, leaf = name.rsplit(".", 1)
        setattr(model.get_submodule(parent), leaf, layer.merged())


def save_adapter(folder: Path, model: Decoder, config: AdapterConfig) -> None:
    """`adapter_config.json` and `adapter_model.safetensors`, in float32. The caller makes it atomic."""
    tensors = {}
    for layer in lora_layers(model).values():
        for module, (a, b) in layer.tensors().items():
            tensors[f"base_model.model.{module}.lora_A.weight"] = a.detach().float().contiguous()
            tensors[f"base_model.model.{module}.lora_B.weight"] = b.detach().float().contiguous()
    leaves = {name.split(".")[-3] for name in tensors}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt", "base_sha256": config.base_sha256})
    (folder / CONFIG).write_text(json.dumps(adapter_config(config, model.arch, sorted(leaves)), indent=2))


@torch.no_grad()
def load_adapter(model: Decoder, folder: Path, config: AdapterConfig) -> None:
    """Put a saved adapter into the model, in place. Raises ModelError if tensors are missing or misshapen."""
    try:
        tensors = load_file(folder / WEIGHTS)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / WEIGHTS} cannot be read ({error})") from None
    add_lora(model, config)
    for layer in lora_layers(model).values():
        for module, halves in layer.tensors().items():
            for half, kind in zip(halves, "AB", strict=True):
                name = f"base_model.model.{module}.lora_{kind}.weight"
                if name not in tensors:
                    raise ModelError(f"{folder / WEIGHTS} has no tensor {name}")
                value = tensors.pop(name)
                if value.shape != half.shape:
                    raise ModelError(f"{folder / WEIGHTS}: {name} is {list(value.shape)}, not {list(half.shape)}")
                half.copy_(value)
    if tensors:
        raise ModelError(f"{folder / WEIGHTS} adapts {next(iter(tensors))}, which this model does not have")
