"""Tests of a language model -> numbers with intervals."""
