"""How an organisation's money stands, for pages and plugins: its credit, its cards, and what is to come."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select

from chom_core.billing.models import BillingProfile, Subscription
from chom_core.billing.reads.documents import card_words
from chom_core.billing.service import usage
from chom_core.billing.service.changes import boundary
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import methods
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import current, session
from chom_core.values.money import Money


class AccountCredit(Struct, frozen=True):
    """What is left: `account` was paid in and may be refunded, `promotional` was given and may expire."""

    currency: str
    account: Money
    promotional: Money


class CardInfo(Struct, frozen=True):
    """A card on file, as its holder recognises it."""

    id: UUID
    words: str
    is_default: bool


class Upcoming(Struct, frozen=True):
    """A renewal to come: `amount` before discounts and tax, without use."""

    at: datetime
    title: str
    amount: Money
    service_id: UUID | None


class Estimate(Struct, frozen=True):
    """What is not billed yet, in one currency, before tax: `used` by meters so far, and what renews next."""

    currency: str
    used: Money
    renewals: tuple[Upcoming, ...]

    @property
    def total(self) -> Money:
        """Both together."""
        return sum((one.amount for one in self.renewals), start=self.used)


def billing_currency() -> str:
    """The currency that the organisation is billed in."""
    query = select(BillingProfile.currency).where(BillingProfile.tenant_id == current().tenant_id)
    return session().scalar(query) or sellers.seller().currency


def account_credit(currency: str = "") -> AccountCredit:
    """The credit in `currency` (default: the organisation's own), usable now: what has expired is not counted."""
    code = currency or billing_currency()
    return AccountCredit(code, accounts.balance("account", code), accounts.balance("promotional", code))


def projected_credit(currency: str = "") -> Money:
    """The account credit that drafts and the use so far leave; below zero a card has to pay. Rates all use: dear."""
    code = currency or billing_currency()
    return accounts.projected(code, _used(_live(code), code))


def cards() -> list[CardInfo]:
    """The organisation's cards, the default one first."""
    return [CardInfo(one.id, card_words(one), one.is_default) for one in methods.methods()]


def estimate(currency: str = "") -> Estimate:
    """What will be billed by what is known now. Nothing is written; a cancelled subscription renews nothing."""
    code = currency or billing_currency()
    live = _live(code)
    coming = (_upcoming(of) for of in live if of.cancel_at is None)
    return Estimate(code, _used(live, code), tuple(sorted(coming, key=lambda one: one.at)))


def _live(currency: str) -> list[Subscription]:
    return [of for of in subscriptions.live() if of.currency == currency]


def _used(live: list[Subscription], currency: str) -> Money:
    return sum((usage.spent(of) for of in live), start=Money.zero(currency))


def _upcoming(of: Subscription) -> Upcoming:
    if of.timing == "arrears":
        charges = boundary.in_arrears(of, of.current_period_end) if of.status != "trialing" else []
    else:
        charges = subscriptions.charges(of, subscriptions.period_after(of))
    item = subscriptions.main_item(of)
    amount = sum((charge.total for charge in charges), start=Money.zero(of.currency))
    return Upcoming(of.current_period_end, item.title, amount, item.service_id)
