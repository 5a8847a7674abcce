"""The pages and the API of credit: topping up, what an invoice shows of it, what staff do to a customer's money."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from flask import Flask
from sqlalchemy import select

from chom_core.audit.models import AuditEntry
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import credit_notes
from chom_core.database import PLATFORM_ID, Tenant, transaction
from chom_core.identity import service as people
from chom_core.identity.service import create_api_key
from chom_core.values import SYSTEM, Money, Role
from chom_core.work import run_all
from tests.billing import till
from tests.billing.shop import BANK, DECLINED, books_are_right
from tests.billing.test_pages import app, mara
from tests.conftest import make_tenant
from tests.identity.conftest import Browser, person

__all__ = ["app", "mara"]


def usd(major: str) -> Money:
    return Money.of(major, "USD")


@pytest.fixture
def dana(app: Flask) -> Browser:
    """Staff who may act."""
    with transaction(PLATFORM_ID):
        people.add_member(person("dana@example.com"), Role.ADMIN)
    staff = Browser(app)
    staff.log_in("dana@example.com")
    return staff


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found
    return found[1]


def top_up(browser: Browser, amount: str, method: UUID, key: str = "") -> Any:
    page = browser.get("/billing/credit").text
    fields = {"key": key or key_of(page), "amount": amount, "method": str(method)}
    return browser.post("/billing/credit", fields, page="/billing/credit")


def test_a_top_up_pays_what_is_open_and_is_there_for_the_next_invoice(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    assert "Add a card first" in browser.get("/billing/credit").text
    method, open_one = till.card(tenant), till.invoice(tenant, 2000)
    assert top_up(browser, "50.00", method).status_code == 303
    page = browser.get("/billing/credit").text
    assert "$50.00 was charged" in page
    assert "$30.00" in page
    assert "INV-000001" in page
    shown = browser.get(f"/billing/invoices/{open_one}").text
    assert "By credit" in shown
    assert "Account credit used" in " ".join(shown.split())
    assert "−$20.00" in shown or "-$20.00" in shown
    books_are_right()


def test_the_same_form_twice_is_one_charge(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    method = till.card(tenant)
    key = key_of(browser.get("/billing/credit").text)
    for _ in range(2):
        assert top_up(browser, "50.00", method, key).status_code == 303
    assert len(book.charges()) == 1
    assert top_up(browser, "51.00", method, key).status_code == 409


@pytest.mark.parametrize(
    "amount", ["", "0", "-5", "NaN", "Infinity", "1e400", "9" * 19, "ten", "0x10", "1\x000"]
)
def test_what_is_no_amount_is_refused_in_place(mara: tuple[Browser, UUID], amount: str) -> None:
    browser, tenant = mara
    method = till.card(tenant)
    assert top_up(browser, amount, method).status_code == 422
    assert book.charges() == []


def test_a_declined_top_up_and_one_with_a_second_step(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    assert top_up(browser, "50.00", till.card(tenant, DECLINED)).status_code == 303
    assert "Nothing was charged" in browser.get("/billing/credit").text
    sent = top_up(browser, "50.00", till.card(tenant, BANK))
    assert sent.headers["Location"].startswith("/sandbox/bank/")
    assert till.left(tenant) == 0
    charge = book.decide(sent.headers["Location"].rsplit("/", 1)[1], approve=True)
    back = charge.return_url.split("localhost", 1)[-1]
    assert browser.get(back).status_code == 303
    assert till.left(tenant) == 5000
    books_are_right()


def test_how_bills_are_counted_is_public(app: Flask) -> None:
    visitor = Browser(app)
    assert "/prices/rules" in visitor.get("/prices").text
    page = visitor.get("/prices/rules").text
    assert "Halves go up" in page
    assert "1,000 GB" in page


def test_the_statement_lists_everything_and_agrees(mara: tuple[Browser, UUID], dana: Browser) -> None:
    browser, tenant = mara
    paid = till.invoice(tenant, 10000, tax="19")
    till.pay(tenant, paid)
    with transaction(tenant):
        note = credit_notes.issue(paid, usd("11.90"), "credit", reason="kind", key="n")
    page = browser.get("/billing/statement").text
    for words in ("INV-000001", "CN-000001", "Payment", "$119.00", "-$11.90"):
        assert words in page, words
    assert "$11.90" in browser.get(f"/billing/credit-notes/{note.id}").text
    assert browser.get("/billing/statement?from=2030-01-01&to=2020-01-01").status_code == 200
    staff = dana.get(f"/staff/organisations/{tenant}/money/statement").text
    assert "say the same" in staff


def staff_post(dana: Browser, path: str, *, tick: bool = True, **fields: str) -> Any:
    page = dana.get(path)
    assert page.status_code == 200, page.text
    sure = {"confirm": "true"} if tick else {}
    return dana.post(path, {"key": key_of(page.text), "reason": "asked for", **sure, **fields}, page=path)


def test_staff_grant_note_and_refund_with_a_tick_and_a_trace(
    mara: tuple[Browser, UUID], dana: Browser
) -> None:
    _, tenant = mara
    at, paid = f"/staff/organisations/{tenant}/money", till.invoice(tenant, 10000, tax="19")
    payment = till.pay(tenant, paid)
    assert staff_post(dana, f"{at}/grant", amount="10.00", kind="promotional", tick=False).status_code == 422
    assert staff_post(dana, f"{at}/grant", amount="10.00", kind="promotional").status_code == 303
    assert (till.left(tenant, "promotional"), till.left(tenant)) == (1000, 0)
    wrong = staff_post(dana, f"{at}/invoices/{paid}/note", **{"line-1": "100.01", "settle": "credit"})
    assert wrong.status_code == 422
    assert "at most $100.00" in wrong.text
    assert (
        staff_post(dana, f"{at}/invoices/{paid}/note", **{"line-1": "50.00", "settle": "refund"}).status_code
        == 303
    )
    assert staff_post(dana, f"{at}/payments/{payment}/refund", amount="70.00").status_code == 422
    assert staff_post(dana, f"{at}/payments/{payment}/refund", amount="59.50").status_code == 303
    run_all(tenant)
    assert book.charges()[0].refunded == 11900
    page = dana.get(at).text
    for words in ("CN-000001", "$59.50", "Refund", "Owes in all"):
        assert words in page, words
    with transaction(tenant) as here:
        rows = here.execute(select(AuditEntry.action, AuditEntry.actor_kind, AuditEntry.reason)).all()
    found = {row.action: (row.actor_kind, row.reason) for row in rows}
    for action in ("credit.granted", "credit_note.issued", "payment.refunded"):
        assert found[action] == ("staff", "asked for"), found
    books_are_right()


def test_staff_void_and_write_off_by_typing_the_number(mara: tuple[Browser, UUID], dana: Browser) -> None:
    _, tenant = mara
    at, one, two = (
        f"/staff/organisations/{tenant}/money",
        till.invoice(tenant, 900),
        till.invoice(tenant, 700),
    )
    for invoice_id, action, number in ((one, "void", "INV-000001"), (two, "write-off", "INV-000002")):
        path = f"{at}/invoices/{invoice_id}/{action}"
        assert dana.post(path, {"confirm_name": "INV"}, page=path).status_code == 422
        ended = {"confirm_name": number, "reason": f"Asked by phone: {action}"}
        assert dana.post(path, ended, page=path).status_code == 303
    with transaction(tenant) as here:
        assert "Asked by phone: write-off" in here.scalars(select(AuditEntry.reason)).all()
    assert [till.look(tenant, one).status, till.look(tenant, two).status] == ["void", "uncollectible"]
    books_are_right()


def test_support_and_customers_may_not_act_and_strangers_see_nothing(
    app: Flask, mara: tuple[Browser, UUID]
) -> None:
    browser, tenant = mara
    with transaction(PLATFORM_ID):
        people.add_member(person("sam@example.com"), Role.MEMBER)
    support = Browser(app)
    support.log_in("sam@example.com")
    at = f"/staff/organisations/{tenant}/money"
    assert support.get(at).status_code == 200
    assert support.get(f"{at}/grant").status_code == 403
    assert browser.get(at).status_code == 403
    other = make_tenant("Other")
    theirs = till.invoice(other, 100)
    assert support.get(f"/staff/organisations/{other}/money/invoices/{theirs}/void").status_code == 403
    assert browser.get(f"/billing/invoices/{theirs}").status_code == 404


@pytest.fixture
def call(app: Flask, mara: tuple[Browser, UUID]) -> Any:
    _, tenant = mara
    with transaction(tenant, SYSTEM):
        secret = create_api_key("test", role=Role.BILLING).secret

    def calling(method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        return app.test_client().open(f"/api/v1/billing{path}", method=method, headers=headers, **options)

    return calling


def test_credit_over_the_api(call: Any, mara: tuple[Browser, UUID]) -> None:
    _, tenant = mara
    body = {"amount": 5000, "currency": "USD", "method_id": str(till.card(tenant)), "key": "k1"}
    for _ in range(2):
        answer = call("POST", "/credit/top-ups", json=body)
        assert (answer.status_code, answer.json["status"]) == (201, "succeeded"), answer.text
    assert len(book.charges()) == 1
    paid = till.invoice(tenant, 2000)
    (balance,) = call("GET", "/credit").json["balances"]
    assert balance["account"] == {"amount": 3000, "currency": "USD"}
    with transaction(tenant):
        accounts.grant_promotional_credit(usd("1.00"), "p", "kind")
        credit_notes.issue(paid, usd("2.00"), "credit", reason="kind", key="n")
    (note,) = call("GET", "/credit-notes").json
    assert (note["number"], note["to_credit"]["amount"]) == ("CN-000001", 200)
    assert call("GET", f"/credit-notes/{note['id']}").json["lines"][0]["amount"]["amount"] == 200
    statement = call("GET", "/statement").json
    assert [entry["kind"] for entry in statement["entries"]] == ["top-up", "invoice", "credit", "credit note"]
    assert statement["closing"]["amount"] == -5000 + 2000 - 100 - 200
    (shown,) = call("GET", "/invoices").json
    assert (shown["credited"]["amount"], shown["due"]["amount"]) == (2000, 0)
    assert call("GET", "/refunds").json == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"amount": -1}, 422), ({"amount": 0}, 422), ({"amount": 1.5}, 422), ({"amount": "5"}, 422),
        ({"amount": 10**30}, 422), ({"amount": True}, 422), ({"currency": "EUR"}, 422), ({"currency": "usd"}, 422),
        ({"key": ""}, 422), ({"key": "k" * 500}, 422), ({"method_id": "x"}, 422),
        ({"method_id": "01a205c6-0000-7000-8000-000000000000"}, 404), ({"extra": 1}, 422),
    ],
)  # fmt: skip
def test_bad_top_ups_are_problem_documents_and_charge_nothing(
    call: Any, mara: tuple[Browser, UUID], change: dict[str, Any], status: int
) -> None:
    body = {"amount": 500, "currency": "USD", "method_id": str(till.card(mara[1])), "key": "k", **change}
    answer = call("POST", "/credit/top-ups", json=body)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert book.charges() == []
    assert till.left(mara[1]) == 0


def test_staff_take_promotional_credit_back_by_typing_the_name(
    mara: tuple[Browser, UUID], dana: Browser
) -> None:
    _, tenant = mara
    with transaction(tenant):
        grant = accounts.grant_promotional_credit(Money(1500, "USD"), "spring", "Spring").id
    path = f"/staff/organisations/{tenant}/money/credit/{grant}/revoke"
    assert "$15.00 that was not used yet" in dana.get(path).text
    assert dana.post(path, {"confirm_name": "somebody"}, page=path).status_code == 422
    assert till.left(tenant, "promotional") == 1500
    with transaction(tenant) as here:
        name = here.get_one(Tenant, tenant).name
    assert dana.post(path, {"confirm_name": name, "reason": "By mistake"}, page=path).status_code == 303
    assert till.left(tenant, "promotional") == 0
    books_are_right()


def test_the_checkout_asks_for_what_credit_leaves(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    with transaction(tenant):
        accounts.grant_account_credit(Money(3000, "USD"), "goodwill", "Sorry")
    assert "Pay $49.00" in browser.get("/checkout/pro").text
    with transaction(tenant):
        accounts.grant_account_credit(Money(9000, "USD"), "more", "Sorry")
    assert "Buy with your credit" in browser.get("/checkout/pro").text
