"""Text without meaning, as long as wanted."""

from hypothesis import strategies as st

from daneel.corpus.document import Document, digest

TEXTS = st.lists(
    st.sampled_from(["word ", "字", "。", ". ", "\n", "\n\n", "Chapter 2\n", "第三回 x\n", "x" * 30]), max_size=200
).map("".join)
"""Texts of everything that a text is cut at."""


def document(text: str, name: str = "a") -> Document:
    return Document(text, f"{name}.txt", name, "", "en", "", digest(text))


def prose(count: int, start: int = 0) -> str:
    """Sentences of ten words, paragraphs of five sentences; every word differs."""
    spoken = [f"w{n}" for n in range(start, start + count)]
    sentences = [" ".join(spoken[n : n + 10]) + "." for n in range(0, count, 10)]
    return "\n\n".join(" ".join(sentences[n : n + 5]) for n in range(0, len(sentences), 5))
