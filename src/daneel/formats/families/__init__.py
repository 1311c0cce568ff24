"""A family a file: how its Hugging Face config becomes an Architecture, and what its weights are called."""

from typing import Any, Protocol

from daneel.errors import ModelError
from daneel.formats.architecture import Architecture
from daneel.formats.families import gemma3, gpt2, llama, marian, qwen2, qwen3, t5
from daneel.formats.families.names import Weight


class Family(Protocol):
    """The functions of a family file."""

    def architecture(self, config: dict[str, Any]) -> Architecture:
        """What the config describes."""

    def weights(self, arch: Architecture) -> list[Weight]:
        """Our parameters, and the tensors of the file that make each."""


FAMILIES: dict[str, Family] = {
    "gpt2": gpt2,
    "llama": llama,
    "qwen2": qwen2,
    "qwen3": qwen3,
    "gemma3_text": gemma3,
    "marian": marian,
    "t5": t5,
}


def family(config: dict[str, Any]) -> Family:
    """The family of a config. Raises ModelError naming those we have."""
    kind = str(config.get("model_type"))
    if kind not in FAMILIES:
        raise ModelError(f"architecture {kind!r} is not supported; daneel runs {', '.join(FAMILIES)}")
    return FAMILIES[kind]


def matrices(arch: Architecture) -> dict[str, tuple[int, ...]]:
    """The matrices inside the blocks by our names, and the outputs of each of their parts."""
    weights = FAMILIES[arch.family].weights(arch)
    return {weight.ours: weight.sizes for weight in weights if weight.sizes and weight.ours.endswith(".weight")}


__all__ = ["FAMILIES", "Family", "Weight", "family", "matrices"]
