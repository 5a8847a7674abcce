"""What an order of a WordPress takes beside name and title."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields

from chom_sdk.ui import Pattern


class WordPressForm(Schema):
    """The administrator of the new WordPress; the password is made for you."""

    admin_user = fields.String(
        load_default="admin",
        validate=Pattern(r"[A-Za-z0-9_.@-]{1,60}\Z", error=_l("Letters, digits, _ . @ and -, at most 60.")),
        metadata={"label": _l("Administrator's name")},
    )
    admin_email = fields.Email(
        load_default="admin@example.com",
        metadata={
            "label": _l("Administrator's mail address"),
            "help": _l("WordPress sends its notices there."),
        },
    )
