"""What the staff's pages show and do."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from chom_sdk import Money, session, settings
from chom_sdk.work import enqueue
from chom_stripe import differences, keys
from chom_stripe.models import ConnectedAccount, Dispute, WebhookEvent


@dataclass(frozen=True, slots=True)
class State:
    """How the connection to Stripe stands. `problems`: what staff should do something about."""

    mode: str
    problems: tuple[str, ...]
    events: dict[str, int]
    disputes: list[tuple[Dispute, Money]]
    differences: int


def state() -> State:
    """The overview."""
    held, stored = keys.read(), settings.read(keys.NAME)
    wrong = []
    if held.mode != "sandbox" and not held.webhook:
        wrong.append(
            "There is no signing secret, so no webhook is believed. Payments are found by reconciliation."
        )
    public = stored.get("publishable_key", "")
    if held.secret and public and ("_live_" in held.secret) != ("_live_" in public):
        wrong.append("The secret key and the publishable key are of different modes.")
    mine = WebhookEvent.mode == held.mode
    counts = (
        select(WebhookEvent.status, func.count().label("number")).where(mine).group_by(WebhookEvent.status)
    )
    disputed = select(Dispute).where(Dispute.mode == held.mode).order_by(Dispute.id.desc()).limit(50)
    return State(
        mode=held.mode,
        problems=tuple(wrong),
        events={row.status: row.number for row in session().execute(counts)},
        disputes=[(one, Money(one.amount, one.currency)) for one in session().scalars(disputed)],
        differences=len(differences.listed()),
    )


def events(limit: int = 200) -> list[WebhookEvent]:
    """The newest events."""
    query = select(WebhookEvent).where(WebhookEvent.mode == keys.read().mode)
    return list(session().scalars(query.order_by(WebhookEvent.id.desc()).limit(limit)))


def accounts() -> list[ConnectedAccount]:
    """The organisation's payout accounts, as last heard of."""
    return list(session().scalars(select(ConnectedAccount).where(ConnectedAccount.mode == keys.read().mode)))


def reconcile_now() -> None:
    """Put a reconciliation in line."""
    enqueue("stripe.reconcile", {})
