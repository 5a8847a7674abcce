"""Buying a hosting plan through the sandbox: paid, declined, second step, twice, and what is left behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from chom_sandbox_gateway.models import Base
from sqlalchemy import func, select

from chom_core.billing import ledger
from chom_core.billing.models import Invoice, Payment, PaymentMethod, Subscription
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.paying import methods, payments
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import Model, everyone, transaction
from chom_core.plugin_host.models import Entitlement
from chom_core.values import BillingPeriod, Conflict, Invalid, Money, NotFound, Unavailable, uuid7
from chom_core.work import run_all
from tests.billing.shop import BANK, DECLINED, GOOD, POOR, books_are_right, buy, click, events, order
from tests.conftest import make_tenant


def test_a_paid_plan_is_active_granted_numbered_and_on_the_books(buyer: UUID) -> None:
    bought = buy(buyer)
    assert bought.state == "done"
    with transaction(buyer) as here:
        invoice = here.scalars(select(Invoice)).one()
        assert (invoice.status, invoice.number, invoice.total, invoice.amount_paid) == (
            "paid",
            "INV-000001",
            7900,
            7900,
        )
        assert invoice.snapshot["seller"]["legal_name"] == "Lanternworks Ltd"
        assert [line.amount for line in invoice.lines] == [7900]
        assert here.scalars(select(Subscription.status)).one() == "active"
        assert "toy" in here.scalars(select(Entitlement.plugin).where(Entitlement.tenant_id == buyer)).all()
        assert ledger.balance("cash", "USD") == Money(7900, "USD")
        assert ledger.balance("revenue", "USD") == Money(-7900, "USD")
        assert ledger.balance("receivable", "USD") == Money(0, "USD")
        method = here.scalars(select(PaymentMethod)).one()
        assert (method.brand, method.last4, method.is_default) == ("Visa", "4242", True)
    assert {"invoice.paid", "invoice.finalised", "subscription.activated"} <= set(events(buyer))
    books_are_right()


@pytest.mark.parametrize(("card", "words"), [(DECLINED, "declined"), (POOR, "not enough money")])
def test_a_declined_card_leaves_nothing_and_says_what_to_do(buyer: UUID, card: str, words: str) -> None:
    bought = buy(buyer, card)
    assert bought.state == "declined"
    assert words in bought.message
    assert "another card" in bought.fix
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "incomplete"
        assert here.scalar(select(func.count(Entitlement.id)).where(Entitlement.tenant_id == buyer)) == 0
        assert here.scalars(select(Invoice.number)).one() is None
        assert ledger.balance("receivable", "USD") == Money(0, "USD")
    assert "payment.failed" in events(buyer)
    books_are_right()


def test_a_card_that_was_only_ever_declined_is_not_offered_again(buyer: UUID) -> None:
    buy(buyer, DECLINED)
    with transaction(buyer):
        assert [method.last4 for method in methods.methods()] == ["0002"]
        assert methods.usable_methods() == []
    buy(buyer, GOOD)
    with transaction(buyer):
        assert [method.last4 for method in methods.usable_methods()] == ["4242"]


def test_after_a_decline_the_same_purchase_is_paid_with_another_card(buyer: UUID) -> None:
    purchase = uuid7()
    with transaction(buyer):
        assert checkout.buy(order(), click(DECLINED, checkout_id=purchase)).state == "declined"
    with transaction(buyer):
        again = checkout.buy(order(), click(GOOD, checkout_id=purchase, attempt="2"))
    assert again.state == "done"
    with transaction(buyer) as here:
        assert here.scalars(select(Invoice.number).where(Invoice.number.is_not(None))).all() == ["INV-000001"]
    books_are_right()


def test_a_second_step_leads_to_the_bank_and_back(buyer: UUID) -> None:
    bought = buy(buyer, BANK)
    assert bought.state == "action"
    assert bought.url.startswith("/sandbox/bank/")
    assert bought.payment_id
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "incomplete"
    charge = book.decide(bought.url.rsplit("/", 1)[1], approve=True)
    assert charge.return_url == f"/back/{bought.payment_id}"
    with transaction(buyer):
        assert checkout.confirm(bought.payment_id).state == "done"
    with transaction(buyer):
        assert checkout.confirm(bought.payment_id).state == "done"
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "active"
    books_are_right()


def test_a_refused_second_step_is_a_decline(buyer: UUID) -> None:
    bought = buy(buyer, BANK)
    assert bought.payment_id
    book.decide(bought.url.rsplit("/", 1)[1], approve=False)
    with transaction(buyer):
        answer = checkout.confirm(bought.payment_id)
    assert (answer.state, answer.code) == ("declined", "authentication_failed")
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "incomplete"


def test_who_leaves_the_bank_page_and_takes_another_card_pays_once(buyer: UUID) -> None:
    purchase = uuid7()
    with transaction(buyer):
        waiting = checkout.buy(order(), click(BANK, checkout_id=purchase))
    with transaction(buyer):
        assert checkout.buy(order(), click(GOOD, checkout_id=purchase, attempt="2")).state == "done"
    assert book.decide(waiting.url.rsplit("/", 1)[1], approve=True).status == "cancelled"
    assert sum(charge.status == "taken" for charge in book.charges()) == 1
    books_are_right()


def test_eight_clicks_on_pay_are_one_charge(buyer: UUID) -> None:
    pressed = click()

    def press(_: int) -> str:
        with transaction(buyer):
            return checkout.buy(order(), pressed).state

    with ThreadPoolExecutor(8) as pool:
        states = set(pool.map(press, range(8)))
    assert states == {"done"}
    assert len(book.charges()) == 1
    with transaction(buyer) as here:
        assert here.scalar(select(func.count(Payment.id))) == 1
        assert here.scalars(select(Invoice.status)).all() == ["paid"]
        assert here.scalars(select(PaymentMethod.last4)).all() == ["4242"]
    books_are_right()


def test_two_tabs_cannot_buy_two_hosting_plans(buyer: UUID) -> None:
    def press(plan_and_amount: tuple[str, str]) -> str:
        try:
            return buy(buyer, GOOD, plan_and_amount[1], plan_and_amount[0]).state
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        states = list(pool.map(press, [("pro", "79.00"), ("starter", "29.00")]))
    assert sorted(states) == ["done", "refused"]
    assert len([c for c in book.charges() if c.status == "taken"]) == 1
    books_are_right()


def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    buyer: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = book.charge

    def lost(*args: object, **options: object) -> object:
        real(*args, **options)  # type: ignore[arg-type]
        raise ConnectionResetError

    monkeypatch.setattr(book, "charge", lost)
    with pytest.raises(Unavailable) as seen:
        buy(buyer)
    assert "not be charged twice" in seen.value.fix
    monkeypatch.setattr(book, "charge", real)
    with transaction(buyer) as here:
        payment = here.scalars(select(Payment)).one()
        assert payment.status == "created"
        payments.resolve(payment.id)
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "active"
    assert len(book.charges()) == 1
    books_are_right()


def test_the_amount_on_the_button_is_what_is_charged(buyer: UUID) -> None:
    with pytest.raises(Conflict, match=r"\$79\.00 now, not \$1\.00"):
        buy(buyer, amount="1.00")
    assert book.charges() == []


def test_an_unknown_card_number_is_refused_beside_the_field_and_never_stored(buyer: UUID) -> None:
    with pytest.raises(Invalid) as seen:
        buy(buyer, "4111111111111111")
    assert "card_number" in seen.value.fields
    assert "4111111111111111" not in repr(seen.value.fields)


def test_no_table_holds_a_card_number(buyer: UUID, shop: object) -> None:
    buy(buyer)
    with everyone("test") as here:
        for base in (Model, Base):
            for table in base.metadata.sorted_tables:
                assert GOOD not in str(here.execute(select(*table.columns)).all()), table.fullname


def test_another_organisation_sees_and_reaches_nothing_of_it(buyer: UUID) -> None:
    bought = buy(buyer, BANK)
    stranger = make_tenant("Stranger")
    assert bought.payment_id and bought.checkout_id
    with transaction(stranger) as here:
        assert here.scalars(select(Invoice)).all() == []
        with pytest.raises(NotFound):
            checkout.confirm(bought.payment_id)
    with transaction(stranger), pytest.raises(NotFound):
        checkout.buy(order(), click(checkout_id=bought.checkout_id))


def test_cancelling_runs_to_the_end_of_what_is_paid(buyer: UUID) -> None:
    buy(buyer)
    with transaction(buyer):
        of = subscriptions.live()[0]
        assert subscriptions.cancel(of.id).cancel_at == of.current_period_end
        assert subscriptions.keep(of.id).cancel_at is None


@pytest.mark.parametrize("period", list(BillingPeriod))
def test_preview_equals_the_invoice(buyer: UUID, period: BillingPeriod) -> None:
    with transaction(buyer):
        shown = checkout.preview(order(period=period))
    with transaction(buyer):
        bought = checkout.buy(order(period=period), click(amount=str(shown.total.major)))
    with transaction(buyer) as here:
        invoice = here.get_one(Invoice, bought.invoice_id)
        assert (invoice.subtotal, invoice.tax, invoice.total) == (
            shown.subtotal.amount,
            shown.tax.amount,
            shown.total.amount,
        )
        assert [(x.description, x.amount) for x in invoice.lines] == [
            (x.description, x.amount.amount) for x in shown.lines
        ]


def test_jobs_left_over_do_nothing_twice(buyer: UUID) -> None:
    buy(buyer)
    run_all(buyer)
    books_are_right()
