"""What forms and the API take and give. A form's labels are here, so that page, API and document agree."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from chom_core.identity.passwords import LONGEST, SHORTEST
from chom_core.identity.roles import KEY_ROLES
from chom_core.values.principal import Role

ROLE_ABOUT = {
    Role.OWNER: _l("Everything, also owners and closing the organisation"),
    Role.ADMIN: _l("Everything but owners"),
    Role.MEMBER: _l("Build and run sites and servers"),
    Role.VIEWER: _l("Look, change nothing"),
    Role.BILLING: _l("Plans, invoices and payment methods"),
}
ROLE_LABEL = {
    Role.OWNER: _l("Owner"),
    Role.ADMIN: _l("Admin"),
    Role.MEMBER: _l("Member"),
    Role.VIEWER: _l("Viewer"),
    Role.BILLING: _l("Billing"),
}
_PASSWORD_HELP = _l("At least %(count)s characters; a few words are good.", count=SHORTEST)
_NAME = validate.Length(min=1, max=120)


def _email(**more: object) -> fields.String:
    meta = {"label": _l("E-mail address"), "widget": "email", "autocomplete": "username", **more}
    return fields.String(required=True, validate=validate.Length(max=254), metadata=meta)


def _secret(label: object, autocomplete: str = "current-password", help: object = "") -> fields.String:
    meta = {"label": label, "widget": "secret", "autocomplete": autocomplete, "help": help}
    return fields.String(
        required=True, load_only=True, validate=validate.Length(max=LONGEST + 1), metadata=meta
    )


def _role(roles: tuple[Role, ...] = tuple(Role)) -> fields.String:
    meta = {
        "label": _l("Role"),
        "choices": [(r.value, ROLE_LABEL[r]) for r in roles],
        "about": {r.value: ROLE_ABOUT[r] for r in roles},
    }
    return fields.String(required=True, validate=validate.OneOf([r.value for r in roles]), metadata=meta)


class SignUpSchema(Schema):
    """A new account and its first organisation."""

    name = fields.String(
        required=True, validate=_NAME, metadata={"label": _l("Your name"), "autocomplete": "name"}
    )
    organisation = fields.String(
        required=True,
        validate=_NAME,
        metadata={
            "label": _l("Organisation"),
            "autocomplete": "organization",
            "help": _l("Your company, team or own name. It gets the invoices."),
        },
    )
    email = _email()
    password = _secret(_l("Password"), "new-password", _PASSWORD_HELP)


class LogInSchema(Schema):
    """E-mail address and password."""

    email = _email()
    password = _secret(_l("Password"))


class EmailSchema(Schema):
    """An address to mail to."""

    email = _email()


class NewPasswordSchema(Schema):
    """A password by a mailed link."""

    password = _secret(_l("New password"), "new-password", _PASSWORD_HELP)


class NewcomerSchema(Schema):
    """The account of somebody who was invited; the address is the invitation's."""

    name = fields.String(
        required=True, validate=_NAME, metadata={"label": _l("Your name"), "autocomplete": "name"}
    )
    password = _secret(_l("Password"), "new-password", _PASSWORD_HELP)


class ChangePasswordSchema(Schema):
    """Old and new password."""

    current_password = _secret(_l("Current password"))
    new_password = _secret(_l("New password"), "new-password", _PASSWORD_HELP)


class ProfileSchema(Schema):
    """A person's own settings."""

    name = fields.String(
        required=True, validate=_NAME, metadata={"label": _l("Name"), "autocomplete": "name"}
    )
    zone = fields.String(required=True, metadata={"label": _l("Time zone")})
    theme = fields.String(
        load_default="",
        validate=validate.OneOf(["", "light", "dark"]),
        metadata={
            "label": _l("Colours"),
            "widget": "radio",
            "choices": [("", _l("As the system")), ("light", _l("Light")), ("dark", _l("Dark"))],
        },
    )


class OrganisationFormSchema(Schema):
    """An organisation's name and time zone."""

    name = fields.String(
        required=True, validate=_NAME, metadata={"label": _l("Name"), "autocomplete": "organization"}
    )
    zone = fields.String(
        required=True,
        metadata={"label": _l("Time zone"), "help": _l("Billing days and schedules follow it.")},
    )


class OrganisationChangeSchema(Schema):
    """A change of the organisation: what is left out stays."""

    name = fields.String(validate=_NAME)
    zone = fields.String()


class InviteSchema(Schema):
    """An address and the role it is offered."""

    email = _email(autocomplete="off")
    role = _role()


class RoleSchema(Schema):
    """A member's new role."""

    role = _role()


class _KeySchema(Schema):
    name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=80),
        metadata={"label": _l("Name"), "placeholder": _l("Deploy from CI"), "autocomplete": "off"},
    )
    role = _role(KEY_ROLES)
    scopes = fields.List(
        fields.String(validate=validate.Length(max=80)),
        load_default=list,
        metadata={
            "label": _l("Scopes"),
            "widget": "checkboxes",
            "help": _l("Limit the key to these. With none chosen it may do all that its role may."),
        },
    )


class NewKeySchema(_KeySchema):
    """An API key to be made. Without `expires_at` it does not expire."""

    expires_at = fields.AwareDateTime(load_default=None, allow_none=True)


class NewKeyFormSchema(_KeySchema):
    """The same as a form: it offers a few lifetimes."""

    days = fields.Integer(
        load_default=365,
        validate=validate.OneOf([30, 90, 365, 0]),
        metadata={
            "label": _l("Valid for"),
            "choices": [
                (30, _l("30 days")),
                (90, _l("90 days")),
                (365, _l("One year")),
                (0, _l("It does not expire")),
            ],
        },
    )


class OrganisationSchema(Schema):
    """The organisation of the key."""

    id = fields.UUID()
    name = fields.String()
    slug = fields.String()
    kind = fields.String()
    status = fields.String()
    zone = fields.String()


class MeSchema(Schema):
    """What this key is and may do."""

    id = fields.UUID()
    kind = fields.String()
    name = fields.String()
    role = fields.String()
    scopes = fields.List(fields.String())
    organisation = fields.Nested(OrganisationSchema)


class MemberSchema(Schema):
    """A member of the organisation."""

    person_id = fields.UUID()
    name = fields.String()
    email = fields.String()
    role = fields.String()
    since = fields.AwareDateTime()


class InvitationSchema(Schema):
    """An invitation that waits for an answer."""

    id = fields.UUID()
    email = fields.String()
    role = fields.String()
    expires_at = fields.AwareDateTime()


class KeySchema(Schema):
    """An API key, without its secret."""

    id = fields.UUID()
    name = fields.String()
    prefix = fields.String()
    role = fields.String()
    scopes = fields.List(fields.String())
    created_at = fields.AwareDateTime()
    last_used_at = fields.AwareDateTime(allow_none=True)
    expires_at = fields.AwareDateTime(allow_none=True)


class MadeKeySchema(KeySchema):
    """A key just made: `secret` is shown this once (a repeated request with the same Idempotency-Key lacks it)."""

    secret = fields.String(allow_none=True)
