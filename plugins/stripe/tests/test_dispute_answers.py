"""A dispute is answered at the desk and heard by Stripe once: what wins, what loses, what gets lost on the way."""

from __future__ import annotations

import html
import random
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import stripe
from chom_stripe import evidence
from chom_stripe.disputes import StripeDisputes
from chom_stripe.keys import Keys, api
from chom_stripe.models import SandboxObject
from chom_stripe.sandbox import conform, disputes
from sqlalchemy import select, update
from test_dispute_fees import KEPT, disputed, events
from test_fees import FEE, cash, fees, shop
from test_money import act, arm, compare

from chom_sdk import Conflict, Money, NotFound, Unavailable, clock, transaction
from chom_sdk.billing import DisputeFacts, DisputeReply
from chom_sdk.testing import Organisation, World, sales

__all__ = ["shop"]
BANK = StripeDisputes(Keys())


def at_stripe(reference: str) -> dict[str, Any]:
    with transaction() as here:
        body = here.scalars(select(SandboxObject.body).where(SandboxObject.reference == reference)).one()
        return dict(body)


def reply(of: Organisation, reference: str, key: str = "dispute/1/1", **texts: str) -> DisputeReply:
    return DisputeReply(key, reference, of.id, texts or {"uncategorized_text": "it was used"})


class Desk:
    """Staff's page of the one dispute."""

    def __init__(self, chom: World, reference: str) -> None:
        self.chom, self.client = chom, chom.staff_client
        listed = self.client.get("/staff/disputes").text
        assert reference in listed
        found = re.search(r"/staff/organisations/[0-9a-f-]+/disputes/[0-9a-f-]+", listed)
        assert found is not None
        self.at = found[0]

    @property
    def page(self) -> str:
        return str(self.client.get(self.at).text)

    def post(self, what: str, **fields: str) -> int:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/me").text)
        assert token is not None
        data = {"csrf_token": token[1], **fields}
        return int(self.client.post(f"{self.at}/{what}", data=data).status_code)

    def typed(self) -> dict[str, str]:
        """What the form proposes."""
        inputs = re.findall(
            r'<input class="form-control"[^>]* name="(e-\w+)"[^>]* value="([^"]*)"', self.page
        )
        areas = re.findall(r'<textarea[^>]* name="(e-\w+)"[^>]*>\n?([^<]*)</textarea>', self.page)
        return {name: html.unescape(text) for name, text in [*inputs, *areas]}

    def send(self, **texts: str) -> None:
        """Save the draft, confirm it, and let the jobs run."""
        assert self.post("draft", version="0", **self.typed(), **texts) == 303
        assert self.post("send", version="1", confirm="yes") == 303
        self.chom.run_jobs()


@pytest.mark.parametrize(("words", "end"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_evidence_goes_to_stripe_once_and_the_bank_decides(
    chom: World, shop: Organisation, words: str, end: str
) -> None:
    reference = disputed(chom, shop)
    desk = Desk(chom, reference)
    given = desk.typed()
    assert given["e-customer_name"] == shop.name
    assert "$25.00 were paid with Visa ending in 4242" in given["e-uncategorized_text"]
    assert at_stripe(reference)["evidence_details"]["submission_count"] == 0
    given.pop("e-uncategorized_text")
    assert desk.post("draft", version="0", **given, **{"e-uncategorized_text": words}) == 303
    for _ in range(2):
        assert desk.post("send", version="1", confirm="yes") == 303
    assert at_stripe(reference)["status"] == "needs_response", "no click calls Stripe"
    chom.run_jobs()
    there = at_stripe(reference)
    assert (there["status"], there["evidence_details"]["submission_count"]) == (end, 1)
    assert there["evidence"]["customer_name"] == shop.name
    assert "billing_address" not in there["evidence"], "what is empty is not sent"
    assert (end.title() in desk.page, "<textarea" in desk.page) == (True, False)
    kept = FEE if end == "won" else FEE + KEPT
    assert (fees(shop), cash(shop)) == (kept, 2500 - kept if end == "won" else -kept)
    assert (compare(chom), sales.books(chom)) == ([], [])


def test_what_neither_wins_nor_loses_is_with_the_bank(chom: World, shop: Organisation) -> None:
    reference = disputed(chom, shop)
    desk = Desk(chom, reference)
    desk.send()
    assert at_stripe(reference)["status"] == "under_review"
    assert "With the bank" in desk.page
    assert events()[-1] == "updated"


def test_giving_up_closes_it_at_stripe(chom: World, shop: Organisation) -> None:
    reference = disputed(chom, shop)
    desk = Desk(chom, reference)
    assert desk.post("accept", version="0", confirm_name=shop.name) == 303
    chom.run_jobs()
    assert (at_stripe(reference)["status"], "Lost" in desk.page) == ("lost", True)
    assert (fees(shop), cash(shop), sales.books(chom)) == (FEE + KEPT, -FEE - KEPT, [])


@pytest.mark.parametrize("what", ["submit", "accept"])
@pytest.mark.parametrize("fault", ["lost", "conflict", "rate_limit", "error"])
def test_whatever_goes_wrong_it_is_one_answer(chom: World, shop: Organisation, fault: str, what: str) -> None:
    reference = disputed(chom, shop)
    asked = reply(shop, reference)
    arm(fault, 3)
    with shop.acting(), pytest.raises(Unavailable):
        getattr(BANK, what)(asked)
    arm(fault, 0)
    with shop.acting():
        for _ in range(2):
            getattr(BANK, what)(asked)
    there = at_stripe(reference)
    assert there["evidence_details"]["submission_count"] == (what == "submit")
    assert there["status"] == ("under_review" if what == "submit" else "lost")


@pytest.mark.parametrize("what", ["submit", "accept"])
def test_a_key_that_stripe_forgot_answers_once(chom: World, shop: Organisation, what: str) -> None:
    """The answer was lost and a day went by: that the dispute has an answer is seen there, and nothing is sent."""
    reference = disputed(chom, shop)
    asked = reply(shop, reference)
    arm("lost", 3)
    with shop.acting(), pytest.raises(Unavailable):
        getattr(BANK, what)(asked)
    shop.move_clock(clock.machine() + timedelta(days=3))
    with shop.acting():
        getattr(BANK, what)(asked)
    assert at_stripe(reference)["evidence_details"]["submission_count"] == (what == "submit")


def test_a_lost_answer_is_settled_by_the_next_try_of_the_job(
    chom: World, shop: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda *_: 0.0)  # a job that failed is tried again at once
    reference = disputed(chom, shop)
    desk = Desk(chom, reference)
    assert desk.post("draft", version="0", **desk.typed()) == 303
    assert desk.post("send", version="1", confirm="yes") == 303
    arm("lost", 3)
    with pytest.raises(Unavailable):
        chom.run_jobs()
    shop.move_clock(clock.machine() + timedelta(hours=30))  # by now Stripe may have forgotten the key
    chom.run_jobs()
    assert at_stripe(reference)["evidence_details"]["submission_count"] == 1
    assert ("Sent" in desk.page, "Being sent" in desk.page) == (True, False)


def test_twenty_at_once_with_one_key_are_one_answer(chom: World, shop: Organisation) -> None:
    reference = disputed(chom, shop)

    def press(_: int) -> None:
        with shop.acting():
            BANK.submit(reply(shop, reference))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(press, range(20)))
    assert at_stripe(reference)["evidence_details"]["submission_count"] == 1


def test_what_stripe_does_not_take_is_said_at_the_desk(chom: World, shop: Organisation) -> None:
    """Somebody was faster, in Stripe's own dashboard, and its event is late."""
    reference = disputed(chom, shop)
    desk = Desk(chom, reference)
    arm("silent", 9)
    api(Keys()).disputes.update(reference, {"evidence": {"customer_name": "there"}, "submit": True})
    desk.send()
    assert "it takes no answer any more" in desk.page
    assert at_stripe(reference)["evidence"] == {"customer_name": "there"}
    compare(chom)
    assert "With the bank" in desk.page, "the missed event says so in the end"


def test_a_draft_at_stripe_is_no_answer(shop: Organisation, chom: World) -> None:
    reference = disputed(chom, shop)
    staged = api(Keys()).disputes.update(reference, {"evidence": {"customer_name": "x"}, "submit": False})
    assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
    with shop.acting():
        BANK.submit(reply(shop, reference))
    assert at_stripe(reference)["evidence"] == {"customer_name": "x", "uncategorized_text": "it was used"}


def test_only_the_organisations_own_dispute_is_answered(
    chom: World, shop: Organisation, other_organisation: Organisation
) -> None:
    reference = disputed(chom, shop)
    with other_organisation.acting(), pytest.raises(NotFound):
        BANK.submit(reply(other_organisation, reference))
    assert at_stripe(reference)["status"] == "needs_response"


def test_more_than_stripe_takes_is_never_sent(chom: World, shop: Organisation) -> None:
    reference = disputed(chom, shop)
    with shop.acting(), pytest.raises(Conflict, match="more than Stripe takes"):
        BANK.submit(reply(shop, reference, uncategorized_text="x" * (evidence.MOST + 1)))
    with pytest.raises(stripe.InvalidRequestError, match="limited"):
        api(Keys()).disputes.update(
            reference, {"evidence": {"uncategorized_text": "x" * (evidence.MOST + 1)}}
        )
    assert at_stripe(reference)["evidence"] == {}


def test_a_decided_dispute_takes_nothing(chom: World, shop: Organisation) -> None:
    reference = disputed(chom, shop)
    act(disputes.close_dispute, reference, won=True)
    for verb in (BANK.submit, BANK.accept):
        with shop.acting(), pytest.raises(Conflict, match="takes no answer"):
            verb(reply(shop, reference, f"dispute/{verb.__name__}"))
    assert at_stripe(reference)["status"] == "won"


def test_each_field_is_one_that_stripe_knows(chom: World, shop: Organisation) -> None:
    """And each proposal fits in it."""
    now = clock.machine()
    facts = DisputeFacts(
        "du_1", "duplicate", Money(2500, "USD"), Money(2500, "USD"), now, "Visa", Money(100, "USD"), "Lanternworks",
        "Mara", "mara@chom.test", "1 Pier", "INV-1", ("Pro: $79.00",), None, ("shop (WordPress)",), ("Traffic: 12 GB",),
    )  # fmt: skip
    with chom.app.test_request_context():
        found = evidence.fields(facts)
    texts = {field.name: field.text or "x" for field in found}
    asked = {"evidence": texts, "submit": "true"}
    assert conform.problems("post", "/v1/disputes/du_1", asked) == []
    assert conform.problems("post", "/v1/disputes/du_1", {"evidence": texts | {"recept": "x"}})
    assert conform.problems("post", "/v1/disputes/du_1/close", {}) == []
    assert all(len(field.text) <= field.most for field in found)
    assert texts["duplicate_charge_explanation"] == "This payment is for invoice INV-1 alone."
    assert "$1.00 of $25.00" in texts["refund_refusal_explanation"]


def test_the_sandboxs_disputes_have_stripes_own_fields(chom: World, shop: Organisation) -> None:
    reference = disputed(chom, shop)
    act(disputes.close_dispute, reference, won=True)
    there = at_stripe(reference)
    assert set(there) <= set(stripe.Dispute.__annotations__) | {"id", "object"}
    for booked in there["balance_transactions"]:
        assert set(booked) - {"livemode"} <= set(stripe.BalanceTransaction.__annotations__) | {"id", "object"}
    amounts = [(one["amount"], one["fee"], one["net"]) for one in there["balance_transactions"]]
    assert amounts == [(-2500, KEPT, -2500 - KEPT), (2500, -KEPT, 2500 + KEPT)]


def test_a_deadline_that_is_past_is_said(chom: World, shop: Organisation) -> None:
    reference = disputed(chom, shop)
    desk = Desk(chom, reference)
    assert "may take none any more" not in desk.page
    with transaction() as here:
        row = SandboxObject.reference == reference
        body = at_stripe(reference)
        body["evidence_details"]["due_by"] -= 30 * 86_400
        here.execute(update(SandboxObject).where(row).values(body=body))
    with shop.acting():
        from chom_stripe.hearing import hear_dispute

        hear_dispute(reference, shop.id)
    assert "may take none any more" in desk.page
