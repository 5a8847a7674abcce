"""The fee of a dispute: an expense once, given back when it is won, and found at night where nobody posted it."""

from __future__ import annotations

from typing import Any

import pytest
from chom_stripe import fees as posting
from chom_stripe import hearing
from chom_stripe.keys import Keys, api
from chom_stripe.models import Difference, SandboxObject
from chom_stripe.sandbox import disputes
from sqlalchemy import select, update
from test_fees import FEE, cash, fees, in_currency, shop
from test_money import act, arm, compare, intents, top_up

from chom_sdk import transaction
from chom_sdk.billing import gateway_disputes
from chom_sdk.testing import Organisation, World, sales
from chom_sdk.work import enqueue

__all__ = ["shop"]
PAID, KEPT = 2500, disputes.FEE


def disputed(chom: World, shop: Organisation) -> str:
    """A payment, and its dispute as the webhooks told of it."""
    top_up(shop)
    chom.run_jobs()
    made = act(disputes.open_dispute, intents()[0]["id"])
    chom.run_jobs()
    return str(made["id"])


def events() -> list[str]:
    with transaction() as here:
        rows = select(SandboxObject).where(SandboxObject.kind == "event").order_by(SandboxObject.id)
        kinds = [row.body["type"] for row in here.scalars(rows)]
    return [kind.removeprefix("charge.dispute.") for kind in kinds if kind.startswith("charge.dispute.")]


@pytest.mark.parametrize("won", [True, False])
def test_it_goes_with_the_money_and_comes_back_when_it_is_won(
    chom: World, shop: Organisation, won: bool
) -> None:
    reference = disputed(chom, shop)
    assert (fees(shop), cash(shop)) == (FEE + KEPT, -FEE - KEPT)
    act(disputes.close_dispute, reference, won=won)
    arm("doubled", 9)
    chom.run_jobs()
    assert (fees(shop), cash(shop)) == ((FEE, PAID - FEE) if won else (FEE + KEPT, -FEE - KEPT))
    assert events() == ["created", "funds_withdrawn", "closed", *["funds_reinstated"] * won]
    assert (compare(chom), compare(chom), sales.books(chom)) == ([], [], [])
    ledger = chom.staff_client.get("/staff/ledger").text
    assert "stripe kept this of a dispute" in ledger
    assert ("stripe gave back this of a dispute" in ledger) == won


def test_one_that_is_booked_later_comes_with_its_own_webhook(chom: World, shop: Organisation) -> None:
    top_up(shop)
    chom.run_jobs()
    arm("unbooked", 3)  # opened, then looked at for whose it is, and once more in that organisation
    made = act(disputes.open_dispute, intents()[0]["id"])
    chom.run_jobs()
    assert fees(shop) == FEE
    assert api(Keys()).disputes.retrieve(made["id"]).balance_transactions
    chom.run_jobs()
    assert fees(shop) == FEE + KEPT


def test_one_that_nobody_posted_is_found_at_night(
    chom: World, shop: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every event was heard, by a version that posted no fees of disputes: the comparison does, and says so once."""
    with monkeypatch.context() as older:
        older.setattr(posting, "post_of_dispute", lambda *_: "")
        act(disputes.close_dispute, disputed(chom, shop), won=True)
        chom.run_jobs()
    assert [one.fees for one in ours(chom)] == [{}]
    assert compare(chom) == [("dispute_fee", "posted now")]
    posted = sorted(fee.amount for one in ours(chom) for fee in one.fees.values())
    assert (posted, fees(shop), cash(shop)) == ([-KEPT, KEPT], FEE, PAID - FEE)
    assert (compare(chom), sales.books(chom)) == ([], [])


def ours(chom: World) -> Any:
    with transaction() as here:
        rows = select(SandboxObject.reference).where(SandboxObject.kind == "dispute")
        return gateway_disputes("stripe", list(here.scalars(rows)))


def test_a_dispute_that_no_webhook_told_of_is_heard_at_night(chom: World, shop: Organisation) -> None:
    top_up(shop)
    chom.run_jobs()
    arm("silent", 9)
    act(disputes.open_dispute, intents()[0]["id"])
    found = compare(chom)
    assert ("dispute", "asked Stripe again") in found
    assert (fees(shop), cash(shop)) == (FEE + KEPT, -FEE - KEPT)
    assert compare(chom) == []


def test_one_in_another_currency_stands_in_its_own(chom: World, shop: Organisation) -> None:
    top_up(shop)
    chom.run_jobs()
    arm("silent", 9)
    made = act(disputes.open_dispute, intents()[0]["id"])
    rebook(made["id"], currency="eur")
    assert ("dispute", "asked Stripe again") in compare(chom)
    assert (in_currency(shop, "EUR"), fees(shop)) == ({"fees": KEPT, "cash": -KEPT}, FEE)
    assert (compare(chom), sales.books(chom)) == ([], [])


def test_one_of_another_amount_than_was_posted_is_for_a_person(chom: World, shop: Organisation) -> None:
    rebook(disputed(chom, shop), fee=KEPT + 1)
    assert compare(chom) == compare(chom) == [("dispute_fee", "")]
    with transaction() as here:
        one = here.scalars(select(Difference).where(Difference.kind == "dispute_fee")).one()
    assert (one.ours, one.theirs, fees(shop)) == ("$15.00", "$15.01", FEE + KEPT)


def rebook(reference: str, **changes: Any) -> None:
    """Stripe says otherwise of what it kept of the dispute."""
    with transaction() as here:
        row = SandboxObject.reference == reference
        body = here.scalars(select(SandboxObject.body).where(row)).one()
        booked = [{**one, **changes} for one in body["balance_transactions"]]
        here.execute(update(SandboxObject).where(row).values(body={**body, "balance_transactions": booked}))


def test_another_organisations_dispute_is_not_heard_here(
    chom: World, shop: Organisation, other_organisation: Organisation
) -> None:
    reference = disputed(chom, shop)
    with transaction():
        args = {"reference": reference}
        enqueue("stripe.recheck_dispute", args, tenant_id=other_organisation.id, plugin="stripe")
    chom.run_jobs()
    with other_organisation.acting():
        assert hearing.hear_dispute(reference, other_organisation.id) == "Stripe has it no more"
    assert fees(other_organisation) == 0


def test_an_inquiry_costs_nothing(chom: World, shop: Organisation) -> None:
    top_up(shop)
    chom.run_jobs()
    arm("silent", 9)
    made = act(disputes.open_dispute, intents()[0]["id"])
    with transaction() as here:
        row = SandboxObject.reference == made["id"]
        body = {**made, "status": "warning_needs_response", "balance_transactions": []}
        here.execute(update(SandboxObject).where(row).values(body=body))
    chom.run_jobs()
    assert "dispute" not in {kind for kind, _repair in compare(chom)}
    assert (fees(shop), cash(shop)) == (FEE, PAID - FEE)
