"""Who is in the organisation: members, roles, invitations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, g, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from chom_core.database import clock
from chom_core.identity import schemas, service
from chom_core.identity.pages.base import Answer, back, pages, show, submit
from chom_core.identity.roles import covers, grantable
from chom_core.values.errors import ChomError, NotFound
from chom_core.values.principal import Role
from chom_core.web.forms import Form

PEOPLE = "/organisation/people"


def _form() -> Form:
    roles = [(r.value, str(schemas.ROLE_LABEL[r])) for r in grantable(g.organisation.role)]
    return Form(schemas.InviteSchema(), {"role": Role.MEMBER.value}, choices={"role": roles})


def _page(form: Form, error: ChomError | None = None) -> Answer:
    mine: Role = g.organisation.role
    rows = [
        {"member": m, "changeable": covers(mine, m.role), "label": schemas.ROLE_LABEL[m.role]}
        for m in service.members()
    ]
    context: dict[str, Any] = {
        "rows": rows,
        "roles": [(r.value, str(schemas.ROLE_LABEL[r])) for r in grantable(mine)],
        "invitations": service.open_invitations(),
        "labels": {r.value: label for r, label in schemas.ROLE_LABEL.items()},
        "now": clock.machine(),
    }
    return show("people.html", form, error, **context)


@pages.get(PEOPLE, access="admin")
def people() -> Answer:
    """Members and open invitations."""
    return _page(_form())


@pages.post(PEOPLE, access="admin")
def people_invite() -> Answer:
    """Invite an address."""
    form = _form()

    def act() -> Response:
        made = service.invite(form.values["email"], form.values["role"])
        flash(_("An invitation is on its way to %(email)s.", email=made.email), "success")
        return back(PEOPLE)

    return submit(form, act, lambda error: _page(form, error))


@pages.post(f"{PEOPLE}/<uuid:person_id>/role", access="admin")
def people_role(person_id: UUID) -> Answer:
    """Change a member's role."""
    service.change_role(person_id, request.form.get("role", ""))
    flash(_("The role is changed."), "success")
    return back(PEOPLE)


@pages.get(f"{PEOPLE}/<uuid:person_id>/remove", access="admin")
def people_remove(person_id: UUID) -> Answer:
    """What removing means, before it is done."""
    member = next((m for m in service.members() if m.person_id == person_id), None)
    if member is None:
        raise NotFound(
            _("This person is no member of the organisation."), fix=_("Reload the list of people.")
        )
    keys = [_("API keys they made (%(count)s), which stop at once", count=member.keys)] if member.keys else []
    danger = {
        "title": _("Remove %(name)s", name=member.name),
        "name": member.email,
        "verb": _("Remove"),
        "sentence": _("They lose access to %(name)s at once.", name=g.organisation.name),
        "loses": keys,
        "depends": [],
        "stops_billing": [],
        "kept": [_("Everything they built here")],
    }
    action = f"{PEOPLE}/{person_id}/remove"
    return render_template("confirm.html", danger=danger, action=action, cancel_url=PEOPLE, error="")


@pages.post(f"{PEOPLE}/<uuid:person_id>/remove", access="admin")
def people_remove_post(person_id: UUID) -> Answer:
    """Take a member out."""
    member = next((m for m in service.members() if m.person_id == person_id), None)
    if member is not None and request.form.get("confirm_name", "").strip() != member.email:
        flash(_("The address did not match, so nothing was changed."), "warning")
        return back(f"{PEOPLE}/{person_id}/remove")
    service.remove_member(person_id)
    flash(_("The person is removed."), "success")
    return back(PEOPLE)


@pages.post("/organisation/invitations/<uuid:invitation_id>/resend", access="admin")
def invitation_resend(invitation_id: UUID) -> Answer:
    """Mail the invitation again."""
    service.resend_invitation(invitation_id)
    flash(_("The invitation is on its way again, with a new link."), "success")
    return back(PEOPLE)


@pages.post("/organisation/invitations/<uuid:invitation_id>/cancel", access="admin")
def invitation_cancel(invitation_id: UUID) -> Answer:
    """Take the invitation back."""
    service.cancel_invitation(invitation_id)
    flash(_("The invitation is cancelled; its link no longer works."), "success")
    return back(PEOPLE)
