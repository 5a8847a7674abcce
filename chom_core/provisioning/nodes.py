"""Nodes: adding, editing, draining, placing services on them. Staff's verbs; secrets go in and never out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from chom_core.audit.service import Subject, record
from chom_core.database import session
from chom_core.provisioning import kinds
from chom_core.provisioning.models import NODE_STATUSES, Node
from chom_core.provisioning.views import secrets_of
from chom_core.values.errors import Conflict, Invalid, NotFound, Unavailable

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")


def add_node(
    *,
    name: str,
    driver: str,
    region: str = "",
    address: str = "",
    capacity: int = 100,
    facts: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Node:
    """A new node, active at once. `capacity` is the number of services it takes. Raises Invalid with its fields."""
    _check(name, driver, capacity)
    if session().scalar(select(Node.id).where(Node.name == name)) is not None:
        raise Invalid(fields={"name": [_("There is a node of this name already.")]})
    node = Node(
        name=name,
        driver=driver,
        region=region.strip(),
        address=address.strip(),
        capacity=capacity,
        facts=dict(facts or {}),
        secrets=json.dumps(dict(secrets)) if secrets else None,
    )
    session().add(node)
    session().flush()
    return node


def edit_node(
    node_id: UUID,
    *,
    region: str | None = None,
    address: str | None = None,
    capacity: int | None = None,
    facts: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Node:
    """Change what is given. Secrets that are given replace those of their name."""
    node = get_node(node_id, lock=True)
    if capacity is not None:
        _check(node.name, node.driver, capacity)
        node.capacity = capacity
    node.region = node.region if region is None else region.strip()
    node.address = node.address if address is None else address.strip()
    node.facts = node.facts if facts is None else {**node.facts, **facts}
    if secrets:
        node.secrets = json.dumps({**secrets_of(node), **secrets})
    return node


def set_status(node_id: UUID, status: str) -> Node:
    """active takes new services; draining takes none; offline takes none and is not swept."""
    if status not in NODE_STATUSES:
        raise Invalid(fields={"status": [_("Choose one of: %(all)s.", all=", ".join(NODE_STATUSES))]})
    node = get_node(node_id, lock=True)
    node.status = status
    return node


def remove_node(node_id: UUID) -> bool:
    """Forget an empty node. One that had services stays in their history: offline, without secrets (False). Audited.

    Conflict while services are on it.
    """
    node = get_node(node_id, lock=True)
    if node.used:
        raise Conflict(
            _("%(count)s services are on %(name)s.", count=node.used, name=node.name),
            fix=_("Drain it, and delete or move them first."),
        )
    record("node.removed", Subject("node", node.id, node.name))
    try:
        with session().begin_nested():
            session().delete(node)
    except IntegrityError:
        session().refresh(node)
        node.status, node.secrets = "offline", None
        return False
    return True


def get_node(node_id: UUID, *, lock: bool = False) -> Node:
    query = select(Node).where(Node.id == node_id)
    node = session().scalar(query.with_for_update() if lock else query)
    if node is None:
        raise NotFound(_("There is no such node."))
    return node


def all_nodes() -> Sequence[Node]:
    return session().scalars(select(Node).order_by(Node.name)).all()


def buildable() -> frozenset[str]:
    """The kinds that some active node builds: what the order page offers."""
    active = set(session().scalars(select(Node.driver).where(Node.status == "active").distinct()))
    found = (bound.driver.kinds for name, bound in kinds.drivers().items() if name in active)
    return frozenset(kind for names in found for kind in names)


def place(kind: str) -> Node:
    """Take a place on the emptiest active node whose driver builds `kind`. Unavailable where none has room."""
    fit = [name for name, bound in kinds.drivers().items() if kind in bound.driver.kinds]
    best = (
        select(Node.id)
        .where(Node.status == "active", Node.driver.in_(fit), Node.used < Node.capacity)
        .order_by(func.coalesce(Node.used * 1.0 / func.nullif(Node.capacity, 0), 1), Node.name)
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        update(Node)
        .where(Node.id == best, Node.used < Node.capacity)
        .values(used=Node.used + 1)
        .returning(Node)
        .execution_options(populate_existing=True)
    )
    for _try in range(5):  # somebody may take the last place between the two halves of the statement
        node = session().scalar(statement)
        if node is not None:
            return node
    raise Unavailable(
        _("No server has room for this right now."),
        fix=_("Nothing was charged. Try again later, or ask support."),
    )


def _check(name: str, driver: str, capacity: int) -> None:
    fields: dict[str, list[str]] = {}
    if not _NAME.fullmatch(name):
        fields["name"] = [_("Use small letters, digits, dots and hyphens, at most 63.")]
    if driver not in kinds.drivers():
        fields["driver"] = [_("No driver of this name is available.")]
    if not 0 <= capacity <= 100_000:
        fields["capacity"] = [_("Between 0 and 100000.")]
    if fields:
        raise Invalid(fields=fields)
