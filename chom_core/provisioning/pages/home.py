"""The organisation's home: next steps, what is wrong, its services."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from chom_core.plugin_host import NavItem
from chom_core.provisioning import funding, reads
from chom_core.provisioning.pages.parts import may
from chom_core.values.provisioning import ServiceInfo
from chom_core.web import Pages, nav, render

home = Pages("home", "chom_core.provisioning", access="viewer")
nav.add(NavItem(_l("Home"), "home.show", "home", section="", weight=1))

SHOWN = 8


@home.get("/home")
def show() -> str:
    found = reads.services(limit=SHOWN)
    return render(
        "provisioning/home.html",
        services=found,
        prices=funding.prices(found),
        count=reads.count(),
        alerts=[one for one in found if one.status in ("failed", "suspended")],
        steps=_steps(found),
        may_order=may("member"),
    )


def _steps(found: list[ServiceInfo]) -> list[dict[str, str]]:
    """What to do next: empty once there is nothing a person must do."""
    if found or not may("member"):
        return []
    if not funding.ready():
        return [
            {
                "title": _("Choose a plan"),
                "sentence": _(
                    "Sites use your hosting plan; servers have their own price. You can change it any time."
                ),
                "href": "/prices",
                "icon": "tag",
                "tone": "primary",
            }
        ]
    return [
        {
            "title": _("Create your first service"),
            "sentence": _("A site is ready in about a minute; you watch it being built."),
            "href": url_for("services.new"),
            "icon": "plus",
            "tone": "primary",
        }
    ]
