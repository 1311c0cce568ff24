"""Bytes of tokens to text that can be shown at once: no half characters, no stop string nor its beginning."""

import codecs
from collections.abc import Sequence


class TextStream:
    """The text of one answer, piece by piece. What `push` and `finish` return, put together, is the text.

    The stop string that is complete first ends the text before it, wherever tokens begin and end.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(stop)
        self._held = ""
        self.stopped = False
        """A stop string was met: nothing follows."""

    def push(self, data: bytes) -> str:
        """Take a token's bytes, and give the text that is now certain."""
        if self.stopped:
            return ""
        text = self._held + self._decoder.decode(data)
        # By end, then by start: so the cut does not depend on how the bytes came in.
        met = min(((text.index(s) + len(s), text.index(s)) for s in self._stop if s in text), default=None)
        if met is not None:
            self.stopped, self._held = True, ""
            return text[: met[1]]
        held = max((_overlap(text, s) for s in self._stop), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def finish(self) -> str:
        """What was held back and turned out to be text; the bytes of an unfinished character are left out."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of the text that begins the stop string."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
