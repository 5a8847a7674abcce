"""The fields of Stripe's evidence, by its names, and what is proposed for each from what CHOM knows. Pure.

Stripe takes files, too, which are uploaded in its dashboard; here is text only.
"""

from __future__ import annotations

from flask_babel import format_date
from flask_babel import gettext as _

from chom_sdk.billing import DisputeFacts, EvidenceField

#: What Stripe takes of all fields together, in characters.
MOST = 150_000
_SHORT = 500


def fields(facts: DisputeFacts) -> tuple[EvidenceField, ...]:
    """Every field that takes text and that a hosting company can fill."""
    return (
        EvidenceField("customer_name", _("Customer's name"), facts.customer, most=_SHORT),
        EvidenceField("customer_email_address", _("Customer's e-mail address"), facts.email, most=_SHORT),
        EvidenceField("billing_address", _("Billing address"), facts.address, most=_SHORT),
        EvidenceField("customer_purchase_ip", _("IP address at the purchase"), most=_SHORT),
        EvidenceField("product_description", _("What was sold"), _sold(facts), long=True),
        EvidenceField("service_date", _("Dates of service"), _dates(facts), most=_SHORT),
        EvidenceField(
            "access_activity_log", _("Use of the service"), "\n".join(facts.use),
            _("What the customer used in this time, as it was metered. Log-ins with their IP addresses help, too."),
            long=True,
        ),
        EvidenceField(
            "refund_policy_disclosure", _("How the refund policy was shown"),
            help=_("When and where the customer saw it before paying."), long=True,
        ),
        EvidenceField("refund_refusal_explanation", _("Refunds"), _refunds(facts), long=True),
        EvidenceField(
            "cancellation_rebuttal", _("Cancellation"),
            help=_("Where the customer says that it was cancelled: why it was not."), long=True,
        ),
        EvidenceField("duplicate_charge_explanation", _("Why it is no duplicate"), _single(facts), long=True),
        EvidenceField("uncategorized_text", _("Anything else"), _summary(facts), long=True),
    )  # fmt: skip


def _sold(facts: DisputeFacts) -> str:
    services = [_("Services: %(names)s", names=", ".join(facts.services))] if facts.services else []
    return "\n".join([*facts.lines, *services])


def _dates(facts: DisputeFacts) -> str:
    if facts.served is None:
        return ""
    return f"{_day(facts.served.start)} – {_day(facts.served.end)}"


def _refunds(facts: DisputeFacts) -> str:
    if not facts.refunded:
        return ""
    return _(
        "We gave back %(refunded)s of %(paid)s that were paid.",
        refunded=facts.refunded.format(), paid=facts.paid.format(),
    )  # fmt: skip


def _single(facts: DisputeFacts) -> str:
    if facts.reason != "duplicate" or not facts.invoice:
        return ""
    return _("This payment is for invoice %(number)s alone.", number=facts.invoice)


def _summary(facts: DisputeFacts) -> str:
    if not facts.invoice:
        return _(
            "%(amount)s were paid with %(card)s on %(day)s as credit with %(seller)s.",
            amount=facts.paid.format(), card=facts.card, day=_day(facts.paid_at), seller=facts.seller,
        )  # fmt: skip
    return _(
        "%(amount)s were paid with %(card)s on %(day)s for invoice %(number)s of %(seller)s.",
        amount=facts.paid.format(), card=facts.card, day=_day(facts.paid_at), number=facts.invoice,
        seller=facts.seller,
    )  # fmt: skip


def _day(at: object) -> str:
    return str(format_date(at, "long"))  # type: ignore[no-untyped-call]
