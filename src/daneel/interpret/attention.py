"""What each token of a text looks at."""

import torch

from daneel.charts import HeatMap
from daneel.model.decoder import Decoder
from daneel.tokenizer.load import Tokenizer

# More tokens cannot be told apart on a page.
LIMIT = 32


def attention(model: Decoder, tokenizer: Tokenizer, text: str, layers: int = 2) -> list[HeatMap]:
    """A map for each of the last layers, averaged over heads: row = the token that looks, column = looked at.

    Of a longer text the last LIMIT tokens are shown, with their weights as the whole text gave them.
    """
    ids = tokenizer.prefix + tokenizer.encode(text)
    count = model.arch.layers
    chosen = list(range(max(0, count - layers), count))
    maps = model.attention_maps(torch.tensor(ids), chosen).float().mean(dim=1)[:, -LIMIT:, -LIMIT:]
    names = [tokenizer.token_bytes(id).decode(errors="replace") for id in ids[-LIMIT:]]
    return [
        HeatMap(f"Layer {layer + 1} of {count}", names, names, weights.tolist())
        for layer, weights in zip(chosen, maps, strict=True)
    ]
