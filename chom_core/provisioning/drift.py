"""The drift sweep: what stands on the nodes against what stands in the record, each difference listed for staff.

It changes nothing on a node: an orphan may be somebody's site. Services with an open operation before or after the
look are left out, since their node is being changed. What each takes on disk is noted with the service.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import exists, not_, select, update

from chom_core.database import clock, everyone, session, transaction
from chom_core.provisioning import engine, kinds, views
from chom_core.provisioning.kinds import BoundDriver
from chom_core.provisioning.models import OPEN, STORAGE, Drift, Node, Operation, Service
from chom_core.values.errors import NotFound
from chom_core.values.provisioning import Found, NodeInfo

_RUNS = {"active": True, "stopped": False, "suspended": False}


class Recorded(Struct, frozen=True):
    """A service of a node as the record has it."""

    id: UUID
    tenant_id: UUID
    name: str
    marker: str
    status: str
    busy: bool


class Difference(Struct, frozen=True):
    """One difference that a sweep found."""

    sort: str
    name: str
    detail: str
    service: Recorded | None


def sweep() -> int:
    """Look at every node that is not offline. Returns the number of open differences."""
    with transaction() as here:
        ids = list(here.scalars(select(Node.id).where(Node.status != "offline").order_by(Node.name)))
    return sum(sweep_node(node_id) for node_id in ids)


def sweep_node(node_id: UUID) -> int:
    """Look at one node. An unreachable node keeps its list and says why. Returns its open differences."""
    with everyone("drift sweep") as here:
        info = views.node_info(here.get_one(Node, node_id))
        before = _record(node_id)
    try:
        with transaction():
            driver = kinds.driver(info.driver)
        found = _inventory(driver, info)
    except Exception as error:
        with transaction() as here:
            here.get_one(Node, node_id).sweep_error = engine.words(error)[:500]
        return 0
    with everyone("drift sweep"):
        after = _record(node_id)
        owners = _owners(found)
        _note_sizes(found, owners)
        return _store(node_id, compare(found, before, after, owners))


def _inventory(driver: BoundDriver, info: NodeInfo) -> list[Found]:
    with driver.acting() as acting:
        return list(acting.inventory(info))


def _record(node_id: UUID) -> dict[UUID, Recorded]:
    """The node's services that are not deleted, of all organisations."""
    open_one = exists().where(Operation.service_id == Service.id, Operation.status.in_(OPEN))
    query = select(
        Service.id, Service.tenant_id, Service.name, Service.marker, Service.status, open_one
    ).where(Service.node_id == node_id, Service.status != "deleted")
    return {row[0]: Recorded(*row) for row in session().execute(query)}


def _owners(found: Sequence[Found]) -> dict[str, Recorded]:
    """Whose the markers are, deleted services included."""
    query = select(Service.id, Service.tenant_id, Service.name, Service.marker, Service.status).where(
        Service.marker.in_([item.marker for item in found if item.marker])
    )
    return {row[3]: Recorded(*row, busy=False) for row in session().execute(query)}


def _note_sizes(found: Sequence[Found], owners: dict[str, Recorded]) -> None:
    """Beside what operations record of a service at the same time: one fact of the row, not the row."""
    for item in found:
        owner = owners.get(item.marker)
        if owner is not None and item.storage_bytes is not None and owner.status != "deleted":
            size = {STORAGE: item.storage_bytes}
            other = update(Service).where(Service.id == owner.id, not_(Service.facts.contains(size)))
            session().execute(other.values(facts=Service.facts.concat(size)))


def compare(
    found: Sequence[Found],
    before: dict[UUID, Recorded],
    after: dict[UUID, Recorded],
    owners: dict[str, Recorded],
) -> list[Difference]:
    """The differences. Pure: the same arguments give the same answer."""
    calm = {
        id_: item
        for id_, item in after.items()
        if not item.busy and id_ in before and not before[id_].busy and before[id_].status == item.status
    }
    ids_by_name = {item.name: item.id for item in (*before.values(), *after.values())}
    differences: list[Difference] = []
    seen: set[UUID] = set()
    for item in found:
        owner = owners.get(item.marker)
        id_ = owner.id if owner else (None if item.marker else ids_by_name.get(item.name))
        if id_ is None or (id_ not in before and id_ not in after):
            detail = (
                item.detail or _("Nobody's.") if owner is None else _("Its service is deleted or elsewhere.")
            )
            differences.append(Difference("orphan", item.name, detail, owner))
            continue
        seen.add(id_)
        recorded = calm.get(id_)
        should_run = _RUNS.get(recorded.status) if recorded else None
        if recorded is not None and should_run is not None and should_run != item.running:
            words = _("runs") if item.running else _("does not run")
            detail = _("The record says %(status)s; it %(words)s.", status=recorded.status, words=words)
            differences.append(Difference("state", item.name, f"{detail} {item.detail}".strip(), recorded))
    for recorded in calm.values():
        if recorded.id not in seen and recorded.status in _RUNS:
            detail = _("The record says %(status)s; the node has nothing of it.", status=recorded.status)
            differences.append(Difference("missing", recorded.name, detail, recorded))
    return differences


def _store(node_id: UUID, differences: Sequence[Difference]) -> int:
    """Make the list of open drift rows that of `differences`."""
    now = clock.machine()
    node = session().get_one(Node, node_id, with_for_update=True)
    node.swept_at, node.sweep_error = now, ""
    query = select(Drift).where(Drift.node_id == node_id, Drift.resolved_at.is_(None))
    known = {(row.sort, row.name): row for row in session().scalars(query)}
    for item in differences:
        row = known.pop((item.sort, item.name), None)
        if row is None:
            row = Drift(node_id=node_id, sort=item.sort, name=item.name, created_at=now)
            session().add(row)
        row.detail, row.seen_at = item.detail, now
        row.service_id = item.service.id if item.service else None
        row.owner_id = item.service.tenant_id if item.service else None
    for row in known.values():
        row.resolved_at, row.resolved_by = now, "sweep"
    return len(differences)


def open_drift() -> Sequence[tuple[Drift, Node]]:
    """Every open difference with its node, newest first: for staff."""
    query = select(Drift, Node).join(Node, Node.id == Drift.node_id).where(Drift.resolved_at.is_(None))
    return session().execute(query.order_by(Drift.created_at.desc())).all()


def settle(drift_id: UUID, by: str) -> None:
    """Staff say that this difference is fine; the next sweep lists it again if it still stands."""
    row = session().get(Drift, drift_id)
    if row is None:
        raise NotFound(_("There is no such difference."))
    row.resolved_at, row.resolved_by = clock.machine(), by
