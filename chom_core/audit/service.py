"""The audit log's verbs: `record` in the caller's transaction, `search` for pages and the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, insert, or_, select

from chom_core.audit.facts import changes, origin, text
from chom_core.audit.models import AuditEntry
from chom_core.database import PLATFORM_ID, clock, current, transaction, unit
from chom_core.values.ids import uuid7
from chom_core.values.principal import Principal

#: Seconds in which one reason of CHOM's own work in `everyone` is written once per process: a sweep that runs every
#: few seconds would otherwise bury what people did.
_QUIET = 3600
_seen: dict[str, datetime] = {}
_lock = Lock()


class Subject(NamedTuple):
    """What was acted on: its kind (`person`, `api_key`), its id, and its name at that moment."""

    type: str
    id: object = ""
    label: str = ""


def record(
    action: str,
    subject: Subject | tuple[str, object, str],
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    tenant_id: UUID | None = None,
    principal: Principal | None = None,
) -> UUID:
    """Write that the unit's principal did `action` («member.role_changed») to `subject`; returns the entry's id.

    It commits or rolls back with the caller. `tenant_id`: whose log it is; default the unit's organisation, else the
    platform's. `principal`: who did it, where the unit's principal is not yet who acts (a log-in).
    """
    who = principal or current().principal
    target = tenant_id or current().tenant_id or PLATFORM_ID
    made = uuid7()
    values: dict[str, Any] = {
        "id": made,
        "tenant_id": target,
        "at": clock.machine(),
        "actor_kind": "staff" if who.is_staff and who.tenant_id != target else who.kind,
        "actor_id": who.person_id or (who.session_id if who.kind == "key" else None),
        "actor_name": text(who.name, 254),
        "action": action,
        "subject_type": subject[0],
        "subject_id": text(str(subject[1] or ""), 80),
        "subject_label": text(subject[2], 254),
        "before": None if before is None else changes(before),
        "after": None if after is None else changes(after),
        "reason": text(reason, 2000),
        **origin(),
    }
    _write(target, values)
    return made


def _write(target: UUID, values: dict[str, Any]) -> None:
    """Insert; where the entry is another organisation's than the unit's, lift the fence for this one statement."""
    here = current()
    here.session.flush()
    connection = here.session.connection()
    fence = here.tenant_id
    lifted = not here.everyone and fence != target
    if lifted:
        connection.exec_driver_sql("select set_config('chom.tenant_id', %s, true)", (str(target),))
    connection.execute(insert(AuditEntry).values(**values))
    if lifted:
        connection.exec_driver_sql("select set_config('chom.tenant_id', %s, true)", (str(fence or ""),))


def search(
    *,
    action: str = "",
    actor: UUID | None = None,
    subject: tuple[str, object] | None = None,
    text: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Select[AuditEntry]:
    """Entries of the unit's organisation (of all, within `everyone`), unsorted, for a list to sort and page.

    `action`: the whole action or its first part («member» finds «member.invited»); `text` searches names and labels.
    """
    query = select(AuditEntry)
    if action:
        query = query.where(
            or_(AuditEntry.action == action, AuditEntry.action.startswith(f"{action}.", autoescape=True))
        )
    if actor is not None:
        query = query.where(AuditEntry.actor_id == actor)
    if subject is not None:
        query = query.where(AuditEntry.subject_type == subject[0], AuditEntry.subject_id == str(subject[1]))
    if text:
        found = [
            func.lower(column).contains(text.lower(), autoescape=True)
            for column in (
                AuditEntry.actor_name,
                AuditEntry.subject_label,
                AuditEntry.action,
                AuditEntry.reason,
            )
        ]
        query = query.where(or_(*found))
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if until is not None:
        query = query.where(AuditEntry.at < until)
    return query


def entered_everyone(reason: str) -> None:
    """Log that somebody sees every organisation. Committed at once and on its own: a look that fails was a look."""
    who = current().principal
    if who.kind == "system" and not _first(reason):
        return
    with transaction(PLATFORM_ID, who):
        record("everyone.entered", Subject("platform", PLATFORM_ID, "CHOM"), reason=reason)


def _first(reason: str) -> bool:
    """Whether CHOM itself gave this reason for the first time within the quiet hour of this process."""
    now = clock.machine()
    with _lock:
        for known in [known for known, at in _seen.items() if (now - at).total_seconds() >= _QUIET]:
            del _seen[known]
        if reason in _seen:
            return False
        _seen[reason] = now
        return True


def install() -> None:
    """Have every entry into `everyone` recorded. Importing this floor does it; doing it again changes nothing."""
    if entered_everyone not in unit.everyone_listeners:
        unit.everyone_listeners.append(entered_everyone)


install()
