"""Weights that stay as they are, chosen by name."""

import re
from fnmatch import filter as matching

from torch import nn

from daneel.errors import UsageError


def freeze(model: nn.Module, patterns: str) -> None:
    """Let the weights whose names match one of the patterns (fnmatch, divided by commas) learn no more.

    Raises UsageError for a pattern that no learning weight answers to, and if nothing is left to learn.
    """
    learning = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    for pattern in (part.strip() for part in patterns.split(",")):
        names = matching(learning, pattern)
        if not names:
            known = dict.fromkeys(re.sub(r"\.\d+(?=\.|$)", ".*", name) for name in learning)
            raise UsageError(f"--freeze: no weight that learns is called {pattern!r}; there are {', '.join(known)}")
        for name in names:
            learning[name].requires_grad_(False)
    if not any(weight.requires_grad for weight in learning.values()):
        raise UsageError(f"--freeze {patterns} leaves nothing to learn")
