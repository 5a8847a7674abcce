"""What the pages of the desk share: the blueprint, the menu, and how an action answers."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from chom_core.plugin_host import NavItem
from chom_core.rest import principal
from chom_core.values.errors import ChomError
from chom_core.values.principal import StaffRole
from chom_core.web import Pages, nav

staff = Pages("staff", "chom_core.console", prefix="/staff", access="staff", tenant="none")
for _label, _endpoint, _icon, _weight in (
    (_l("Today"), "today", "home", 1),
    (_l("Organisations"), "organisations", "building", 10),
    (_l("Extensions"), "plugins", "puzzle", 50),
    (_l("Failed work"), "work", "alert-triangle", 60),
    (_l("Schedules"), "schedules", "clock", 65),
):
    nav.add(NavItem(_label, f"staff.{_endpoint}", _icon, "Staff", "staff", _weight))


def act(verb: Callable[[], object], done: str, back: str) -> Response:
    """Do `verb`, say that it is done or what was refused, and go `back`. A refused verb has written nothing."""
    try:
        verb()
    except ChomError as error:
        flash(f"{error.detail} {error.fix}".strip(), "error")
    else:
        flash(done, "success")
    return redirect(back, 303)


def administers() -> bool:
    """Whether the person may change what concerns everyone."""
    return principal().staff_role is StaffRole.ADMIN
