"""What this plugin answers: two kinds of site, the driver that builds them, and the way into WordPress."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from chom_sdk import hookimpl
from chom_sdk.provisioning import (
    Consequence,
    DeleteQuery,
    KindQuery,
    NodeDriver,
    ServiceKind,
    ServiceLink,
    get_service,
)
from chom_sdk.ui import Panel, ServiceSlot

from .driver import LocalDriver
from .schemas import WordPressForm


@hookimpl
def provisioning_kinds(query: KindQuery) -> Sequence[ServiceKind]:
    return [
        ServiceKind(
            name="wordpress",
            title=_("WordPress"),
            description=_("A whole WordPress: pages, blog, themes and plugins."),
            icon="brand-wordpress",
            family="site",
            form=WordPressForm,
            links=(ServiceLink(_("Open site"), "url"),),
            weight=10,
        ),
        ServiceKind(
            name="static",
            title=_("Static site"),
            description=_("Plain pages and files, served as they are: fast, and nothing to update."),
            icon="file-text",
            family="site",
            links=(ServiceLink(_("Open site"), "url"),),
            weight=20,
        ),
    ]


@hookimpl
def provisioning_drivers(query: KindQuery) -> Sequence[NodeDriver]:
    return [LocalDriver()]


@hookimpl
def provisioning_before_delete(query: DeleteQuery) -> Sequence[Consequence] | None:
    if query.kind != "wordpress":
        return None
    return [Consequence(_("Its posts, pages, uploads and WordPress accounts."))]


@hookimpl
def slot_service_overview(slot: ServiceSlot) -> Panel | None:
    if slot.kind != "wordpress" or get_service(slot.service_id).status != "active":
        return None
    return Panel("local_node/admin_panel.html", {"service_id": slot.service_id})
