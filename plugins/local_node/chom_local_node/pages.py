"""The way into WordPress: one click, no password."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from chom_sdk import Conflict, NotFound, Pages, away
from chom_sdk.provisioning import get_service

from .fetch import default_folder
from .records import Node
from .sites import admin_link

pages = Pages("local_node", __name__, prefix="/local-sites")


@pages.post("/<uuid:service_id>/admin", access="member")
def admin(service_id: UUID) -> Any:
    """Log the reader in as the WordPress administrator, by an address that works once and for a minute."""
    service = get_service(service_id)
    if service.kind != "wordpress" or "node_root" not in service.facts:
        raise NotFound(_("This site has no administration."))
    if service.status != "active":
        raise Conflict(
            _("%(title)s is %(status)s.", title=service.title, status=service.status),
            fix=_("Start it first."),
        )
    node = Node(Path(service.facts["node_root"]), runtime_folder=default_folder())
    return away(admin_link(node, service.name))
