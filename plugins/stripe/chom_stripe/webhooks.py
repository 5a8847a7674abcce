"""Webhooks: verified, written down once with the job that acts on them, and never believed about an object.

The event's row and its job are one transaction, so a delivery counts once however often it comes. The job asks Stripe
how the object stands now, so the order of deliveries means nothing. Both kinds of payload work: classic events carry
the object, thin ones name it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import Invalid, NotFound, Refused, clock, session, transaction, uuid7
from chom_sdk.work import enqueue
from chom_stripe.keys import Keys, read
from chom_stripe.models import WebhookEvent

HEAR = "stripe.hear"
#: A signature older than this is a replay, in seconds (Stripe's own default).
TOLERANCE = 300
#: What we act on, by the beginning of the type.
HEARD = (
    "payment_intent.",
    "charge.dispute.",
    "charge.refund",
    "charge.updated",
    "refund.",
    "checkout.session.completed",
    "payment_method.updated",
    "payment_method.automatically_updated",
    "account.updated",
)
#: Made once: on a bad day this statement is most of what Stripe's repeats cost us.
_NEW = (
    insert(cast("Table", WebhookEvent.__table__))
    .on_conflict_do_nothing(index_elements=["mode", "event_id"])
    .returning(WebhookEvent.id)
)


def receive(body: bytes, signature: str) -> str:
    """Take a delivery: "new", "again" or "ignored". Refused where the signature is not Stripe's for us."""
    keys = read()
    verify(body, signature, secret_of(keys))
    try:
        event = json.loads(body)
        facts = record_of(event)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise Invalid(_("This is no event of Stripe.")) from error
    return record(keys.mode, facts, tenant_of(event))


def verify(body: bytes, signature: str, secret: str) -> None:
    """Raise Refused unless `signature` was made with `secret` within the last minutes. An empty secret never fits."""
    import stripe

    wrong = Refused(
        _("The signature of this webhook is not valid."), fix=_("Staff: check the signing secret.")
    )
    if not secret or not signature or not signature.isascii():
        raise wrong
    try:
        stripe.WebhookSignature.verify_header(body.decode("utf-8"), signature, secret, TOLERANCE)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        raise wrong from None


def secret_of(keys: Keys) -> str:
    """The signing secret in force."""
    if keys.mode != "sandbox":
        return keys.webhook
    from chom_stripe.sandbox import events

    return events.secret()


def record_of(event: dict[str, Any]) -> dict[str, Any]:
    """The facts of an event that are kept: a classic or a thin one."""
    related = event.get("related_object") or event["data"]["object"]
    created = event["created"]
    when = (
        datetime.fromisoformat(created) if isinstance(created, str) else datetime.fromtimestamp(created, UTC)
    )
    return {
        "event_id": str(event["id"])[:120],
        "type": str(event["type"]).removeprefix("v1.")[:80],
        "object_id": str(related["id"])[:120],
        "happened_at": when,
    }


def tenant_of(event: dict[str, Any]) -> UUID | None:
    """The organisation that the event's object names: a hint for whose job it is; the job asks Stripe itself."""
    found = (event.get("data") or {}).get("object") or {}
    return named((found.get("metadata") or {}).get("chom_tenant"))


def named(name: object) -> UUID | None:
    """The organisation that a metadata's value names. Others may use the account, and write into it what they like."""
    try:
        return UUID(str(name))
    except ValueError:
        return None


def is_here(tenant_id: UUID) -> bool:
    """Is it an organisation of this CHOM?"""
    try:
        with transaction(tenant_id):
            return True
    except NotFound:
        return False


def record(mode: str, facts: dict[str, Any], tenant_id: UUID | None) -> str:
    """Write the event down, and its job, in the caller's transaction. A repeat writes nothing: Stripe repeats much."""
    heard = facts["type"].startswith(HEARD)
    values = {**facts, "mode": mode, "status": "received" if heard else "ignored", "note": ""}
    row = {**values, "id": uuid7(), "created_at": clock.machine()}
    made = session().connection().execute(_NEW, row).scalar()
    if made is None:
        return "again"
    if not heard:
        return "ignored"
    owner = tenant_id if tenant_id is not None and is_here(tenant_id) else None
    enqueue(HEAR, {"event": str(made)}, tenant_id=owner, key=f"{HEAR}:{made}")
    return "new"


def event_of(event_id: UUID) -> WebhookEvent:
    """The row of an event."""
    return session().scalars(select(WebhookEvent).where(WebhookEvent.id == event_id)).one()
