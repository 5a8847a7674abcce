"""Ask a site over loopback, byte for byte: nothing is normalised on the way."""

from __future__ import annotations

import http.client
from dataclasses import dataclass

from chom_local_node.records import SiteRecord


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str


def ask(
    record: SiteRecord, path: str = "/", *, host: str | None = None, method: str = "GET", cookie: str = ""
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", record.port, timeout=60)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", record.host if host is None else host)
        if cookie:
            connection.putheader("Cookie", cookie)
        connection.endheaders()
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode("utf-8", "replace"))
    finally:
        connection.close()
