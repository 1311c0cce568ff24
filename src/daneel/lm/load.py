"""A name to a language model."""

from daneel.lm.base import LanguageModel
from daneel.store import resolve


def load(name: str, dtype: str = "float32") -> LanguageModel:
    """The model that the store knows by this name, hub id, folder or file. Raises ModelError.

    What measures keeps the exact float32; what writes takes `auto`, which is bfloat16 where that is faster.
    """
    folder = resolve(name)
    from daneel.lm.local import LocalModel

    return LocalModel(folder, name, dtype)
