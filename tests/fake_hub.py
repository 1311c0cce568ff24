"""A local server that answers as the Hugging Face hub does, as far as a download needs it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0" * 39 + "1"


class Handler(BaseHTTPRequestHandler):
    """What the handlers of the tests share; each has its own `do_GET`."""

    asked: list[str] = []  # noqa: RUF012

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def repository(self, repo: str, files: dict[str, bytes], tags: list[str], path: str) -> None:
        """What the hub says of a repository, or one of its files."""
        if self.path.startswith("/api/"):
            if "/tree/" in self.path:
                tree = [{"type": "file", "path": n, "size": len(d), "oid": sha(d)} for n, d in files.items()]
                return self.reply(200, json.dumps(tree).encode())
            listed = [{"rfilename": name, "size": len(data)} for name, data in files.items()]
            info = {"id": repo, "sha": COMMIT, "siblings": listed, "tags": tags}
            return self.reply(200, json.dumps(info).encode())
        data = files[path.split("/resolve/")[1].split("/", 1)[1]]
        return self.reply(200, data, ETag=f'"{sha(data)}"', X_Repo_Commit=COMMIT)


def sha(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


def served(handler: type[Handler]) -> Iterator[str]:
    """The address of a server with this handler, while a test runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.asked.clear()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
