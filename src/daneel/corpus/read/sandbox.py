"""Parsers of documents in a process of their own, with a limit of time and memory.

A PDF or a page can make C code loop, crash or take all memory, which no exception tells; then only that process is
lost, and the document is listed with the reason. One process serves many documents and ends with its parent.
"""

import atexit
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from daneel.corpus.read.item import Parsed, ReadSettings, UnusableError, one_line


def parse(kind: str, data: bytes | Path, settings: ReadSettings) -> Parsed:
    """A document parsed. Raises UnusableError with the reason."""
    process = _running.get(os.getpid())
    if process is None or not process.serves(settings):
        if process is not None:
            process.close()
        process = _running[os.getpid()] = _Process(settings)
    header: dict[str, Any] = {"kind": kind, "limit": settings.document_bytes}
    if isinstance(data, Path):
        header["path"], data = os.fsencode(data.absolute()).hex(), b""
    try:
        answer, text = process.ask(header, data, settings.parse_seconds)
    except UnusableError:
        del _running[os.getpid()]
        process.close()
        raise
    if reason := answer.pop("reason", ""):
        raise UnusableError(reason)
    return Parsed(text.decode(), **answer)


class _Process:
    def __init__(self, settings: ReadSettings):
        self._memory = settings.parse_memory
        # The working directory is not searched for modules, and what parsers print is nobody's business.
        command = [sys.executable, "-P", "-W", "ignore", "-m", __name__, str(self._memory)]
        folder = str(Path(__file__).parents[3])
        path = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
        )

    def serves(self, settings: ReadSettings) -> bool:
        return self._memory == settings.parse_memory

    def ask(self, header: dict[str, Any], payload: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            _send(self._process.stdin, header, payload)
            answer = _receive(self._process.stdout)
        except OSError:
            answer = None
        finally:
            timer.cancel()
        if answer is None:
            raise UnusableError(f"takes longer than {seconds:g} s to read" if late.is_set() else "its reader crashed")
        return answer

    def close(self) -> None:
        self._process.kill()
        # Popen closes the pipes; what it could not write to a dead process it may forget.
        try:
            self._process.communicate()
        except (OSError, ValueError):
            self._process.wait()


# By process: a forked child must not use its parent's.
_running: dict[int, _Process] = {}


@atexit.register
def _close() -> None:
    if process := _running.pop(os.getpid(), None):
        process.close()


def _send(stream: Any, header: dict[str, Any], payload: bytes) -> None:
    head = json.dumps(header | {"payload": len(payload)}).encode()
    stream.write(len(head).to_bytes(4, "big") + head)
    stream.write(payload)
    stream.flush()


def _receive(stream: Any) -> tuple[dict[str, Any], bytes] | None:
    """A message, or None where the other side is gone."""
    size = stream.read(4)
    if len(size) < 4:
        return None
    header: dict[str, Any] = json.loads(stream.read(int.from_bytes(size, "big")))
    length = header.pop("payload")
    payload = stream.read(length)
    return (header, payload) if len(payload) == length else None


def _answer(header: dict[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
    from daneel.corpus.read.documents import parse_here

    try:
        if "path" in header:
            with open(os.fsdecode(bytes.fromhex(header["path"])), "rb") as file:
                payload = file.read(header["limit"] + 1)
        parsed = parse_here(header["kind"], payload, header["limit"])
        text = parsed.text.encode("utf-8", "replace")
        return {"about": parsed.about, "encoding": parsed.encoding, "note": parsed.note}, text
    except Exception as error:  # Whatever a parser raises is a reason, never the end.
        return {"reason": one_line(error)}, b""


def _limit_memory(size: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    except (ImportError, OSError, ValueError):
        pass  # Windows has none, and macOS refuses.


def _serve() -> None:
    _limit_memory(int(sys.argv[1]))
    # Parsers may print; answers go out where they cannot reach.
    out: BinaryIO = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (request := _receive(sys.stdin.buffer)) is not None:
        _send(out, *_answer(*request))


if __name__ == "__main__":
    _serve()
