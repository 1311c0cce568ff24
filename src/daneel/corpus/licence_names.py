"""The hub's names for licences, by what people call them."""

_NAMES = {
    **{name: name for name in ("apache-2.0", "mit", "gemma", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "unknown")},
    "apache 2.0": "apache-2.0",
    "gemma terms": "gemma",
    "gemma terms of use": "gemma",
    "cc0": "cc0-1.0",
    "cc by 4.0": "cc-by-4.0",
    "cc by-sa 4.0": "cc-by-sa-4.0",
}


def hub_licence(licence: str) -> str | None:
    """The hub's name for a licence; None if it has none that we know."""
    return _NAMES.get(licence.casefold())
