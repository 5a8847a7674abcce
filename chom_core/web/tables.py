"""List pages: sort, filter and page read from the query string, remembered per page, exported as CSV.

    SITES = ListPage("sites", sorts={"name": Sort(Site.name), "created": Sort(Site.created_at, moment)},
                     filters=(Filter("status", _l("Status"), (("active", _l("Active")), …)), Filter("q", _l("Name"))))

    view = SITES.read(request)
    page = view.page(select(Site).where(…), Site.id, lambda s: session().scalars(s).all())
    return view.remember(make_response(render_template("…", view=view, page=page)))

Paging is by cursor on (sort column, id): stable while rows come and go, and as fast on page 400 as on page 1. A sort
column must not be NULL (wrap it in coalesce), and id is a UUIDv7, so ties fall in order of making.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import Request, Response
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

Column = ColumnElement[Any] | InstrumentedAttribute[Any]
#: A query of any columns.
Statement = Select[*tuple[Any, ...]]
PAGE_SIZE = 50


def moment(text: str) -> datetime:
    """A cursor's text as an instant; ValueError where it is none."""
    return datetime.fromisoformat(text)


class Sort(Struct, frozen=True):
    """A way to sort: the column, how its cursor text reads (`str`, `int`, `moment`), how a row gives its value."""

    column: Column
    parse: Callable[[str], Any] = str
    value: Callable[[Any], Any] | None = None
    label: object = ""


class Filter(Struct, frozen=True):
    """A filter: a select where it has `choices`, else a search field. The page applies it; this only carries it."""

    name: str
    label: object
    choices: Sequence[tuple[str, object]] = ()


class Page(Struct, frozen=True):
    """Rows and the addresses of the neighbouring pages (empty at an end)."""

    rows: Sequence[Any]
    next_url: str = ""
    previous_url: str = ""


@dataclass(frozen=True, slots=True, eq=False)  # a constant of its page: one is like no other
class ListPage:
    """What one list can do. `name` keys the cookie; `default` is a sort name, `-` in front for descending."""

    name: str
    sorts: Mapping[str, Sort]
    default: str
    filters: tuple[Filter, ...] = ()
    size: int = PAGE_SIZE

    @property
    def cookie(self) -> str:
        return f"chom_list_{self.name}"

    def read(self, request: Request) -> View:
        """The view a request asks for: its query string; or, with none, the reader's last choice; or the default."""
        given = {key: value for key, value in request.args.items() if value}
        if not request.args:
            given = dict(parse_qsl(request.cookies.get(self.cookie, "")[:1000]))
        sort = given.get("sort", self.default)
        if sort.removeprefix("-") not in self.sorts:
            sort = self.default
        return View(
            self,
            request.path,
            sort,
            {f.name: text for f in self.filters if (text := _allowed(f, given.get(f.name, "")))},
            given.get("after", ""),
            given.get("before", ""),
            given.get("export", "") == "csv",
            self.cookie in request.cookies,
        )


def _allowed(one: Filter, text: str) -> str:
    text = text.strip()[:200]
    return text if not one.choices or text in {value for value, _label in one.choices} else ""


@dataclass(frozen=True, slots=True)
class View:
    """One reader's view of a list. Templates use `url`, `sort_url`, `direction`, `filters`, `active`.

    `remembered`: the browser sent an earlier choice.
    """

    spec: ListPage
    path: str
    sort: str
    filters: Mapping[str, str] = field(default_factory=dict, hash=False)
    after: str = ""
    before: str = ""
    export: bool = False
    remembered: bool = False

    @property
    def active(self) -> bool:
        """Whether any filter narrows the list."""
        return bool(self.filters)

    @property
    def first(self) -> View:
        """The same sort and filters at the first page: all that the filters and the column heads know of a view."""
        return View(self.spec, self.path, self.sort, self.filters)

    def url(self, **changes: str) -> str:
        """This view's address with `changes`; cursors fall unless given, since they belong to one order."""
        query = {**self.filters, "sort": self.sort, **changes}
        return f"{self.path}?{urlencode({k: v for k, v in query.items() if v})}"

    @property
    def reset_url(self) -> str:
        return f"{self.path}?reset=1"

    @property
    def export_url(self) -> str:
        return self.url(export="csv")

    def direction(self, name: str) -> str:
        """`ascending`, `descending` or empty: what aria-sort says of a column."""
        if self.sort.removeprefix("-") != name:
            return ""
        return "descending" if self.sort.startswith("-") else "ascending"

    def sort_url(self, name: str) -> str:
        """Sort by `name`; a second click turns it round."""
        return self.url(sort=f"-{name}" if self.sort == name else name)

    def remember(self, response: Response) -> Response:
        """Keep sort and filters in a cookie of this page's path, so that coming back finds the list as it was left."""
        if self.filters or self.sort != self.spec.default:
            kept = urlencode({**self.filters, "sort": self.sort})
            response.set_cookie(
                self.spec.cookie,
                kept[:1000],
                max_age=90 * 86400,
                path=self.path,
                httponly=True,
                samesite="Lax",
            )
        elif self.remembered:
            response.delete_cookie(self.spec.cookie, path=self.path)
        return response

    def ordered(self, statement: Statement, id_column: Column, *, backwards: bool = False) -> Statement:
        """`statement` in this view's order, without a page: for exports."""
        column = self.spec.sorts[self.sort.removeprefix("-")].column
        if self.sort.startswith("-") != backwards:
            return statement.order_by(column.desc(), id_column.desc())
        return statement.order_by(column.asc(), id_column.asc())

    def page(
        self, statement: Statement, id_column: Column, fetch: Callable[[Statement], Sequence[Any]]
    ) -> Page:
        """One page of `statement`, by one query for size + 1 rows. A cursor nobody can read is the first page."""
        sort = self.spec.sorts[self.sort.removeprefix("-")]
        backwards = bool(self.before)
        place = _decode(self.before or self.after, sort.parse)
        ordered = self.ordered(statement, id_column, backwards=backwards and place is not None)
        if place is not None:
            ordered = ordered.where(
                _beyond(sort.column, id_column, place, self.sort.startswith("-") != backwards)
            )
        found = list(fetch(ordered.limit(self.spec.size + 1)))
        more, rows = len(found) > self.spec.size, found[: self.spec.size]
        if place is None:
            backwards = False
        elif backwards:
            rows.reverse()
        earlier, later = (more, True) if backwards else (place is not None, more)
        return Page(
            rows,
            self.url(after=self._cursor(sort, rows[-1])) if rows and later else "",
            self.url(before=self._cursor(sort, rows[0])) if rows and earlier else "",
        )

    def _cursor(self, sort: Sort, row: Any) -> str:
        value = sort.value(row) if sort.value else getattr(row, str(getattr(sort.column, "key", "")))
        text = value.isoformat() if isinstance(value, datetime) else str(value)
        packed = json.dumps([text, str(row.id)], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    def without(self, name: str) -> View:
        """This view with one filter taken off."""
        return replace(self, filters={k: v for k, v in self.filters.items() if k != name})


def _beyond(
    column: Column, id_column: Column, place: tuple[Any, UUID], descending: bool
) -> ColumnElement[bool]:
    value, row_id = place
    if descending:
        return or_(column < value, and_(column == value, id_column < row_id))
    return or_(column > value, and_(column == value, id_column > row_id))


def _decode(cursor: str, parse: Callable[[str], Any]) -> tuple[Any, UUID] | None:
    if not cursor:
        return None
    try:
        text, row_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return parse(text), UUID(row_id)
    except (ValueError, TypeError, AttributeError):
        return None
