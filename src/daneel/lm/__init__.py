"""LanguageModel, the one interface of everything that works with text, and the models behind it."""
