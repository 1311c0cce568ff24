"""The language model you can open: grown from your own text, every claim about it checkable."""

from typing import Any

__all__ = ["pipeline"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Imported when asked for, so that `daneel --help` stays fast.
    if name == "pipeline":
        from daneel.lm.pipeline import pipeline

        return pipeline
    raise AttributeError(f"module 'daneel' has no attribute {name!r}")
