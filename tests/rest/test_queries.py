"""How many statements the commonest answers take: a query more is half a millisecond of every request (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from chom_core.database import engine
from chom_sdk.testing import Organisation


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to Postgres inside the block."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(" ".join(statement.split())[:90])

    event.listen(engine.engine(), "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine.engine(), "before_cursor_execute", note)


def test_a_list_by_api_takes_key_fence_and_rows(organisation: Organisation) -> None:
    organisation.api("GET", "/services/")
    with statements() as sent:
        assert organisation.api("GET", "/services/").status_code == 200
    assert len(sent) == 3, sent


def test_a_page_of_a_list_takes_five(organisation: Organisation) -> None:
    """Session, fence, rows, bell, and the rows' prices; where no row came, whether there is any at all instead."""
    browser = organisation.client()
    browser.get("/services/")
    with statements() as sent:
        answer = browser.get("/services/")
    assert answer.status_code == 200 and len(sent) == 5, sent
    assert "Set-Cookie" not in answer.headers, "a cookie that did not change is not signed again"
