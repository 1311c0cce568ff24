"""Notices of rights and of who made the file: they are not the work."""

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

from daneel.corpus.settings import Count, Range, Settings
from daneel.corpus.step import Batch, Note, Result
from daneel.corpus.steps.common import change, short

_NOTICE = re.compile(
    r"all rights reserved|no part of this (?:book|publication|work|e-?book) may be (?:reproduced|copied|used)"
    r"|(?:copyright|\(c\)|©) *(?:\(c\)|©)? *(?:19|20)\d\d|this (?:work|book|text|file|document) is licensed under"
    r"|licensed under (?:the|a) (?:apache|mit|gnu|creative commons|cc)|creativecommons\.org/licenses"
    r"|permission is hereby granted, free of charge|redistribution and use in source and binary forms"
    r"|this (?:e-?book|e-?text) (?:is for the use of anyone|was (?:produced|prepared|made) by)"
    r"|版权所有|未经(?:书面|授权)?许可.{0,12}(?:转载|复制)|本(?:书|文|作品|电子书)由.{1,30}(?:整理|制作|上传|扫描|提供下载)"
    r"|(?:更多|免费).{0,8}(?:电子书|小说)请?(?:访问|登录|到)|采用.{0,12}知识共享.{0,20}许可",
    re.IGNORECASE,
)
_BLANK = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True)
class LicenceBlocks(Settings):
    """Removes paragraphs of copyright, licence and production notices near the beginning and the end of a text."""

    name: ClassVar[str] = "licence_blocks"
    paragraphs: Annotated[int, Range(0, 10_000)] = 20
    """So many paragraphs from each end are looked at: further inside, the words are the story's."""
    longest: Count = 1500
    """Characters; a longer paragraph is not a notice."""

    def apply(self, batch: Batch) -> Result:
        """The batch without notices."""
        return change(batch, self._strip)

    def _strip(self, text: str, notes: list[Note]) -> str:
        if not _NOTICE.search(text[:40_000]) and not _NOTICE.search(text[-40_000:]):
            return text
        ends = [match.end() for match in _BLANK.finditer(text)]
        spans = list(zip([0, *ends], [*ends, len(text)], strict=True))
        near = {*range(self.paragraphs), *range(len(spans) - self.paragraphs, len(spans))}
        gone = [
            (start, end)
            for number, (start, end) in enumerate(spans)
            if number in near and end - start <= self.longest and _NOTICE.search(text, start, end)
        ]
        if not gone:
            return text
        notes.append(Note("notices of rights removed", short(text[slice(*gone[0])]), len(gone)))
        for start, end in reversed(gone):
            text = text[:start] + text[end:]
        return text
