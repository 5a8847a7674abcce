"""What a brand may hold, as people write it: the form of the brand page and the documentation of its fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, ValidationError, fields, validate

from chom_core.branding import tokens

_ADDRESS = re.compile(r"(https://[A-Za-z0-9.-]+(:\d+)?)?/[A-Za-z0-9._~/%+=&?-]*\Z|https://[A-Za-z0-9.-]+\Z")


def _address(value: str) -> None:
    if value and (not _ADDRESS.match(value) or value.startswith("//")):
        raise ValidationError(str(_l("Write an address that begins with https:// or with one /.")))


def _line(value: str) -> None:
    if any(ord(sign) < 32 or sign in "<>" for sign in value):
        raise ValidationError(str(_l("Write plain text on one line, without < and >.")))


def _colour(value: str) -> None:
    if value and not tokens.is_colour(value):
        raise ValidationError(str(_l("Write a colour as # and six digits, like #3056d3.")))


def _fonts(value: str) -> None:
    if value and not tokens.is_fonts(value):
        raise ValidationError(str(_l("Write up to five font names with commas, like: Inter, sans-serif.")))


def _link(label: object, **more: object) -> fields.String:
    return fields.String(
        load_default="", validate=[validate.Length(max=300), _address], metadata={"label": label, **more}
    )


def _mail(label: object, **more: object) -> fields.String:
    def check(value: str) -> None:
        if value:
            validate.Email()(value)
            _line(value)

    return fields.String(
        load_default="", validate=[validate.Length(max=254), check], metadata={"label": label, **more}
    )


def _text(label: object, longest: int, *, required: bool = False, **more: object) -> fields.String:
    least = 1 if required else 0
    checks: list[Callable[[Any], Any]] = [validate.Length(min=least, max=longest), _line]
    meta = {"label": label, **more}
    if required:
        return fields.String(required=True, validate=checks, metadata=meta)
    return fields.String(load_default="", validate=checks, metadata=meta)


class BrandSchema(Schema):
    """The brand page's form. An empty colour or font means: the theme's own."""

    name = _text(_l("Name"), 80, required=True, section=_l("Name and logo"))
    logo_url = _link(_l("Logo"), section=_l("Name and logo"), help=_l("An address; at least 56 px high."))
    logo_dark_url = _link(_l("Logo on dark"), section=_l("Name and logo"))
    favicon_url = _link(_l("Icon in the browser's tab"), section=_l("Name and logo"))
    theme = fields.String(load_default="default", metadata={"label": _l("Theme"), "section": _l("Look")})
    preset = fields.String(load_default="", metadata={"label": _l("Layout"), "section": _l("Look")})
    primary = fields.String(
        load_default="",
        validate=_colour,
        metadata={"label": _l("Brand colour"), "section": _l("Look"), "placeholder": "#3056d3",
                  "help": _l("Buttons, links and the current entry of the menu. Empty: the theme's.")},
    )  # fmt: skip
    primary_dark = fields.String(
        load_default="",
        validate=_colour,
        metadata={
            "label": _l("Brand colour on dark"),
            "section": _l("Look"),
            "help": _l("Empty: made from it."),
        },
    )
    font = fields.String(
        load_default="",
        validate=_fonts,
        metadata={"label": _l("Font"), "section": _l("Look"), "placeholder": "Inter, sans-serif"},
    )
    support_email = _mail(_l("Support e-mail"), section=_l("Contact"))
    support_url = _link(_l("Support page"), section=_l("Contact"))
    terms_url = _link(_l("Terms"), section=_l("Contact"))
    privacy_url = _link(_l("Privacy"), section=_l("Contact"))
    footer = _text(
        _l("Footer"), 300, section=_l("Contact"), help=_l("Legal name and address, under every mail.")
    )
    mail_name = _text(_l("Mail comes from (name)"), 80, section=_l("Mail"))
    mail_address = _mail(
        _l("Mail comes from (address)"),
        section=_l("Mail"),
        help=_l("Its domain must allow this server to send (SPF, DKIM). Empty: the platform's address."),
    )
    words = fields.List(
        fields.String(validate=[validate.Length(max=80), _line]),
        load_default=list,
        validate=validate.Length(max=40),
        metadata={"label": _l("Own words"), "widget": "lines", "section": _l("Wording"),
                  "placeholder": "Organisation = Studio",
                  "help": _l("One a line: the house's word = yours.")},
    )  # fmt: skip
