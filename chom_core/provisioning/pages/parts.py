"""What several pages show: an operation with its steps, a service's head, words for actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from chom_core.database import current
from chom_core.provisioning import kinds, reads
from chom_core.values.access import ROLES
from chom_core.values.provisioning import OperationInfo, ServiceAction, ServiceInfo

#: The kit's word for each state of a step.
_STATES = {"undone": "skipped"}


def action_words(action: str, kind: str = "") -> str:
    """The action as a heading: «Creating», «Restarting»."""
    words = {
        "create": _("Creating"),
        "start": _("Starting"),
        "stop": _("Stopping"),
        "restart": _("Restarting"),
        "delete": _("Deleting"),
        "suspend": _("Suspending"),
        "unsuspend": _("Taking the suspension back"),
    }
    if action in words:
        return words[action]
    return next((str(item.title) for item in kinds.actions(kind) if item.name == action), action)


def may(who: str) -> bool:
    """Is the reader's role one of those that `who` lets in?"""
    return current().principal.role in ROLES[who]


def offered(service: ServiceInfo) -> list[ServiceAction]:
    """The actions that this reader may take now."""
    if service.operation_id is not None:
        return []
    return [a for a in kinds.actions(service.kind) if service.status in a.when and may(a.who)]


def operation_view(operation: OperationInfo, service: ServiceInfo) -> dict[str, Any]:
    """What the live fragment of an operation needs."""
    by_step: dict[str, list[str]] = {}
    for line in reads.lines(operation.id):
        by_step.setdefault(line.step, []).append(line.text)
    entries: list[dict[str, Any]] = [
        {
            "title": step.title,
            "state": _STATES.get(step.status, step.status),
            "started": step.started_at,
            "ended": step.finished_at,
            "detail": _detail(step.status, step.attempts, step.progress),
            "log": by_step.get(step.name, []),
        }
        for step in operation.steps
    ]
    return {
        "operation": operation,
        "service": service,
        "heading": action_words(operation.action, service.kind),
        "entries": entries,
        "notes": by_step.get("", []),
        "done": sum(step.status == "done" for step in operation.steps),
        "live_url": url_for("operations.live", operation_id=operation.id),
        "may_act": may("member"),
    }


def _detail(status: str, attempts: int, progress: float | None) -> str:
    if status == "undone":
        return _("Taken back.")
    if status == "doing" and progress is not None:
        return _("%(share)s %%", share=round(progress * 100))
    if status == "doing" and attempts > 1:
        return _("Attempt %(count)s", count=attempts)
    return ""


def tabs(service: ServiceInfo, here: str) -> Sequence[dict[str, Any]]:
    """The tabs of a service's page."""
    entries = [
        ("overview", _("Overview"), "services.show"),
        ("operations", _("Operations"), "services.operations"),
        ("settings", _("Settings"), "services.settings"),
        ("danger", _("Danger"), "services.delete"),
    ]
    return [
        {"label": label, "href": url_for(endpoint, service_id=service.id), "active": name == here}
        for name, label, endpoint in entries
        if name != "danger" or service.status != "deleted"
    ]


def service_of(operation: OperationInfo) -> ServiceInfo:
    return reads.service(operation.service_id)


def latest(service_id: UUID) -> OperationInfo | None:
    """The newest operation of a service, with its steps."""
    found = reads.operations(service_id, limit=1)
    return reads.operation(found[0].id) if found else None
