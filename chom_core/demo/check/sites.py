"""Visiting the sites that were built, at their own addresses, and looking for what a deleted one left."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2

from chom_core.demo.check.browser import CheckFailed
from chom_core.demo.check.html import Document
from chom_core.demo.place import processes


class Visitor:
    """A visitor of sites: every `*.localhost` is this machine, as browsers have it."""

    def __init__(self) -> None:
        self._client = httpx2.Client(timeout=60, follow_redirects=False)
        self._jar: dict[str, dict[str, str]] = {}

    def open(self, url: str) -> tuple[str, httpx2.Response]:
        """Follow redirects; the final address and its answer."""
        for _ in range(10):
            parts = urlsplit(url)
            there = parts._replace(netloc=f"127.0.0.1:{parts.port or 80}").geturl()
            jar = self._jar.setdefault(parts.netloc, {})
            cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
            answer = self._client.get(there, headers={"Host": parts.netloc, "Cookie": cookie})
            for line in answer.headers.get_list("set-cookie"):
                name, _sign, value = line.partition(";")[0].partition("=")
                jar[name.strip()] = value
            if answer.status_code not in (301, 302, 303, 307, 308):
                return url, answer
            url = urljoin(url, answer.headers["location"])
        raise CheckFailed(f"{url} redirects for ever")

    def title(self, url: str) -> str:
        """The title of the page at `url`."""
        _, answer = self.open(url)
        return Document(answer.text).title.strip()


def answers(url: str) -> bool:
    """Whether somebody listens at the address."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port or 80)) == 0


def traces(folder: Path, name: str = "") -> list[str]:
    """Files below `folder` named after the site, and processes that work in it (of that site, or any)."""
    found = [str(path) for path in folder.rglob(f"{name}*")] if name and folder.exists() else []
    return found + [
        f"process {pid} in {where}" for pid, where in processes(folder / "sites" / name if name else folder)
    ]
