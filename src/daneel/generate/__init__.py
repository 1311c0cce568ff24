"""Weights to tokens: the sampler chain, the text stream, the engine and its backends."""
