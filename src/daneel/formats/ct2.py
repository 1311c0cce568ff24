"""What CTranslate2 keeps of a weight in each of its types. Source: `ModelSpec.optimize` in its `model_spec.py`."""

import numpy as np
from gguf import GGMLQuantizationType

from daneel.formats.gguf_file import Array
from daneel.formats.gguf_write import rounded as rounded_as

QUANTS = ("float32", "bfloat16", "int16", "int8")


def rounded(value: Array, quant: str, matrix: bool) -> Array:
    """A weight as CTranslate2 computes with it in float32; only a `matrix` is stored in integers, [outputs, inputs]."""
    if quant == "bfloat16":
        return rounded_as(value, GGMLQuantizationType.BF16)
    if quant == "float32" or not matrix:
        return value
    if quant == "int16":  # ten bits, one scale for the matrix
        scale = np.float32(2**10 / np.abs(value).max())
    else:
        largest = np.abs(value).max(axis=1, keepdims=True)
        largest[largest == 0] = 127
        scale = np.float32(127) / largest
    kept: Array = np.rint(value * scale) / scale
    return kept
