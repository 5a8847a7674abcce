"""Reading rows for the verb that will change them, and the organisation whose rows they are."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, select

from chom_core.database.base import Row
from chom_core.database.unit import current, session
from chom_core.values.errors import NotFound

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])
Found = TypeVar("Found", bound=Row)


def here() -> UUID:
    """The organisation of the current unit of work; RuntimeError in a unit that has none."""
    tenant_id = current().tenant_id
    if tenant_id is None:
        raise RuntimeError("this works in the unit of one organisation: open it with transaction(tenant_id)")
    return tenant_id


def held(model: type[Found], **by: object) -> Found | None:
    """The row of a `__held__` model that the current transaction has read already, by its columns; else None."""
    return next(
        (
            row
            for row in current().held
            if isinstance(row, model) and all(getattr(row, name) == value for name, value in by.items())
        ),
        None,
    )


def afresh(query: Query, of: type[Row] | None = None) -> Query:
    """`query`, with the rows that it finds locked until commit and read anew, whatever the session remembers.

    `of`: of several models in it, the one whose rows are locked.
    """
    return query.with_for_update(of=of).execution_options(populate_existing=True)


def locked(model: type[Found], row_id: UUID, otherwise: NotFound) -> Found:
    """The row with this id, locked and read anew; `otherwise` is raised where the unit sees no such row."""
    found = session().scalar(afresh(select(model).where(model.id == row_id)))
    if found is None:
        raise otherwise
    return found
