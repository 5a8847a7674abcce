"""What happened at Stripe before the storm: payments whose answers were lost, banks asked, refunds, disputes, cards.

Made once, through the real core and the plugin's sandbox, with every webhook withheld. Each seed of the storm starts
from a copy of this database, so the same ids stand in all of them and their ledgers can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from chom_stripe import cards
from chom_stripe.keys import Keys, api
from chom_stripe.models import SandboxObject
from chom_stripe.sandbox import cards as test_cards
from chom_stripe.sandbox import disputes, faults, intents, setups, store
from sqlalchemy import func, select

from chom_core.billing.models import Payment, PaymentMethod
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.buying.purchases import Click
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import notices, payments, refunds
from chom_core.database import PLATFORM_ID, acting_as, clock, transaction
from chom_core.plugin_host import gate
from chom_core.values.billing import Order
from chom_core.values.errors import Unavailable
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.values.principal import Principal, StaffRole
from chom_core.work import run_all
from chom_sdk.testing.world import World

STAFF = Principal("person", staff_role=StaffRole.ADMIN, name="Storm")
#: Every organisation lives through these once; a pro plan comes on top.
EACH = (
    "heard",
    "lost",
    "lost",
    "declined",
    "approved",
    "refused",
    "refunded",
    "won",
    "lost dispute",
    "open dispute",
    "card",
)


def begin() -> None:
    """Stripe is switched on, and from now on it tells nothing."""
    with transaction(principal=STAFF):
        gate.switch(PLATFORM_ID, "stripe", on=True, by="staff", note="storm")
    run_all(reraise=False)
    _arm("silent", 1_000_000)


def tell(world: World, events: int) -> int:
    """More organisations and their stories, until at least `events` events stand at Stripe. How many there are."""
    made = count()
    while made < events:
        tenant = world.organisation(f"Storm at {made}").id
        good, bank, bad = (_card(tenant, token) for token in _TOKENS)
        _plan(tenant, good)
        for at, name in enumerate(EACH):
            _STORIES[name](tenant, {"good": good, "bank": bank, "bad": bad}, f"{name}-{at}")
        made = count()
    _arm("lost", 0)
    return made


def count() -> int:
    with transaction() as here:
        return here.scalar(select(func.count()).where(SandboxObject.kind == "event")) or 0


_TOKENS = ("pm_card_visa", "pm_card_authenticationRequired", "pm_card_chargeCustomerFail")
Cards = dict[str, UUID]


def _card(tenant: UUID, token: str) -> UUID:
    with acting_as("stripe"):
        kept = cards.as_saved(
            api(Keys()).payment_methods.attach(token, {"customer": cards.customer(Keys(), tenant)})
        )
    with transaction(tenant):
        return notices.keep_method("stripe", kept)


def _plan(tenant: UUID, card: UUID) -> None:
    """A plan is bought, and the answer is lost: the invoice is a draft until somebody hears."""
    _arm("lost", 3)
    with transaction(tenant):
        click = Click(
            uuid7(), "1", Money.of("79.00", "USD"), method_id=card, return_url="https://storm.test/PAYMENT"
        )
        _quietly(lambda: checkout.buy(Order("pro"), click))
    _arm("lost", 0)


def _pay(tenant: UUID, card: UUID, key: str, *, lost: bool = False) -> UUID:
    """A top-up of 25 dollars while its holder is there."""
    _arm("lost", 3 if lost else 0)
    with transaction(tenant) as here:
        sellers.lock_profile()
        method = here.get_one(PaymentMethod, card)
        begun = payments.begin_top_up(
            Money(2500, "USD"), method, key, return_url="https://storm.test/PAYMENT"
        )
        _quietly(lambda: payments.send(begun.id))
        made = begun.id
    _arm("lost", 0)
    return made


def _heard(tenant: UUID, of: Cards, key: str) -> None:
    _pay(tenant, of["good"], key)


def _lost(tenant: UUID, of: Cards, key: str) -> None:
    _pay(tenant, of["good"], key, lost=True)


def _declined(tenant: UUID, of: Cards, key: str) -> None:
    _pay(tenant, of["bad"], key, lost=True)


def _at_the_bank(approve: bool) -> Callable[[UUID, Cards, str], None]:
    def story(tenant: UUID, of: Cards, key: str) -> None:
        made = _pay(tenant, of["bank"], key)
        _act(intents.decide, _intent(tenant, made), approve=approve)

    return story


def _refunded(tenant: UUID, of: Cards, key: str) -> None:
    """Begun and sent, and the answer is lost."""
    made = _pay(tenant, of["good"], key)
    with transaction(tenant, STAFF):
        begun = refunds.refund(made, Money(700, "USD"), "storm", key)
    _arm("lost", 3)
    with transaction(tenant):
        _quietly(lambda: refunds.send(begun.id))
    _arm("lost", 0)


def _disputed(end: str) -> Callable[[UUID, Cards, str], None]:
    def story(tenant: UUID, of: Cards, key: str) -> None:
        made = _pay(tenant, of["good"], key, lost=True)
        opened = _act(disputes.open_dispute, _intent(tenant, made))
        if end:
            _act(disputes.close_dispute, opened["id"], won=end == "won")

    return story


def _entered(tenant: UUID, of: Cards, key: str) -> None:
    """A card is entered on the hosted page, and the browser never comes back."""
    with acting_as("stripe"):
        facts: Any = {"mode": "setup", "customer": cards.customer(Keys(), tenant), "success_url": "https://storm.test/",
                      "metadata": {"chom_tenant": str(tenant)}}  # fmt: skip
        session = api(Keys()).checkout.sessions.create(facts)
    _act(setups.complete, session.id, test_cards.CARDS[1], 12, 2034)


_STORIES: dict[str, Callable[[UUID, Cards, str], None]] = {
    "heard": _heard, "lost": _lost, "declined": _declined, "approved": _at_the_bank(True),
    "refused": _at_the_bank(False), "refunded": _refunded, "won": _disputed("won"), "lost dispute": _disputed("lost"),
    "open dispute": _disputed(""), "card": _entered,
}  # fmt: skip


def _intent(tenant: UUID, payment_id: UUID) -> str:
    """The payment's intent at Stripe: by its key, since the core may not know its reference."""
    with transaction(tenant) as here:
        key = here.get_one(Payment, payment_id).key
    with transaction() as here:
        row = select(SandboxObject.reference).where(
            SandboxObject.kind == "payment_intent", SandboxObject.body["metadata"]["chom_key"].astext == key,
            SandboxObject.body["metadata"]["chom_tenant"].astext == str(tenant),
        )  # fmt: skip
        return str(here.scalars(row).one())


def _act(change: Callable[..., Any], *args: Any, **how: Any) -> Any:
    token = store.at.set(clock.now())
    with acting_as("stripe"), transaction():
        done = change(*args, **how)
    store.at.reset(token)
    return done


def _arm(name: str, times: int) -> None:
    with acting_as("stripe"), transaction():
        faults.arm(name, times)


def _quietly(act: Callable[[], Any]) -> None:
    with suppress(Unavailable):
        act()
