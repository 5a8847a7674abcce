"""An operation: live steps, progress, log, time left; works without script."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _

from chom_core.provisioning import reads, service
from chom_core.provisioning.pages.parts import operation_view, service_of
from chom_core.web import Pages, live, render

operations = Pages("operations", "chom_core.provisioning", prefix="/operations", access="viewer")


@operations.get("/<uuid:operation_id>")
def show(operation_id: UUID) -> str:
    operation = reads.operation(operation_id)
    return render("provisioning/operation.html", **operation_view(operation, service_of(operation)))


@operations.get("/<uuid:operation_id>/live", endpoint="live")
def live_fragment(operation_id: UUID) -> Response:
    """The fragment alone, as htmx swaps it in."""
    operation = reads.operation(operation_id)

    def draw() -> str:
        view = operation_view(operation, service_of(operation))
        return render("provisioning/operation_live.html", **view)

    return live.respond(
        draw, seq=operation.seq, final=operation.final, version=(operation.seconds_left or 0) // 5
    )


@operations.post("/<uuid:operation_id>/cancel", access="member")
def cancel(operation_id: UUID) -> Any:
    found = service.cancel_operation(operation_id)
    flash(_("Cancelled.") if found.final else _("It is cancelled at the next safe point."), "info")
    return redirect(url_for("operations.show", operation_id=operation_id), 303)


@operations.post("/<uuid:operation_id>/retry", access="member")
def retry(operation_id: UUID) -> Any:
    found = service.retry_operation(operation_id)
    return redirect(url_for("operations.show", operation_id=found.id), 303)
