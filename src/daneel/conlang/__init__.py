"""Invented languages: a grammar file -> lexicon, sentences with glosses and English, sentence pairs; no torch.

`read` checks a TOML grammar into the dataclasses of `grammar`; `words` inflects, `sentence` says a meaning in the
language and `english` in English; `sample` draws meanings, `pairs` writes corpora, `invent` makes new languages.
"""
