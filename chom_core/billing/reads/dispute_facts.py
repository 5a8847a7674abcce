"""What evidence about a disputed payment can be proposed from: who bought what, when it was served, what was used."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import ngettext

from chom_core.billing.models import BillingProfile
from chom_core.billing.reads.disputes import DisputeDetail
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import answers
from chom_core.billing.service.usage import metering, totals
from chom_core.database import Tenant, clock, here, session
from chom_core.identity.service.members import members
from chom_core.values.billing import DisputeFacts, EvidenceField
from chom_core.values.errors import Conflict
from chom_core.values.period import Period


def fields(detail: DisputeDetail) -> tuple[EvidenceField, ...] | None:
    """What the bank can be told of this dispute, with proposals; None where it is answered at the gateway, by hand."""
    found = answers.advocate(detail.info.gateway)
    return None if found is None else found.fields(facts(detail))


def fields_here(detail: DisputeDetail) -> tuple[EvidenceField, ...]:
    """`fields`; Conflict where the bank cannot be told from here."""
    found = fields(detail)
    if found is None:
        raise Conflict(
            _("Nobody answers disputes of %(gateway)s here.", gateway=detail.info.gateway),
            fix=_("Answer at the gateway itself."),
        )
    return found


def facts(detail: DisputeDetail) -> DisputeFacts:
    """Of a dispute of the current organisation, as of now."""
    info, payment, invoices = detail.info, detail.payment, detail.invoices
    profile, served = sellers.profile(), _served(detail)
    frozen = invoices[0].snapshot if invoices else {}
    buyer = frozen.get("customer", {})
    return DisputeFacts(
        reference=info.reference,
        reason=info.reason,
        amount=info.amount,
        paid=payment.amount,
        paid_at=payment.created_at,
        card=info.card,
        refunded=payment.refunded,
        seller=frozen.get("seller", {}).get("legal_name", "") or sellers.seller().legal_name,
        customer=buyer.get("name") or profile.name or session().get_one(Tenant, here()).name,
        email=buyer.get("email") or profile.email or _owners_mail(),
        address=_address(profile),
        invoice=", ".join(one.number for one in invoices),
        lines=tuple(f"{line.description}: {line.amount.format()}" for one in invoices for line in one.lines),
        served=served,
        services=tuple(f"{one.title or one.name} ({one.kind.replace('_', ' ')})" for one in detail.services),
        use=tuple(_use(served)) if served is not None else (),
    )


def _served(detail: DisputeDetail) -> Period | None:
    """From the first to the last instant that the invoices bill. A top-up that was used for nothing: since then."""
    lines = [line for one in detail.invoices for line in one.lines]
    starts = [line.period_start for line in lines if line.period_start is not None]
    ends = [line.period_end for line in lines if line.period_end is not None]
    if starts and ends and min(starts) < max(ends):
        return Period(min(starts), max(ends))
    now = clock.now()
    return Period(detail.payment.created_at, now) if detail.payment.created_at < now else None


def _use(served: Period) -> Iterator[str]:
    known = metering.meters()
    for name, subjects in sorted(totals.by_meter(sorted(known), [served])[served].items()):
        quantity = sum((use.quantity for use in subjects.values()), start=Decimal(0))
        events = sum(use.events for use in subjects.values())
        if quantity and events:
            what = f"{known[name].title}: {_plain(quantity)} {known[name].unit}".strip()
            yield f"{what} ({ngettext('%(num)d record', '%(num)d records', events)})"


def _plain(quantity: Decimal) -> str:
    return f"{round(quantity, 2).normalize():f}"


def _address(profile: BillingProfile) -> str:
    return ", ".join(
        part for part in (*profile.address.split("\n"), profile.region, profile.country) if part.strip()
    )


def _owners_mail() -> str:
    return next((one.email for one in members() if one.role == "owner"), "")
