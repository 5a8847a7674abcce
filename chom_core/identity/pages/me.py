"""A person's own page: profile, password, sessions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, g
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from chom_core.identity import schemas, service
from chom_core.identity.pages.base import Answer, address, back, pages, show, submit, zone_choices
from chom_core.rest import principal
from chom_core.values.errors import ChomError
from chom_core.web.forms import Form
from chom_core.web.layout import THEME_COOKIE


def _profile_form() -> Form:
    return Form(schemas.ProfileSchema(), g.person, choices=zone_choices(g.person.zone))


def _page(profile: Form, password: Form, error: ChomError | None = None) -> Answer:
    context: dict[str, Any] = {"sessions": service.sessions_of_mine(), "current": principal().session_id}
    shown = password if password.errors else profile
    return show("me.html", shown, error, profile=profile, password=password, **context)


@pages.get("/me", access="person")
def me() -> Answer:
    """Profile, password and where one is logged in."""
    return _page(_profile_form(), Form(schemas.ChangePasswordSchema()))


@pages.post("/me/profile", access="person")
def me_profile() -> Answer:
    """Save name, zone and colours."""
    form = _profile_form()

    def act() -> Response:
        row = service.update_profile(**form.values)
        flash(_("Saved."), "success")
        answer = back("/me")
        answer.set_cookie(THEME_COOKIE, row.theme, max_age=365 * 86400, samesite="Lax")
        return answer

    return submit(form, act, lambda error: _page(form, Form(schemas.ChangePasswordSchema()), error))


@pages.post("/me/password", access="person")
def me_password() -> Answer:
    """Change the password; the other sessions end."""
    form = Form(schemas.ChangePasswordSchema())

    def act() -> Response:
        ended = service.change_password(**form.values, address=address())
        text = ngettext(
            "Your password is changed. One other session has ended.",
            "Your password is changed. %(num)d other sessions have ended.",
            ended,
        )
        flash(text, "success")
        return back("/me")

    return submit(form, act, lambda error: _page(_profile_form(), form, error))


@pages.post("/me/sessions/<uuid:session_id>/revoke", access="person")
def me_revoke(session_id: UUID) -> Answer:
    """Log out elsewhere."""
    service.revoke_session(session_id)
    flash(_("That session has ended."), "success")
    return back("/me")


@pages.post("/me/sessions/revoke-others", access="person")
def me_revoke_others() -> Answer:
    """Log out everywhere else."""
    ended = service.revoke_other_sessions()
    flash(ngettext("One other session has ended.", "%(num)d other sessions have ended.", ended), "success")
    return back("/me")
