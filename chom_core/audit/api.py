"""The API of the audit log."""

from __future__ import annotations

from typing import Any

from chom_core.audit import schemas
from chom_core.audit.models import AuditEntry
from chom_core.audit.service import search
from chom_core.rest import ApiRoutes, Page, paginate
from chom_core.rest.paging import asked

api = ApiRoutes("audit", __name__, prefix="/audit", access="admin")


@api.get("", scope="audit:read", into=schemas.AuditQuerySchema, out=schemas.AuditPageSchema)
def entries(query: dict[str, Any]) -> Page[dict[str, Any]]:
    """The organisation's activity, the newest first."""
    kind = query.pop("subject_type")
    thing = query.pop("subject_id")
    after, limit = asked()
    statement = search(**query, subject=(kind, thing) if kind and thing else None)
    found = paginate(statement, AuditEntry.id, after=after, limit=limit)
    return Page([_entry(row) for row in found.items], found.next)


def _entry(row: AuditEntry) -> dict[str, Any]:
    names = ("id", "at", "action", "before", "after", "reason", "request_id", "ip")
    shown = {name: getattr(row, name) for name in names}
    shown["actor"] = {"kind": row.actor_kind, "id": row.actor_id, "name": row.actor_name}
    shown["subject"] = {"type": row.subject_type, "id": row.subject_id, "label": row.subject_label}
    return shown
