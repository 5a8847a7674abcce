"""A reseller's customers pay into its own account, once that is ready; what was paid before, the platform hands on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import stripe
from chom_stripe.keys import Keys, api
from chom_stripe.models import ConnectedAccount, SandboxObject
from chom_stripe.sandbox import connect, disputes
from sqlalchemy import select, update
from stripe_world import card
from test_hostile import give_back
from test_money import act, arm, compare, enter_card, intents, top_up

from chom_sdk import Conflict, Money, Unavailable, billing, clock, transaction
from chom_sdk.testing import Organisation, World, sales

PAID = 2500
#: What the sandbox keeps of it: 2.9 % and 30.
FEE = 103


@dataclass(frozen=True)
class House:
    """A reseller and a customer of it with a card."""

    chom: World
    reseller: Organisation
    customer: Organisation

    def onboard(self) -> str:
        """The reseller opens (or completes) its account on Stripe's page. The account."""
        there = self.reseller.post("/stripe/account").location
        assert there.startswith("/stripe/sandbox/onboarding/"), there
        assert self.reseller.post(there).status_code == 303
        self.chom.run_jobs()
        return str(there.rsplit("/", 1)[1])

    def page(self) -> str:
        return str(self.reseller.client().get("/stripe/account").text)


@pytest.fixture
def house(chom: World) -> House:
    reseller = chom.organisation("Brightside", kind="reseller")
    sales.sells(reseller)
    customer = chom.organisation("Bakery", parent=reseller.id)
    customer.enable("stripe")
    chom.run_jobs()
    enter_card(customer)
    chom.run_jobs()
    return House(chom, reseller, customer)


def every(kind: str) -> list[dict[str, Any]]:
    """The sandbox's objects of a kind, oldest first."""
    with transaction() as here:
        rows = select(SandboxObject.body).where(SandboxObject.kind == kind).order_by(SandboxObject.id)
        return list(here.scalars(rows))


def rewrite(reference: str, **changes: Any) -> None:
    with transaction() as here:
        row = SandboxObject.reference == reference
        body = here.scalars(select(SandboxObject.body).where(row)).one()
        here.execute(update(SandboxObject).where(row).values(body={**body, **changes}))


def kept(house: House) -> ConnectedAccount:
    with transaction(house.reseller.id) as here:
        return here.scalars(select(ConnectedAccount)).one()


def names(house: House) -> tuple[str, str]:
    """The legal names of the reseller and of the platform, as the ledger's sellers."""
    found = {name for name, _code in sales.balances(house.customer)}
    mine = f"{house.reseller.name} Ltd"
    return mine, next(iter(found - {mine}), "")


def test_the_money_is_the_resellers_and_the_fee_the_platforms(house: House) -> None:
    account = house.onboard()
    assert top_up(house.customer) == "succeeded"
    house.chom.run_jobs()
    intent = intents()[0]
    assert (intent["transfer_data"], intent["on_behalf_of"]) == ({"destination": account}, account)
    assert [(one["destination"], one["amount"]) for one in every("transfer")] == [(account, PAID)]
    mine, platform = names(house)
    assert sales.balances(house.customer) == {
        (mine, "cash"): PAID, (mine, "customer_credit"): -PAID, (platform, "fees"): FEE, (platform, "cash"): -FEE,
    }  # fmt: skip
    assert sales.books(house.chom) == []
    assert compare(house.chom) == []
    assert "goes straight to this account" in house.page()


def test_without_an_account_the_platform_collects_and_hands_on(house: House) -> None:
    assert "Open one to be paid" in house.page()
    assert top_up(house.customer) == "succeeded"
    assert (every("transfer"), intents()[0]["transfer_data"]) == ([], None)
    sales.settle(house.reseller)
    house.chom.run_jobs()
    assert "$25.00" in house.page()
    owed = sales.balances(house.reseller)
    assert sorted(owed.values()) == [-PAID, PAID]
    assert {code for _name, code in owed} == {"cash", "reseller_payable"}
    account = house.onboard()
    house.reseller.move_clock(clock.machine() + timedelta(days=9))
    sales.settle(house.reseller)
    house.chom.run_jobs()
    assert [(one["destination"], one["amount"]) for one in every("transfer")] == [(account, PAID)]
    assert sales.balances(house.reseller) == {}, "the platform owes nothing more, and has nothing of it"
    assert sales.books(house.chom) == []
    sales.settle(house.reseller)
    house.chom.run_jobs()
    assert len(every("transfer")) == 1


def test_what_went_straight_to_the_reseller_is_not_handed_on_again(house: House) -> None:
    house.onboard()
    top_up(house.customer)
    sales.settle(house.reseller)
    house.chom.run_jobs()
    assert sales.balances(house.reseller) == {}


@pytest.mark.parametrize("fault", ["lost", "error", "rate_limit", "conflict"])
def test_an_account_that_becomes_ready_between_two_tries_changes_nothing(house: House, fault: str) -> None:
    """The second try asks for the very same, so it is one payment, and Stripe finds no other facts under the key."""
    arm("silent", 9)
    arm(fault, 3)
    assert top_up(house.customer) == "unknown"
    arm(fault, 0)
    arm("silent", 0)
    house.onboard()
    assert top_up(house.customer) == "succeeded"
    assert [one["transfer_data"] for one in intents()] == [None]
    assert top_up(house.customer, key="2") == "succeeded"
    assert [one["transfer_data"] is None for one in intents()] == [True, False]
    assert {kind for kind, _repair in compare(house.chom)} <= {"missed_event"}
    assert compare(house.chom) == []


def test_an_account_that_is_stopped_after_the_charge_keeps_its_money(house: House) -> None:
    account = house.onboard()
    arm("silent", 2)  # transfer.created, payment_intent.succeeded
    arm("lost", 3)
    assert top_up(house.customer) == "unknown"
    act(connect.decide, account, "card_payments", "inactive")
    house.chom.run_jobs()
    assert not kept(house).sells
    assert top_up(house.customer) == "succeeded"
    assert [one["destination"] for one in every("transfer")] == [account]
    assert compare(house.chom) == [("missed_event", "heard now")]
    assert compare(house.chom) == []


def test_an_account_that_stripe_stopped_unheard_costs_one_attempt(house: House) -> None:
    """Stripe refuses, nothing is charged, its word is kept, and the next attempt goes to the platform."""
    account = house.onboard()
    arm("silent", 99)
    act(connect.decide, account, "card_payments", "inactive")
    assert top_up(house.customer, key="1") == "declined"
    assert intents() == []
    assert not kept(house).sells
    assert top_up(house.customer, key="2") == "succeeded"
    assert [one["transfer_data"] for one in intents()] == [None]


def test_refunds_come_back_from_the_reseller_in_proportion(house: House) -> None:
    account = house.onboard()
    top_up(house.customer)
    give_back(house.chom, house.customer, 700)
    assert [(one["amount_reversed"], one["reversed"]) for one in every("transfer")] == [(700, False)]
    act(connect.decide, account, "card_payments", "inactive")
    house.chom.run_jobs()
    give_back(house.chom, house.customer, 1800)
    assert [(one["amount_reversed"], one["reversed"]) for one in every("transfer")] == [(PAID, True)]
    assert [one["amount"] for one in every("transfer_reversal")] == [700, 1800]
    assert (compare(house.chom), sales.books(house.chom)) == ([], [])


def test_a_refund_follows_what_the_payment_was(house: House) -> None:
    """Collected by the platform: it comes back from there, though the account is ready now."""
    top_up(house.customer)
    sales.settle(house.reseller)
    house.onboard()
    give_back(house.chom, house.customer, 700)
    assert [one["transfer_reversal"] for one in every("refund")] == [None]
    sales.settle(house.reseller)
    house.chom.run_jobs()
    with house.reseller.acting():
        assert [one.earned for one in billing.collected()] == [Money(1800, "USD")]
    assert sales.books(house.chom) == []


def test_a_lost_refund_reverses_once(house: House) -> None:
    house.onboard()
    top_up(house.customer)
    house.chom.run_jobs()
    arm("lost", 3)
    with pytest.raises(Unavailable):
        give_back(house.chom, house.customer, 700)
    house.chom.run_jobs()  # the webhook says that it went through
    house.customer.move_clock(clock.machine() + timedelta(hours=30))
    house.chom.run_jobs()
    assert sales.balances(house.customer)[f"{house.reseller.name} Ltd", "cash"] == 1800
    assert [one["amount"] for one in every("transfer_reversal")] == [700]


def test_what_is_the_platforms_stays_there(chom: World, house: House) -> None:
    """A customer of the platform, the reseller itself, and customers of a reseller that has a share."""
    shared = chom.organisation("Partner", kind="reseller")
    sales.sells(shared, "share")
    theirs = chom.organisation("Florist", parent=shared.id)
    plain = chom.organisation("Direct")
    house.onboard()
    assert "card_payments" in every("account")[0]["capabilities"]
    there = shared.post("/stripe/account").location
    shared.post(there)
    chom.run_jobs()
    assert every("account")[1]["capabilities"] == {"transfers": "active"}, (
        "who sells nothing is asked for less"
    )
    assert "Collected for you" not in shared.client().get("/stripe/account").text
    for one in (plain, house.reseller, theirs):
        enter_card(one)
        assert top_up(one) == "succeeded"
    assert [one["transfer_data"] for one in intents()] == [None] * 3
    assert sales.books(chom) == []


def test_an_account_from_before_is_asked_for_card_payments(house: House) -> None:
    """It was opened for payouts only: it is ready for those, and not yet to sell."""
    sales.sells(house.reseller, "share")
    account = house.onboard()
    assert (kept(house).ready, kept(house).sells) == (True, False)
    sales.sells(house.reseller, "wholesale")
    assert "also for card payments" in house.page()
    house.reseller.post("/stripe/account")
    house.chom.run_jobs()
    assert every("account")[0]["capabilities"] == {"transfers": "active", "card_payments": "inactive"}
    assert (kept(house).ready, kept(house).sells) == (True, False)
    act(connect.decide, account, "card_payments", "pending")
    house.chom.run_jobs()
    assert not kept(house).sells
    assert house.onboard() == account
    assert kept(house).sells


@pytest.mark.parametrize("fault", ["", "lost"])
@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_comes_back_from_the_reseller(house: House, won: bool, fault: str) -> None:
    """Stripe takes it from the platform; a lost answer takes nothing back twice."""
    account = house.onboard()
    top_up(house.customer)
    house.chom.run_jobs()
    made = act(disputes.open_dispute, intents()[0]["id"])
    if fault:
        arm(fault, 9)
        with pytest.raises(Unavailable):
            house.chom.run_jobs()
        arm(fault, 0)
    house.chom.run_jobs()
    assert [one["amount_reversed"] for one in every("transfer")] == [PAID]
    assert compare(house.chom) == []
    act(disputes.close_dispute, made["id"], won=won)
    for _ in range(2):
        house.chom.run_jobs()
    left = [
        one["amount"] - one["amount_reversed"] for one in every("transfer") if one["destination"] == account
    ]
    assert left == ([0, PAID] if won else [0])
    mine, _platform = names(house)
    assert sales.balances(house.customer).get((mine, "cash"), 0) == (PAID if won else 0)
    assert (sales.books(house.chom), compare(house.chom)) == ([], [])


def test_a_reversal_that_stripe_refuses_is_failed_work_and_sends_nothing_again(house: House) -> None:
    house.onboard()
    top_up(house.customer)
    house.chom.run_jobs()
    made = act(disputes.open_dispute, intents()[0]["id"])
    rewrite(every("charge")[0]["id"], transfer="tr_gone")
    with pytest.raises(Conflict, match="did not take the money back"):
        house.chom.run_jobs()
    assert every("transfer")[0]["amount_reversed"] == 0
    act(disputes.close_dispute, made["id"], won=True)
    house.chom.run_jobs()
    assert len(every("transfer")) == 1


@pytest.mark.parametrize("how", ["missing", "elsewhere", "not asked for", "less"])
def test_the_comparison_lists_money_that_is_not_with_the_reseller(house: House, how: str) -> None:
    house.onboard()
    top_up(house.customer)
    house.chom.run_jobs()
    assert compare(house.chom) == []
    if how == "missing":
        rewrite(every("charge")[0]["id"], transfer=None)
    elif how == "elsewhere":
        rewrite(every("transfer")[0]["id"], destination="acct_somebody")
    elif how == "not asked for":
        rewrite(intents()[0]["id"], transfer_data=None)
    else:  # somebody refunded in Stripe's dashboard, from the platform's money
        arm("silent", 9)
        api(Keys()).refunds.create({"payment_intent": intents()[0]["id"], "amount": 100})
    assert ("transfer", "") in compare(house.chom)


def test_a_transfer_that_nobody_asked_for_is_listed(house: House) -> None:
    top_up(house.customer)
    house.chom.run_jobs()
    rewrite(intents()[0]["id"], transfer_data={"destination": "acct_somebody"})
    assert ("transfer", "") in compare(house.chom)


def test_the_sandbox_refuses_what_stripe_would(house: House) -> None:
    payer = house.customer.id
    account = house.onboard()
    method = card(payer)
    customer = every("customer")[0]["id"]
    asked: Any = {
        "amount": 100,
        "currency": "usd",
        "customer": customer,
        "payment_method": method,
        "confirm": True,
    }
    act(connect.decide, account, "card_payments", "pending")
    with pytest.raises(stripe.InvalidRequestError, match="card_payments"):
        api(Keys()).payment_intents.create(asked | {"on_behalf_of": account})
    act(connect.decide, account, "transfers", "inactive")
    with pytest.raises(stripe.InvalidRequestError, match="transfers"):
        api(Keys()).payment_intents.create(asked | {"transfer_data": {"destination": account}})
    made = api(Keys()).payment_intents.create(asked)
    with pytest.raises(stripe.InvalidRequestError, match="it has none"):
        api(Keys()).refunds.create({"payment_intent": made.id, "reverse_transfer": True})
    with pytest.raises(stripe.InvalidRequestError, match="without transfers"):
        api(Keys()).accounts.create({"capabilities": {"card_payments": {"requested": True}}})


def test_a_part_of_the_transfer_comes_back_to_the_cent(house: House) -> None:
    """Where the reseller got less than was paid, each refund takes its share, and the last one what is left."""
    account = house.onboard()
    method = card(house.customer.id)
    customer = every("customer")[0]["id"]
    there: Any = {"destination": account, "amount": 100}
    made = api(Keys()).payment_intents.create(
        {"amount": 300, "currency": "usd", "customer": customer, "payment_method": method, "confirm": True,
         "transfer_data": there}
    )  # fmt: skip
    for cents in (50, 101, 149):
        api(Keys()).refunds.create({"payment_intent": made.id, "amount": cents, "reverse_transfer": True})
    assert [one["amount"] for one in every("transfer_reversal")] == [17, 33, 50]
    assert every("transfer")[0]["reversed"]
