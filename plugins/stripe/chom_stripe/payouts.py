"""Payouts to vendors, affiliates and resellers: Connect accounts, their onboarding, transfers and reversals.

An organisation has one account at Stripe, whatever parties of the ledger it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import Money, clock, transaction, uuid7
from chom_sdk.billing import Onboarding, Payee, PayeeAccount, PayoutRequest, PayoutResult, PayoutStatus
from chom_stripe import transfers
from chom_stripe.keys import NAME, Keys, api
from chom_stripe.models import ConnectedAccount
from chom_stripe.outcomes import spoken

if TYPE_CHECKING:
    from stripe import Account


@dataclass(frozen=True)
class StripePayouts:
    """values.billing.PayoutGateway: the seller's Stripe balance goes to the payees' connected accounts."""

    keys: Keys
    name: str = NAME
    title: str = "Stripe Connect"

    @property
    def sandbox(self) -> bool:
        return self.keys.mode != "live"

    def account(self, payee: Payee) -> PayeeAccount | None:
        known = _known(self.keys, payee.tenant_id)
        if not known:
            return None
        with spoken():
            return remember(self.keys, payee, api(self.keys).accounts.retrieve(known))

    def onboard(self, request: Onboarding) -> str:
        with spoken():
            known = self._asked(request) or self._opened(request)
            link = api(self.keys).account_links.create(
                {
                    "account": known,
                    "type": "account_onboarding",
                    "return_url": request.return_url,
                    "refresh_url": request.return_url,
                }
            )
        return link.url

    def pay_out(self, request: PayoutRequest) -> PayoutResult:
        import stripe

        payee = request.payee
        known = _known(self.keys, payee.tenant_id)
        if not known:
            return _failed("no_account", "The payee has no account at Stripe yet.")
        with spoken():
            try:
                facts = {"chom_tenant": str(payee.tenant_id), "chom_party": payee.party}
                made = transfers.send(
                    self.keys, payee.tenant_id, request.key, request.amount, known, request.description, facts
                )
            except stripe.IdempotencyError:
                raise
            except stripe.InvalidRequestError as error:
                return _failed(
                    error.code or "invalid_request", error.user_message or "Stripe refused the payout."
                )
        if made.reversed:
            return PayoutResult(PayoutStatus.FAILED, made.id, "reversed", "The payout was taken back.")
        return PayoutResult(PayoutStatus.POSTED, made.id)

    def take_back(self, key: str, reference: str, payee: Payee, amount: Money) -> PayoutResult:
        import stripe

        with spoken():
            try:
                made = transfers.reverse(self.keys, payee.tenant_id, key, reference, amount)
            except stripe.IdempotencyError:
                raise
            except stripe.InvalidRequestError as error:
                return _failed(error.code or "invalid_request", error.user_message or "Stripe refused.")
        return PayoutResult(PayoutStatus.POSTED, made.id)

    def _opened(self, request: Onboarding) -> str:
        payee = request.payee
        wanted: Any = {
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": _capabilities(request),
            "metadata": {"chom_tenant": str(payee.tenant_id)},
            **({"email": request.email} if request.email else {}),
            **({"country": request.country} if request.country else {}),
        }
        key = f"account/{payee.tenant_id}" + ("/sells" if request.sells else "")
        made = api(self.keys).accounts.create(wanted, {"idempotency_key": key})
        remember(self.keys, payee, made)
        return made.id

    def _asked(self, request: Onboarding) -> str:
        """The payee's account, if it has one. What it was not asked for when it was opened, it is asked for now."""
        known = _known(self.keys, request.payee.tenant_id)
        if known and request.sells:
            asked: Any = {"capabilities": _capabilities(request)}
            remember(self.keys, request.payee, api(self.keys).accounts.update(known, asked))
        return known


def _known(keys: Keys, owner_id: UUID) -> str:
    """The organisation's account; empty where it has none."""
    mine = select(ConnectedAccount.reference).where(ConnectedAccount.mode == keys.mode)
    with transaction(owner_id) as here:
        return here.scalar(mine) or ""


def selling(keys: Keys, seller: UUID) -> str:
    """The account that a reseller's customers can pay to, as last heard of; empty where there is none (yet)."""
    mine = ConnectedAccount.mode == keys.mode, ConnectedAccount.ready, ConnectedAccount.sells
    with transaction(seller) as here:
        return here.scalar(select(ConnectedAccount.reference).where(*mine)) or ""


def still_sells(keys: Keys, seller: UUID) -> bool:
    """Ask Stripe: it may have stopped the account since we heard of it. What it says is kept for the next payment."""
    known = _known(keys, seller)
    if known:
        remember(keys, Payee(str(seller), seller), api(keys).accounts.retrieve(known))
    return selling(keys, seller) != ""


def _capabilities(request: Onboarding) -> dict[str, Any]:
    """`on_behalf_of` needs card_payments, which a payee that sells nothing is not asked the details for."""
    asked = {"requested": True}
    return {"transfers": asked, **({"card_payments": asked} if request.sells else {})}


def remember(keys: Keys, payee: Payee, account: Account) -> PayeeAccount:
    """Keep how the account stands; the answer of an event and of a look alike."""
    due = account.requirements.currently_due if account.requirements is not None else None
    transfers, cards = (getattr(account.capabilities, name, None) for name in ("transfers", "card_payments"))
    sells = transfers == cards == "active"
    found = PayeeAccount(
        account.id, transfers == "active" and bool(account.payouts_enabled), tuple(due or ())
    )
    with transaction(payee.tenant_id) as here:
        row = insert(ConnectedAccount).values(
            id=uuid7(), created_at=clock.now(), tenant_id=payee.tenant_id, mode=keys.mode,
            reference=account.id, ready=found.ready, sells=sells, needs=list(found.needs),
        )  # fmt: skip
        here.execute(
            row.on_conflict_do_update(
                index_elements=["tenant_id", "mode"],
                set_={"ready": found.ready, "sells": sells, "needs": list(found.needs)},
            )
        )
    return found


def _failed(code: str, message: str) -> PayoutResult:
    return PayoutResult(PayoutStatus.FAILED, code=code[:60], message=message[:300])
