"""How probable a model finds a text."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from daneel.model.decoder import Decoder

# Rows of logits at a time: 256 x 262,144 x 4 bytes is 268 MB, the most that a small laptop should give.
CHUNK = 256


@torch.inference_mode()
def token_logprobs(model: Decoder, ids: list[int], start: int = 1, window: int | None = None) -> NDArray[np.float32]:
    """Natural log of p(ids[i] | ids before it) for i = start ... len(ids) - 1.

    A text longer than `window` (default: the model's context, at most 2048) is read in windows that overlap by
    half, and each token is scored once, with at least half a window before it. Needs start >= 1.
    """
    window = min(window or 2048, model.arch.context)
    out = np.empty(len(ids) - start, dtype=np.float32)
    done = start
    while done < len(ids):
        # The first window reaches as far as it can; later ones keep half a window of context.
        begin = 0 if done < window and done == start else max(0, done - window // 2)
        end = min(begin + window, len(ids))
        states = model.hidden(torch.tensor([ids[begin:end]]))[0, done - begin - 1 : end - begin - 1]
        targets = torch.tensor(ids[done:end])
        for i in range(0, len(targets), CHUNK):
            logits = F.linear(states[i : i + CHUNK], model.head_weight).float()
            losses = F.cross_entropy(logits, targets[i : i + CHUNK], reduction="none")
            out[done - start + i : done - start + i + len(losses)] = -losses.numpy()
        done = end
    return out
