"""Lists: what the query string says, what the cookie remembers, stable pages, and CSV nobody's spreadsheet runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, Response, request
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import DateTime, Integer, Select, String, Uuid, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from chom_core.web.export import csv_response, defuse
from chom_core.web.tables import Filter, ListPage, Page, Sort, View, moment

START = datetime(2026, 1, 1, tzinfo=UTC)


class Base(DeclarativeBase):
    pass


class Site(Base):
    __tablename__ = "site"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(String)
    size: Mapped[int] = mapped_column(Integer)
    made: Mapped[datetime] = mapped_column(DateTime(timezone=True))


SITES = ListPage(
    "sites",
    sorts={"name": Sort(Site.name), "size": Sort(Site.size, int), "made": Sort(Site.made, moment)},
    default="-made",
    filters=(Filter("q", "Name"), Filter("status", "Status", (("active", "Active"),))),
    size=7,
)
app = Flask(__name__)


def read(query: str, cookie: str = "") -> View:
    headers = {"Cookie": f"chom_list_sites={cookie}"} if cookie else {}
    with app.test_request_context(f"/sites?{query}" if query else "/sites", headers=headers):
        return SITES.read(request)


@pytest.fixture
def db() -> Session:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    session = Session(engine)
    session.add_all(
        Site(id=UUID(int=i + 1), name=f"s{i % 5}", size=i % 3, made=START + timedelta(days=i // 4))
        for i in range(23)
    )
    session.flush()
    return session


def page(db: Session, view: View) -> Page:
    def fetch(statement: Select[Any]) -> Sequence[Any]:
        return db.scalars(statement).all()

    return view.page(select(Site), Site.id, fetch)


@pytest.mark.parametrize("sort", ["name", "-name", "size", "-size"])
def test_walking_forth_and_back_sees_every_row_once(db: Session, sort: str) -> None:
    url, seen, pages = f"sort={sort}", [], []
    while True:
        now = page(db, read(url))
        pages.append([row.id for row in now.rows])
        seen += now.rows
        if not now.next_url:
            break
        url = now.next_url.partition("?")[2]
    key = sort.removeprefix("-")
    right = sorted(
        db.scalars(select(Site)).all(), key=lambda s: (getattr(s, key), s.id), reverse=sort[0] == "-"
    )
    assert [s.id for s in seen] == [s.id for s in right]
    back = []
    while now.previous_url:
        now = page(db, read(now.previous_url.partition("?")[2]))
        back.append([row.id for row in now.rows])
    assert back[::-1] == pages[:-1]
    assert not now.previous_url and now.next_url


def test_a_row_added_in_front_does_not_move_the_next_page(db: Session) -> None:
    first = page(db, read("sort=name"))
    expected = [r.id for r in page(db, read(first.next_url.partition("?")[2])).rows]
    db.add(Site(id=UUID(int=99), name="a", size=1, made=START))
    db.flush()
    assert [r.id for r in page(db, read(first.next_url.partition("?")[2])).rows] == expected


@pytest.mark.parametrize("cursor", ["x", "e30", "WyJhIiwiYiJd", "%00", "W251bGwsbnVsbF0"])
def test_a_broken_cursor_is_the_first_page(db: Session, cursor: str) -> None:
    for way in ("after", "before"):
        got = page(db, read(f"sort=size&{way}={cursor}"))
        assert [r.id for r in got.rows] == [r.id for r in page(db, read("sort=size")).rows]
        assert not got.previous_url


def test_only_declared_sorts_and_choices_are_taken() -> None:
    view = read("sort=password&status=evil&q=shop&other=1")
    assert (view.sort, dict(view.filters)) == ("-made", {"q": "shop"})


def test_sorting_twice_turns_round_and_drops_the_cursor() -> None:
    view = read("sort=name&after=abc&q=x")
    assert view.sort_url("name") == "/sites?q=x&sort=-name"
    assert (view.direction("name"), view.direction("size")) == ("ascending", "")


def test_a_choice_is_remembered_and_can_be_cleared() -> None:
    kept = read("sort=name&status=active").remember(Response()).headers["Set-Cookie"]
    assert "HttpOnly" in kept and "Path=/sites" in kept
    cookie = kept.split(";")[0].partition("=")[2].strip('"')
    assert (read("", cookie).sort, dict(read("", cookie).filters)) == ("name", {"status": "active"})
    assert read("reset=1", cookie).sort == "-made"
    assert "Max-Age=0" in read("reset=1", cookie).remember(Response()).headers["Set-Cookie"]


def test_csv_is_defused_and_reads_back() -> None:
    rows = [["=1+1", Decimal("-3.50"), "a,b\n"], ["@x", -7, 'say "hi"'], ["  =cmd", None, "ü"]]
    response = csv_response("sites/../x", ["Name", "Sum", "Note"], iter(rows))
    text = response.get_data().decode("utf-8-sig")
    response.close()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["Name", "Sum", "Note"],
        ["'=1+1", "-3.50", "a,b\n"],
        ["'@x", "-7", 'say "hi"'],
        ["'  =cmd", "", "ü"],
    ]
    assert response.headers["Content-Disposition"] == 'attachment; filename="sites-..-x.csv"'


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_no_text_begins_like_a_formula(text: str) -> None:
    assert not str(defuse(text)).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_failing_export_fails_before_a_byte_is_sent() -> None:
    def rows() -> Any:
        yield ["a"]
        raise RuntimeError("database gone")

    with pytest.raises(RuntimeError):
        csv_response("x", ["A"], rows())
