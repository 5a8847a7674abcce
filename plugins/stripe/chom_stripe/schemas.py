"""The keys of a Stripe account. All empty: the sandbox."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate


def _key(prefix: str, words: str) -> validate.Regexp:
    return validate.Regexp(rf"(?:{prefix}\w{{8,250}})?\Z", error=words)


class StripeSettings(Schema):
    """Keys of Developers → API keys and Developers → Webhooks. Stored encrypted, never shown again."""

    secret_key = fields.Str(
        load_default="",
        validate=_key(
            r"(?:sk|rk)_(?:test|live)_", "A secret key begins with sk_test_, sk_live_ or rk_live_."
        ),
        metadata={"secret": True, "widget": "secret", "label": _l("Secret key")},
    )
    publishable_key = fields.Str(
        load_default="",
        validate=_key(r"pk_(?:test|live)_", "A publishable key begins with pk_test_ or pk_live_."),
        metadata={"secret": True, "widget": "secret", "label": _l("Publishable key")},
    )
    webhook_secret = fields.Str(
        load_default="",
        validate=_key(r"whsec_", "A webhook's signing secret begins with whsec_."),
        metadata={
            "secret": True,
            "widget": "secret",
            "label": _l("Signing secret of the webhook"),
            "help": _l("Of an endpoint at /api/v1/stripe/webhook. Without it no webhook is believed."),
        },
    )
