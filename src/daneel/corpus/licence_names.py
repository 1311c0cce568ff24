"""Names of licences: SPDX's, and the hub's, by what people call them."""

import re
from difflib import get_close_matches

from daneel.errors import UsageError

_SPDX = (
    "Apache-2.0", "MIT", "MIT-0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Unlicense", "Zlib", "WTFPL",
    "CC0-1.0", "PDDL-1.0", "CC-PDDC", "ODbL-1.0", "ODC-By-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0",
    "CDLA-Sharing-1.0", "C-UDA-1.0", "O-UDA-1.0", "OGL-UK-3.0", "etalab-2.0", "DL-DE-BY-2.0",
    "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "GPL-2.0", "GPL-3.0", "LGPL-2.1-only",
    "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "LGPL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later",
    "AGPL-3.0", "GFDL-1.2-or-later", "GFDL-1.3-only", "GFDL-1.3-or-later", "GFDL-1.3", "MPL-2.0", "EPL-2.0",
    "EUPL-1.2", "Artistic-2.0", "ECL-2.0", "AFL-3.0", "BSL-1.0", "MS-PL", "OFL-1.1", "MulanPSL-2.0", "LAL-1.3",
)  # fmt: skip
_KINDS = ("BY", "BY-SA", "BY-NC", "BY-ND", "BY-NC-SA", "BY-NC-ND")
_CC = tuple(f"CC-{kind}-{version}" for kind in _KINDS for version in ("1.0", "2.0", "2.5", "3.0", "4.0"))
_PUBLIC_DOMAIN = "public-domain"
_KNOWN = {name.casefold(): name for name in (*_SPDX, *_CC, _PUBLIC_DOMAIN)}
# A licence of Creative Commons may be that of a country, as CC-BY-2.0-FR.
_PORTED = re.compile(r"(cc-[a-z-]+-[1-3]\.[05])-(at|au|de|fr|igo|jp|nl|uk|us)")
_OWN = re.compile(r"(?:LicenseRef-[A-Za-z0-9.-]+|other:\s*\S.*)", re.DOTALL)
_CALLED = {
    "apache 2.0": "apache-2.0", "apache 2": "apache-2.0", "cc0": "cc0-1.0", "public domain": _PUBLIC_DOMAIN,
    "公有领域": _PUBLIC_DOMAIN, "gemma terms": "gemma", "gemma terms of use": "gemma",
}  # fmt: skip
# Where the hub's names are not those of SPDX in small letters.
_HUB = {"odbl-1.0": "odbl", "pddl-1.0": "pddl", "odc-by-1.0": "odc-by", "c-uda-1.0": "c-uda"} | {
    f"{name}-{which}": name
    for name in ("gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "agpl-3.0", "gfdl-1.3")
    for which in ("only", "or-later")
}
_HUB_NAMES = (
    "apache-2.0 mit isc bsd-2-clause bsd-3-clause unlicense zlib wtfpl cc0-1.0 pddl odbl odc-by cdla-permissive-1.0 "
    "cdla-permissive-2.0 cdla-sharing-1.0 c-uda etalab-2.0 gpl-2.0 gpl-3.0 lgpl-2.1 lgpl-3.0 agpl-3.0 gfdl mpl-2.0 "
    "epl-2.0 eupl-1.2 artistic-2.0 ecl-2.0 afl-3.0 bsl-1.0 ms-pl ofl-1.1 gemma unknown cc-by-2.0 cc-by-2.5 cc-by-3.0 "
    "cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 "
    "cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0"
)


def hub_licence(licence: str) -> str | None:
    """The hub's name for a licence; None if it has none that we know."""
    name = _plain(licence)
    name = "gfdl" if name.startswith("gfdl") else _HUB.get(name, name)
    return name if name in _HUB_NAMES.split() else None


def stated(licence: str) -> str:
    """A licence as SPDX writes it: a name, several with AND or OR, LicenseRef-NAME, or `other:` and free words.

    An empty one stays empty. Raises UsageError for what is none of these.
    """
    given = licence.strip()
    if not given or _OWN.fullmatch(given):
        return " ".join(given.split())
    return "".join(
        part if part.strip() in ("AND", "OR") else _named(part) for part in re.split(r"( (?:AND|OR) )", given)
    )


def _named(licence: str) -> str:
    name = _plain(licence)
    ported = _PORTED.fullmatch(name)
    if ported and ported[1] in _KNOWN:
        return f"{_KNOWN[ported[1]]}-{ported[2].upper()}"
    if name not in _KNOWN:
        near = get_close_matches(name, _KNOWN, 1)
        hint = f"did you mean {_KNOWN[near[0]]}? Otherwise give" if near else "give"
        raise UsageError(
            f"{licence!r} is no licence that we know: {hint} an SPDX name such as CC-BY-4.0, MIT or public-domain, or "
            'say it in your words after other:, as "other: with the author\'s permission"'
        )
    return _KNOWN[name]


def _plain(licence: str) -> str:
    """Small letters, and hyphens between the parts of a name."""
    name = " ".join(licence.casefold().split())
    return _CALLED.get(name, re.sub(r"[ _]", "-", name))
