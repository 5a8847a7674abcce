"""The card whose bank takes payments back: once for a charge, heard once, decided by what it was told."""

from __future__ import annotations

import pytest
from chom_sandbox_gateway import book, disputes
from chom_sandbox_gateway.disputes import SandboxDisputes
from chom_sandbox_gateway.gateway import Sandbox

from chom_sdk import Money, NotFound, billing, transaction, uuid7
from chom_sdk.billing import (
    CardSubmission,
    DisputeFacts,
    DisputeReply,
    FollowUp,
    PaymentRequest,
    gateway_disputes,
)
from chom_sdk.testing import Organisation, World, sales

BANK, PAID = SandboxDisputes(), Money(2500, "USD")


@pytest.fixture
def shop(chom: World, organisation: Organisation) -> Organisation:
    """Has paid in by the card, and its bank has heard of it."""
    organisation.enable(disputes.NAME)
    organisation.card("4000000000000259")
    with organisation.acting():
        (card,) = billing.cards()
    paid = {"amount": "25.00", "method": str(card.id), "key": "paid-in"}
    assert organisation.post("/billing/credit", paid).status_code == 303
    chom.run_jobs()
    return organisation


def name_of(charge: int = 0) -> str:
    return disputes.reference_of(book.charges()[charge])


def states(*names: str) -> list[str]:
    with transaction():
        return [one.status for one in gateway_disputes(disputes.NAME, names)]


def told(shop: Organisation, key: str = "dispute/1/1", words: str = "It was used.") -> DisputeReply:
    return DisputeReply(key, name_of(), shop.id, {"uncategorized_text": words} if words else {})


@pytest.mark.parametrize(
    ("words", "end"), [("It was used.", "won"), ("losing_evidence", "lost"), ("", "lost")]
)
def test_the_bank_decides_by_what_it_hears(chom: World, shop: Organisation, words: str, end: str) -> None:
    assert states(name_of()) == ["open"]
    answer = BANK.submit if words else BANK.accept
    for _again in range(2):
        answer(told(shop, words=words))
    chom.run_jobs()
    assert states(name_of()) == [end]
    BANK.submit(told(shop, "dispute/1/2", "losing_evidence" if end == "won" else "It was used."))
    chom.run_jobs()
    assert states(name_of()) == [end], "a bank decides once"
    assert sales.books(chom) == []


def test_staff_answer_it_from_their_desk(chom: World, shop: Organisation) -> None:
    page = chom.staff_client.get("/staff/disputes").text
    assert name_of() in page and "$25.00" in page


def test_what_it_proposes_names_who_bought(shop: Organisation) -> None:
    facts = DisputeFacts(
        "d", "fraudulent", PAID, PAID, paid_at=book.charges()[0].created_at, card="Visa 0259",
        refunded=Money(500, "USD"), seller="Lanternworks", customer="Northlight",
        email="mara@example.com", address="", invoice="INV-1",
    )  # fmt: skip
    (field,) = BANK.evidence(facts)
    for words in ("Northlight <mara@example.com>", "INV-1", "Visa 0259", "$5.00"):
        assert words in field.text


def test_only_what_was_paid_with_somebody_there_is_taken_back_and_a_hold_once_it_is_captured(
    chom: World, shop: Organisation
) -> None:
    sandbox, money = Sandbox(), Money(900, "USD")
    card = sandbox.save_method(CardSubmission(shop.id, {"test_card": "4000000000000259"})).reference

    def asked(key: str, *, away: bool = False) -> PaymentRequest:
        return PaymentRequest(key, money, card, shop.id, "Renewal", "", away)

    waiting = chom.run_jobs()
    sandbox.charge(asked("renewal", away=True))
    held = sandbox.authorise(asked("hold"))
    assert (waiting, chom.run_jobs()) == (0, 0)
    sandbox.capture(FollowUp("hold/capture", held.reference, shop.id))
    with pytest.raises(NotFound):  # core knows no such payment: this one was made beside it
        chom.run_jobs()


def test_a_stranger_answers_nothing(shop: Organisation) -> None:
    with pytest.raises(NotFound):
        BANK.submit(DisputeReply("k", f"sbx_dispute_{uuid7().hex}", shop.id, {"uncategorized_text": "x"}))
