"""Simplified and traditional Chinese made one."""

import functools
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from daneel.corpus.settings import Settings
from daneel.corpus.step import Batch, Note, Result
from daneel.corpus.steps.common import difference


@dataclass(frozen=True)
class Script(Settings):
    """Chinese documents in one script, by OpenCC; phrases count, so 头发 becomes 頭髮 and 发展 becomes 發展."""

    name: ClassVar[str] = "script"
    to: Literal["keep", "simplified", "traditional"] = "keep"
    """The script that all Chinese text is written in afterwards."""

    def apply(self, batch: Batch) -> Result:
        """The batch in the script asked for."""
        if self.to == "keep":
            return Result(list(batch))
        result = Result([])
        for place, document in enumerate(batch):
            text = document.text
            if document.language == "zh":
                text = _converter("t2s" if self.to == "simplified" else "s2t").convert(text)
            if text != document.text:
                result.notes.append((place, Note(f"made {self.to} Chinese", difference(document.text, text))))
            result.documents.append(replace(document, text=text))
        return result


@functools.cache
def _converter(config: str) -> Any:
    from opencc import OpenCC

    return OpenCC(config)
