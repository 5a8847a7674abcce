"""Holes planted on purpose: a run of the matrix over them must find every one."""

from __future__ import annotations

from uuid import UUID

from flask import Flask
from sqlalchemy import select, update

from chom_core.database import everyone
from chom_core.provisioning.models import Service
from chom_core.rest.access import declare
from chom_core.values.access import Access
from chom_core.web import Pages


def plant(app: Flask) -> None:
    """Put them on `app`."""
    pages = Pages("planted", __name__, prefix="/planted", access="viewer")

    @pages.get("/list")
    def leak() -> str:
        """A list without a filter."""
        with everyone("planted") as here:
            return " ".join(here.scalars(select(Service.name)))

    @pages.get("/<uuid:service_id>")
    def show(service_id: UUID) -> str:
        """A thing found by its id alone."""
        with everyone("planted") as here:
            return here.scalars(select(Service.name).where(Service.id == service_id)).one()

    @pages.post("/<uuid:service_id>/rename")
    def rename(service_id: UUID) -> tuple[str, int]:
        """A write by id alone, which pretends not to have happened."""
        with everyone("planted") as here:
            here.execute(update(Service).where(Service.id == service_id).values(title="Mallory"))
        return "", 404

    app.register_blueprint(pages)
    app.add_url_rule("/planted/loose", "loose", lambda: "nobody said who may call")
    # The gate does not look at a bare route: as if somebody had forgotten the check of the role.
    app.add_url_rule("/planted/owner", "planted.owner", lambda: "for owners")
    declare(app, "planted.owner", Access("owner"), bare=True)


#: What the run must report of them: the word of the report, and the address.
HOLES = {
    ("leaks", "/planted/list"),
    ("leaks", "/planted/<uuid:service_id>"),
    ("wrong_status", "/planted/<uuid:service_id>"),
    ("foreign_writes", "/planted/<uuid:service_id>/rename"),
    ("unclassified", "/planted/loose"),
    ("wrong_status", "/planted/owner"),
}
