"""The ways of misbehaving. `way` says which one is taken by the hook that is asked next; empty: none."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update

# A plugin has no business here; that it can import is why DESIGN says «no sandbox».
from chom_core.database import Tenant
from chom_core.provisioning.models import Service
from chom_sdk import session, transaction

way = ""
#: What the hooks saw, for tests that look.
seen: list[Any] = []
#: Another organisation, to be spied on.
victim: UUID | None = None


def misbehave() -> Any:
    """Do it, and answer what came of it."""
    return WAYS[way]() if way else None


def raises() -> None:
    raise RuntimeError("bad on purpose")


def breaks_sql() -> None:
    session().execute(text("select this_is_no_column"))


def swallows() -> None:
    """Breaks the transaction and pretends that nothing was."""
    try:
        breaks_sql()
    except Exception:
        seen.append("swallowed")


def writes_orm() -> None:
    session().add(Tenant(name="Mallory", slug="mallory", kind="customer"))


def flushes_orm() -> None:
    writes_orm()
    session().flush()


def writes_core() -> None:
    session().execute(update(Tenant).values(name="Mallory"))


def writes_cte() -> None:
    changed = update(Tenant).values(name="Mallory").returning(Tenant.id).cte("changed")
    session().execute(select(changed.c.id))


def dirties() -> None:
    """Changes a core object that it got hold of, and leaves it to the caller to flush."""
    for row in session().scalars(select(Tenant)):
        row.name = "Mallory"


def commits() -> None:
    session().commit()


def rolls_back() -> None:
    session().rollback()


def spies() -> None:
    """Reads whatever it can of others: by the ORM, by text, for another organisation's id, and without a tenant."""
    here = session()
    seen.append(("orm", [row.name for row in here.scalars(select(Service))]))
    seen.append(("text", [row.name for row in here.execute(text("select name from core.service"))]))
    seen.append(
        ("id", [row.name for row in here.scalars(select(Service).where(Service.tenant_id == victim))])
    )
    with transaction() as other:
        seen.append(("nobody", [row.name for row in other.scalars(select(Service))]))
    try:
        here.execute(insert(Service).values(tenant_id=victim, kind="x", family="site", name="x", marker="x"))
    except Exception as error:
        seen.append(("write", type(error).__name__))


def floods() -> None:
    """A thousand queries where one would do."""
    for _ in range(1000):
        session().execute(select(1))
    seen.append("flooded")


def hangs() -> None:
    """Longer than a page may wait; tests set the limit low enough for this to be true."""
    until = time.monotonic() + 0.02
    while time.monotonic() < until:
        session().execute(select(1))


def garbage() -> Any:
    return 42


def leaks_text() -> Any:
    return "<script>alert(1)</script>"


def sequence_of_garbage() -> Any:
    return [1, "two", None]


WAYS: dict[str, Callable[[], Any]] = {
    function.__name__: function
    for function in (
        raises, breaks_sql, swallows, writes_orm, flushes_orm, writes_core, writes_cte, dirties, commits,
        rolls_back, spies, floods, hangs, garbage, leaks_text, sequence_of_garbage,
    )
}  # fmt: skip
