"""Staff's disputes by their pages: the list, one dispute, a draft, one answer, and giving up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from chom_core.billing import reads
from chom_core.billing.service.paying import answers, fees
from chom_core.database import PLATFORM_ID, clock, transaction
from chom_core.identity import service as people
from chom_core.values import Money, Role
from chom_core.work import run_all
from tests.billing import till
from tests.billing.bank import Bank, answer, disputed, draft, hear, opened
from tests.billing.shop import books_are_right, buy
from tests.billing.test_credit_pages import dana
from tests.billing.test_pages import app, mara
from tests.conftest import make_tenant
from tests.identity.conftest import Browser, person

__all__ = ["app", "dana", "mara"]


@pytest.fixture
def bank() -> Iterator[Bank]:
    with opened() as made:
        yield made


def at(tenant: UUID, dispute: UUID) -> str:
    return f"/staff/organisations/{tenant}/disputes/{dispute}"


def in_days(days: int) -> Any:
    return clock.now() + timedelta(days=days)


def fields(page: str) -> dict[str, str]:
    """What the form holds, as the page was sent."""
    inputs = dict(re.findall(r'name="(e-\w+|version)"[^>]* value="([^"]*)"', page))
    areas = re.findall(r'<textarea[^>]* name="(e-\w+)"[^>]*>\n?([^<]*)</textarea>', page)
    return inputs | dict(areas)


def test_the_list_begins_with_what_must_be_answered_first(dana: Browser, bank: Bank) -> None:
    late, soon, decided, told = (make_tenant(name) for name in ("Late", "Soon", "Decided", "Told"))
    disputed(late, "dp_late", evidence_due=in_days(9), reason="product_not_received")
    disputed(soon, "dp_soon", evidence_due=in_days(2), reason="fraudulent")
    disputed(told, "dp_told", evidence_due=in_days(1), answered=True)
    paid = till.topped_up(decided, 5000)
    disputed(decided, "dp_won", paid)
    hear(decided, paid, "dp_won", "won")
    page = dana.get("/staff/disputes").text
    places = [page.index(name) for name in ("dp_soon", "dp_late", "dp_told", "dp_won")]
    assert places == sorted(places)
    assert "product not received" in page
    assert "$50.00" in page
    only = dana.get("/staff/disputes?status=needs_answer&q=Soon").text
    assert ("dp_soon" in only, "dp_late" in only) == (True, False)
    assert "dp_told" in dana.get("/staff/disputes?q=dp_told").text
    assert "Nothing found" in dana.get("/staff/disputes?q=nobody").text
    rows = dana.get("/staff/disputes?export=csv&reset=1").text.splitlines()
    assert len(rows) == 5
    assert "Soon,dp_soon,Visa ending in 4242,fraudulent,needs_answer" in rows[1]
    today = dana.get("/staff/").text
    assert ("Disputes to answer" in today, "Soon" in today, "Late" in today) == (True, True, False)
    assert "dp_soon" not in today
    assert "fraudulent" in dana.get(f"/staff/organisations/{soon}/money").text


def test_an_empty_list_says_what_will_stand_there(dana: Browser) -> None:
    assert "No disputes" in dana.get("/staff/disputes").text
    assert "Disputes to answer" not in dana.get("/staff/").text


def test_pages_of_the_list_follow_each_other(dana: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_tenant("Many")
    paid = till.topped_up(tenant, 500_000)
    for place in range(53):
        disputed(tenant, f"dp_{place:02}", paid if place == 0 else till.topped_up(tenant, 5000),
                 evidence_due=in_days(1 + place % 5))  # fmt: skip
    first = dana.get("/staff/disputes").text
    after = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert after is not None
    second = dana.get(after[1].replace("&amp;", "&")).text
    seen = [re.findall(r"dp_\d\d", page) for page in (first, second)]
    assert ([len(one) for one in seen], len(set(seen[0] + seen[1]))) == ([50, 3], 53)


def test_evidence_is_proposed_kept_read_and_sent_once(
    mara: tuple[Browser, UUID], dana: Browser, bank: Bank
) -> None:
    _browser, tenant = mara
    bought = buy(tenant)
    with transaction(tenant):
        payment = next(one for one in reads.payment_list() if one.invoice_id == bought.invoice_id)
        fees.charged_fee(payment.id, "txn_1", Money(259, "USD"))
        fees.dispute_fee(payment.id, "dp_1", "txn_2", Money(1500, "USD"))
    of = disputed(tenant, paid=payment.id, reason="fraudulent", evidence_due=in_days(3))
    page = dana.get(at(tenant, of)).text
    for words in (
        "fraudulent",
        "INV-000001",
        "kept this of a dispute",
        "$15.00",
        "A bank took the money back",
    ):
        assert words in page, words
    assert "$2.59" not in page, "the payment's own fee is another"
    facts = bank.facts[-1]
    assert (facts.customer, facts.email, facts.invoice) == ("Northlight", "mara@example.com", "INV-000001")
    assert any("Pro" in line for line in facts.lines)
    assert facts.served is not None and facts.refunded == Money(0, "USD")
    given = fields(page)
    assert given["e-customer_name"] == "Northlight"
    given |= {"e-notes": "<b>used</b> daily", "then": "send"}
    sent = dana.post(f"{at(tenant, of)}/draft", given, page=at(tenant, of))
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{at(tenant, of)}/send")
    review = dana.get(sent.headers["Location"]).text
    assert review.index('<h2 class="form-section">Name') < review.index('<h2 class="form-section">Notes')
    assert "&lt;b&gt;used&lt;/b&gt; daily" in review
    version = {"version": "1"}
    without = dana.post(f"{at(tenant, of)}/send", version, page=at(tenant, of))
    assert (without.status_code, "cannot be changed after" in without.text) == (422, True)
    for _ in range(2):
        done = dana.post(f"{at(tenant, of)}/send", version | {"confirm": "yes"}, page="/staff/disputes")
        assert done.status_code == 303
    assert bank.told == {}, "no click waits for a bank"
    assert "Being sent" in dana.get(at(tenant, of)).text
    run_all(tenant)
    assert bank.told == {"dp_1": ("evidence", {"customer_name": "Northlight", "notes": "<b>used</b> daily"})}
    page = dana.get(at(tenant, of)).text
    assert "With the bank" in page
    assert "&lt;b&gt;used&lt;/b&gt; daily" in page
    assert "<textarea" not in page
    assert dana.get(f"{at(tenant, of)}/send").status_code == 409
    assert dana.post(f"{at(tenant, of)}/draft", given, page="/staff/disputes").status_code == 409
    books_are_right()


def test_a_topped_up_invoice_is_what_its_credit_paid(dana: Browser, bank: Bank) -> None:
    tenant = make_tenant("Northlight")
    paid = till.topped_up(tenant, 5000)
    till.invoice(tenant, 3000)
    of = disputed(tenant, paid=paid)
    assert "INV-000001" in dana.get(at(tenant, of)).text
    assert bank.facts[-1].invoice == "INV-000001"


def test_use_in_the_time_of_service_is_proposed(dana: Browser, bank: Bank) -> None:
    from chom_core.billing.service import usage

    tenant = make_tenant("Northlight")
    bought = buy(tenant)
    with transaction(tenant):
        usage.record_batch([usage.NewEvent(f"e{place}", "traffic_gb", Decimal(4)) for place in range(3)])
        payment = next(one for one in reads.payment_list() if one.invoice_id == bought.invoice_id)
    dana.get(at(tenant, disputed(tenant, paid=payment.id)))
    assert "Traffic: 12 GB (3 records)" in bank.facts[-1].use


def test_services_that_the_payment_paid_for_are_named(dana: Browser, bank: Bank) -> None:
    tenant = make_tenant("Northlight")
    bought = buy(tenant, amount="9.00", plan="toy-alone", name="playroom")
    run_all(tenant)
    with transaction(tenant):
        payment = next(one for one in reads.payment_list() if one.invoice_id == bought.invoice_id)
    hear(tenant, payment.id, "dp_1", "open", cents=900)
    with transaction(tenant):
        (info,) = reads.dispute_list()
    assert "playroom" in dana.get(at(tenant, info.id)).text
    assert bank.facts[-1].services == ("playroom (toy)",)


def test_what_is_wrong_comes_back_in_place(dana: Browser, bank: Bank) -> None:
    tenant = make_tenant("Northlight")
    of = disputed(tenant)
    long = {"version": "0", "e-customer_name": "Mara", "e-notes": "x" * 21}
    refused = dana.post(f"{at(tenant, of)}/draft", long, page=at(tenant, of))
    assert refused.status_code == 422
    assert "At most 20 characters" in refused.text
    assert fields(refused.text)["e-notes"] == "x" * 21
    draft(tenant, of)
    stale = dana.post(f"{at(tenant, of)}/draft", {"version": "0", "e-notes": "mine"}, page=at(tenant, of))
    assert (stale.status_code, "meanwhile" in stale.text) == (409, True)
    assert dana.post(f"{at(tenant, of)}/draft", {"version": "x"}, page=at(tenant, of)).status_code == 409


def test_giving_up_asks_for_the_name(dana: Browser, bank: Bank) -> None:
    tenant = make_tenant("Northlight")
    of = disputed(tenant)
    form = dana.get(f"{at(tenant, of)}/accept").text
    action = re.search(r'action="([^"]+/accept\?version=0)"', form)
    assert action is not None
    assert "The bank keeps $50.00" in form
    wrong = dana.post(action[1], {"confirm_name": "Southlight"}, page=at(tenant, of))
    assert wrong.status_code == 422
    assert answer(tenant, of) is None
    assert dana.post(action[1], {"confirm_name": "Northlight"}, page=at(tenant, of)).status_code == 303
    run_all(tenant)
    assert bank.told == {"dp_1": ("accept", {})}
    assert "given up" in dana.get(at(tenant, of)).text


def test_a_refused_answer_is_shown_and_can_be_mended(dana: Browser, bank: Bank) -> None:
    tenant = make_tenant("Northlight")
    of, bank.next = disputed(tenant), "no"
    draft(tenant, of)
    dana.post(f"{at(tenant, of)}/send", {"version": "1", "confirm": "yes"}, page=at(tenant, of))
    run_all(tenant)
    page = dana.get(at(tenant, of)).text
    assert "The bank takes nothing." in page
    assert fields(page)["e-notes"] == "it was used"


@pytest.mark.parametrize("why", ["nobody", "broken"])
def test_without_an_advocate_staff_are_sent_to_the_gateway(
    dana: Browser, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    tenant = make_tenant("Northlight")
    of = disputed(tenant)
    if why == "nobody":
        monkeypatch.setattr(answers, "advocate", lambda gateway: None)
    else:
        bank = Bank()
        monkeypatch.setattr(bank, "evidence", lambda facts: 1 / 0)
        monkeypatch.setattr(answers, "advocate", lambda gateway: answers.Advocate("sandbox_gateway", bank))  # type: ignore[arg-type]
    page = dana.get(at(tenant, of)).text
    assert "answer at the gateway itself" in page
    posted = dana.post(f"{at(tenant, of)}/draft", {"version": "0"}, page=at(tenant, of))
    assert posted.status_code == 409
    assert answer(tenant, of) is None


def test_support_reads_and_customers_see_nothing(
    app: Flask, mara: tuple[Browser, UUID], dana: Browser, bank: Bank
) -> None:
    browser, tenant = mara
    of = disputed(tenant)
    with transaction(PLATFORM_ID):
        people.add_member(person("piotr@example.com"), Role.MEMBER)
    support = Browser(app)
    support.log_in("piotr@example.com")
    page = support.get(at(tenant, of)).text
    assert ("readonly" in page, "Save the draft" in page) == (True, False)
    assert support.post(f"{at(tenant, of)}/draft", {"version": "0"}, page="/me").status_code == 403
    assert support.get(f"{at(tenant, of)}/accept").status_code == 403
    assert browser.get("/staff/disputes").status_code == 403
    assert browser.get(at(tenant, of)).status_code == 403
    elsewhere = make_tenant("Elsewhere")
    assert dana.get(at(elsewhere, of)).status_code == 404
