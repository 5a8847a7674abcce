"""What follows from an event: the object is fetched, and the core is told to look. Any order, any number of times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chom_sdk import Invalid, NotFound, clock, session, uuid7
from chom_sdk.billing import Payee, disputed, keep_method, payment_id, recheck_payment, recheck_refund
from chom_sdk.work import Job, enqueue, outside
from chom_stripe import fees, payouts, recovery
from chom_stripe.cards import as_saved
from chom_stripe.keys import NAME, Keys, api, read
from chom_stripe.models import Dispute
from chom_stripe.outcomes import (
    CHARGE,
    fee_of,
    fee_of_charge,
    fees_of_dispute,
    has_answer,
    identity,
    money,
    plain,
    spoken,
    standing,
)
from chom_stripe.webhooks import HEAR, event_of, is_here, named

if TYPE_CHECKING:
    from stripe import Dispute as StripeDispute


def hear(job: Job) -> None:
    """One event. Its row reads done in the transaction that ends the job."""
    keys, row_id = read(), UUID(job.args["event"])
    event = event_of(row_id)
    if event.status != "received" or event.mode != keys.mode:
        return
    kind, reference = event.type, event.object_id
    found = outside(_fetch, keys, kind, reference)
    tenant_id = _tenant(found)
    if found is None or tenant_id is None:
        note = "not made by CHOM" if found is not None else "Stripe has it no more"
        done = "ignored"
    elif job.tenant_id != tenant_id and not is_here(tenant_id):
        note, done = "not made by this CHOM", "ignored"
    elif job.tenant_id != tenant_id:
        enqueue(HEAR, {"event": str(row_id)}, tenant_id=tenant_id, key=f"{HEAR}:{row_id}:{tenant_id}")
        return
    else:
        try:
            note, done = _effect(kind)(keys, found, tenant_id), "done"
        except NotFound as missing:
            note, done = f"{missing.detail}", "ignored"
    event = event_of(row_id)
    event.status, event.note = done, note[:300]


def hear_dispute(reference: str, tenant_id: UUID) -> str:
    """A dispute of the current organisation, as if its event had just come; what came of it."""
    keys = read()
    found = outside(_fetch, keys, "charge.dispute.updated", reference)
    if found is None or _tenant(found) != tenant_id:
        return "Stripe has it no more"
    return _dispute(keys, found, tenant_id)


def _fetch(keys: Keys, kind: str, reference: str) -> Any:
    """The object as it is now, with its payment intent's metadata where it has none of its own."""
    import stripe

    v1 = api(keys)
    with spoken():
        try:
            if kind.startswith("charge.dispute."):
                return v1.disputes.retrieve(reference, {"expand": ["payment_intent"]})
            if kind.startswith(("refund.", "charge.refund.")):
                return v1.refunds.retrieve(reference)
            if kind.startswith("charge."):
                return v1.charges.retrieve(reference, {"expand": ["balance_transaction"]})
            if kind.startswith("checkout."):
                return v1.checkout.sessions.retrieve(reference, {"expand": ["setup_intent.payment_method"]})
            if kind.startswith("payment_method."):
                return v1.payment_methods.retrieve(reference, {"expand": ["customer"]})
            if kind.startswith("account."):
                return v1.accounts.retrieve(reference)
            return v1.payment_intents.retrieve(reference, {"expand": [CHARGE]})
        except stripe.IdempotencyError:
            raise
        except stripe.InvalidRequestError:
            return None


def _tenant(found: Any) -> UUID | None:
    """Whose it is, by the metadata that we gave it (or its payment intent, or its customer).

    None where it is not ours: another house may share the account, and write what it likes into its metadata.
    """
    for one in (found, getattr(found, "payment_intent", None), getattr(found, "customer", None)):
        name = plain(getattr(one, "metadata", None)).get("chom_tenant", "")
        if name:
            return named(name)
    return None


def _effect(kind: str) -> Callable[[Keys, Any, UUID], str]:
    return next(effect for prefix, effect in _EFFECTS if kind.startswith(prefix))


def _payment(keys: Keys, found: Any, tenant_id: UUID) -> str:
    facts = plain(found.metadata)
    known = recheck_payment(NAME, key=facts.get("chom_key", ""), reference=found.id)
    if found.status != "succeeded":
        return f"payment {found.status}"
    return f"payment {found.status}, {fees.post(known, fee_of(found))}"


def _booked(keys: Keys, found: Any, tenant_id: UUID) -> str:
    """Stripe says so of a charge whose fee is known only now."""
    facts = plain(found.metadata)
    known = payment_id(NAME, key=facts.get("chom_key", ""), reference=identity(found.payment_intent))
    return fees.post(known, fee_of_charge(found))


def _refund(keys: Keys, found: Any, tenant_id: UUID) -> str:
    """A refund that CHOM began is settled; one from Stripe's dashboard is listed by the reconciliation."""
    if found.object != "refund":
        return "its refund has events of its own"
    recheck_refund(NAME, plain(found.metadata).get("chom_key", ""))
    return f"refund {found.status}"


def _card(keys: Keys, found: Any, tenant_id: UUID) -> str:
    setup = found.setup_intent
    if found.mode != "setup" or setup is None or found.status != "complete":
        return "no card in it"
    keep_method(NAME, as_saved(setup.payment_method))
    return "card kept"


def _renewed(keys: Keys, found: Any, tenant_id: UUID) -> str:
    """A bank sent a new expiry for a saved card."""
    keep_method(NAME, as_saved(found))
    return "card brought up to date"


def _account(keys: Keys, found: Any, tenant_id: UUID) -> str:
    payee = Payee(str(tenant_id), tenant_id)
    state = payouts.remember(keys, payee, found)
    return "ready for payouts" if state.ready else f"still needs {', '.join(state.needs)[:200]}"


def _dispute(keys: Keys, found: StripeDispute, tenant_id: UUID) -> str:
    """The money is away while it is open. A warning is a question only: no money moved.

    That the payment succeeded may not have been heard yet, so it is looked at first.
    """
    intent: Any = found.payment_intent
    payment = recheck_payment(NAME, key=plain(intent.metadata).get("chom_key", ""), reference=intent.id)
    amount, due = money(found.amount, found.currency), found.evidence_details.due_by
    values: dict[str, Any] = {"status": found.status, "reason": found.reason[:60],
              "evidence_due": datetime.fromtimestamp(due, UTC) if due else None}  # fmt: skip
    row = insert(Dispute).values(
        id=uuid7(), created_at=clock.machine(), mode=keys.mode, reference=found.id, owner_id=tenant_id,
        intent=intent.id, amount=amount.amount, currency=amount.currency, **values,
    )  # fmt: skip
    session().execute(row.on_conflict_do_update(index_elements=["mode", "reference"], set_=values))
    if found.status.startswith("warning_"):
        return "an inquiry; no money moved"
    fee = fees.post_of_dispute(payment, found.id, fees_of_dispute(found))
    try:
        state = standing(found.status)
        disputed(
            payment, found.id, amount, state, reason=found.reason, evidence_due=values["evidence_due"],
            answered=has_answer(found),
        )  # fmt: skip
    except Invalid as odd:
        # a bank may count in a currency of its own: it stands in the list, and a person posts it
        return f"not posted: {odd.detail}" + (f"; {fee}" if fee else "")
    back = recovery.follow(keys, found.id, intent, tenant_id, won=state == "won")
    return ", ".join(said for said in (f"dispute {found.status}", fee, back) if said)


_EFFECTS: tuple[tuple[str, Callable[[Keys, Any, UUID], str]], ...] = (
    ("payment_intent.", _payment),
    ("charge.dispute.", _dispute),
    ("charge.refund", _refund),
    ("charge.updated", _booked),
    ("refund.", _refund),
    ("checkout.", _card),
    ("payment_method.", _renewed),
    ("account.", _account),
)
