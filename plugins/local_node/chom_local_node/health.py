"""Ask a site who it is. A status code proves nothing: the answer must carry the site's own marker."""

from __future__ import annotations

import html
import http.client
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from .records import SiteRecord
from .types import N_, Progress, Report, RunnerError


@dataclass(frozen=True)
class Page:
    """One answer: `marker` is the X-Chom-Site header, `title` the text of the page's <title>."""

    status: int
    marker: str
    title: str


def look(record: SiteRecord, timeout: float = 30.0) -> Page | None:
    """The site's front page, asked for on loopback under the site's name; None if nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", record.port, timeout=timeout)
    try:
        connection.request("GET", "/", headers={"Host": record.host, "Connection": "close"})
        answer = connection.getresponse()
        body = answer.read(2_000_000).decode("utf-8", "replace")
        found = re.search(r"<title[^>]*>(.*?)</title>", body, re.S | re.I)
        title = html.unescape(found.group(1)).strip() if found else ""
        return Page(answer.status, answer.getheader("X-Chom-Site") or "", title)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def is_itself(page: Page | None, record: SiteRecord, title: str | None = None) -> bool:
    """Whether `page` is this site's: 200, its marker and, where asked for, its title."""
    if page is None or page.status != 200 or page.marker != record.marker:
        return False
    return title is None or _letters(title) in _letters(page.title)


def wait(
    record: SiteRecord, title: str | None, alive: Callable[[], bool], log: Callable[[], str], report: Report,
    seconds: float = 240.0,
) -> None:  # fmt: skip
    """Wait until the site shows itself. RunnerError when its process ends, or `seconds` pass."""
    begun = time.monotonic()
    page = None
    while time.monotonic() - begun < seconds:
        page = look(record)
        if is_itself(page, record, title):
            return
        if not alive():
            raise RunnerError(
                f"The process of {record.name} ended: {log()}", fix="Start it again; look at its log."
            )
        report(
            Progress(
                N_("Waiting for the site to show itself"), int(time.monotonic() - begun), None, "seconds"
            )
        )
        time.sleep(0.2)
    raise RunnerError(
        f"{record.name} did not show its own page within {seconds:.0f} s; last seen: {page}. {log()}",
        fix="Start it again; look at its log.",
    )


def _letters(text: str) -> str:
    """Letters and digits only: WordPress rewrites quotes, dashes and “x” between numbers in what it shows."""
    plain = unicodedata.normalize("NFKC", text).replace("×", "x").casefold()
    return "".join(character for character in plain if character.isalnum())
