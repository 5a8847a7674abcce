"""The web server of one static site: loopback only, one Host name only, one folder only.

It runs as a program of its own, by path (`python -I static.py …`) so that it loads nothing of CHOM, or as
`python -m chom_local_node.static`. Standard library only.
"""

from __future__ import annotations

import argparse
import mimetypes
import os
import shutil
import socketserver
import sys
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class StaticServer(ThreadingHTTPServer):
    """Serves `folder` to requests for `host` (NAME.localhost:PORT), each answer marked with the site's `marker`."""

    daemon_threads = True

    def __init__(self, port: int, folder: Path, host: str, marker: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.folder = folder.resolve()
        self.host = host
        self.marker = marker

    def server_bind(self) -> None:
        """Bind, without the look-up of our own name that the standard server makes."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD of files below the folder; everything else is refused."""

    server: StaticServer
    server_version = "CHOM"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        if (self.headers.get("Host") or "").lower() != self.server.host:
            self._say(421, "No site of this name is served here.")
            return
        path = urlsplit(self.path).path
        target = find(self.server.folder, path)
        if target is None:
            self._say(404, "There is no such page.")
            return
        if target.is_dir():
            self._redirect("/" + path.strip("/") + "/")
            return
        with target.open("rb") as file:
            about = os.fstat(file.fileno())
            kind = mimetypes.guess_type(target.name)[0] or "application/octet-stream"
            text = kind.startswith("text/") or kind in ("application/javascript", "application/json")
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8" if text else kind)
            self.send_header("Content-Length", str(about.st_size))
            self.send_header("Last-Modified", formatdate(about.st_mtime, usegmt=True))
            self.end_headers()
            if self.command == "GET":
                shutil.copyfileobj(file, self.wfile)

    do_HEAD = do_GET

    def end_headers(self) -> None:
        self.send_header("X-Chom-Site", self.server.marker)
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def _redirect(self, path: str) -> None:
        self.send_response(308)
        self.send_header("Location", path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _say(self, status: int, words: str) -> None:
        body = f"{words}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def find(folder: Path, path: str) -> Path | None:
    """The file for a URL path, or a folder that wants a slash; None for what is missing, hidden or outside."""
    parts = [part for part in unquote(path).split("/") if part]
    if "\0" in path or any(part.startswith(".") or "\0" in part or "\\" in part for part in parts):
        return None
    try:
        # Links are followed here, and judged below by where they lead.
        target = folder.joinpath(*parts).resolve(strict=True)
        if target.is_dir() and path.endswith("/"):
            target = (target / "index.html").resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    if not target.is_relative_to(folder):
        return None
    hidden = any(part.startswith(".") for part in target.relative_to(folder).parts)
    if hidden or not (target.is_file() or target.is_dir()) or not os.access(target, os.R_OK):
        return None
    return target if target.is_file() or not path.endswith("/") else None


def drop_to(uid: int) -> None:
    """Become `uid`, for good. Done here and not by our parent: the interpreter may lie where `uid` cannot start it."""
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def keep_log_small(most: int) -> None:
    """Every half minute: when the log on standard error has passed `most` bytes, keep it as LOG.1 and begin anew."""
    while not threading.Event().wait(30):
        trim(2, most)


def trim(descriptor: int, most: int) -> None:
    """Copy the file open at `descriptor` to NAME.1 and empty it, if it is longer than `most` bytes."""
    if os.fstat(descriptor).st_size > most:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        with path.open("rb") as source, path.with_name(f"{path.name}.1").open("wb") as sink:
            shutil.copyfileobj(source, sink)
        os.truncate(descriptor, 0)


def main(arguments: list[str]) -> None:
    """Serve until ended by a signal."""
    parser = argparse.ArgumentParser(prog="chom_local_node.static")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--marker-file", type=Path, required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--uid", type=int, default=0)
    parser.add_argument("--log-bytes", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    mimetypes.init()
    server = StaticServer(options.port, options.folder, options.host, options.marker_file.read_text().strip())
    drop_to(options.uid)
    threading.Thread(target=keep_log_small, args=(options.log_bytes,), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
