"""What goes wrong on a ladder: silent gateways, killed workers, doubled runs, lost nights, new cards, no cards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from sqlalchemy import func, select, update

from chom_core.billing.models import Dunning, DunningStep, Invoice, PaymentMethod
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.dunning import escalation, rows
from chom_core.billing.service.paying import methods, payments
from chom_core.billing.service.subscribing import renewal
from chom_core.database import transaction
from chom_core.provisioning.models import Service
from chom_core.provisioning.service import suspend_service
from chom_core.values.errors import Unavailable
from chom_core.work import stand
from tests.billing.dunning.scene import START, Debtor
from tests.billing.shop import BANK, GOOD, LATER, books_are_right


class Silence:
    """A gateway that does not answer until it is told to; the money may have moved all the same."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on, self.real = True, book.charge
        monkeypatch.setattr("chom_sandbox_gateway.gateway.book.charge", self.charge)

    def charge(self, request: Any, *, capture: bool) -> Any:
        if self.on:
            raise TimeoutError
        return self.real(request, capture=capture)


def test_never_suspended_before_the_gateway_answered(debtor: Debtor, monkeypatch: pytest.MonkeyPatch) -> None:
    debtor.buy()
    silence = Silence(monkeypatch)
    debtor.day(20)
    assert debtor.statuses() == {"alpha": "active"}
    assert debtor.asked() == ["created"]
    silence.on = False
    with transaction(debtor.id) as here:
        again = "update core.job set state = 'ready', attempts = 0, due_at = now() where state <> 'done'"
        here.connection().exec_driver_sql(f"{again} and (finished_at is not null or due_at > now())")
    debtor.settle()
    debtor.day(20.2)
    assert debtor.asked()[0] == "declined"
    assert debtor.ladder().asked_at is not None
    assert debtor.statuses() == {"alpha": "active"}, "the date is still to be told"
    debtor.day(36)
    assert debtor.statuses() == {"alpha": "suspended"}
    books_are_right()


def test_a_killed_worker_asks_and_tells_once(debtor: Debtor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the bank had answered, before anything of it was written down."""
    debtor.buy()
    debtor.day(2)
    real, killed = payments.send, []

    def send(payment_id: UUID) -> Any:
        answer = real(payment_id)
        if len(killed) < 2:
            killed.append(payment_id)
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(escalation.payments, "send", send)
    of = debtor.ladder()
    assert of.retry_at
    stand(debtor.id, of.retry_at)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), transaction(debtor.id):
            escalation.step(of.id)
    for _ in range(3):
        with transaction(debtor.id):
            escalation.step(of.id)
    debtor.settle()
    assert killed[0] == killed[1]
    assert debtor.asked() == ["declined", "declined"]
    assert debtor.told() == ["payment.failed"] * 2
    assert debtor.ladder().rung == 2
    assert len(debtor.mails("mara@people.example")) == 2


def test_eight_workers_at_once_ask_and_tell_once(debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(2)
    of = debtor.ladder()
    assert of.retry_at
    stand(debtor.id, of.retry_at)

    def step(_: int) -> None:
        with transaction(debtor.id):
            escalation.step(of.id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(step, range(8)))
    debtor.settle()
    assert debtor.asked() == ["declined", "declined"]
    assert debtor.told() == ["payment.failed"] * 2
    with transaction(debtor.id) as here:
        assert here.scalar(select(func.count(DunningStep.id))) == 2


def test_nights_slept_through_are_one_try_and_no_surprise(debtor: Debtor) -> None:
    """All workers were off for three weeks: the card is asked once more, and nothing stops that was not told."""
    debtor.buy()
    debtor.day(0.1)
    stand(debtor.id, debtor.due.replace(day=22))
    with transaction(debtor.id):
        escalation.sweep()
    debtor.settle()
    assert debtor.asked() == ["declined", "declined"]
    assert debtor.statuses() == {"alpha": "active"}
    of = debtor.ladder()
    assert of.retry_at is None
    assert of.told_at
    assert (of.suspend_at - of.told_at).days == 3
    assert debtor.told()[-1] == "dunning.warning"


def test_a_new_card_is_tried_at_once_and_takes_over(debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(4)
    with transaction(debtor.id):
        card = methods.add_method("USD", {"test_card": GOOD}).id
    debtor.settle()
    assert debtor.bill().status == "paid"
    assert debtor.ladder().status == "settled"
    with transaction(debtor.id) as here:
        assert here.scalars(select(PaymentMethod.id).where(PaymentMethod.is_default)).one() == card
    count = len(debtor.told())
    debtor.day(25)
    assert debtor.asked() == ["declined", "declined", "succeeded"]
    assert len(debtor.told()) == count
    books_are_right()


def test_who_must_approve_is_led_to_the_bank(debtor: Debtor) -> None:
    from tests.billing.shop import buy

    bought = buy(debtor.id, BANK, "79.00")
    book.decide(bought.url.rsplit("/", 1)[1], approve=True)
    assert bought.payment_id
    with transaction(debtor.id) as here:
        checkout.confirm(bought.payment_id)
        debtor.due = debtor.subscription().current_period_end
        assert here
    debtor.day(1)
    assert debtor.told() == ["payment.action_required"]
    mail = debtor.mails("mara@people.example")[0]
    assert f"https://panel.example/billing/invoices/{debtor.bill().id}" in mail.text
    assert "approve" in mail.subject


def test_without_a_card_the_notices_stand_for_the_asking(debtor: Debtor) -> None:
    debtor.buy()
    with transaction(debtor.id):
        methods.remove_method(methods.methods()[0].id)
    debtor.day(13)
    assert debtor.asked() == []
    assert debtor.told() == ["payment.failed"] * 4 + ["dunning.warning"]
    assert debtor.statuses() == {"alpha": "active"}
    debtor.day(15)
    assert debtor.statuses() == {"alpha": "suspended"}
    with transaction(debtor.id):
        methods.add_method("USD", {"test_card": GOOD})
    debtor.settle()
    assert debtor.statuses() == {"alpha": "active"}
    assert debtor.bill().status == "paid"


def test_only_what_the_bill_is_for_stops_and_only_that_comes_back(debtor: Debtor) -> None:
    """Another subscription's service runs on; one that staff stopped does not come back with a payment."""
    debtor.buy("alpha")
    stand(debtor.id, START + timedelta(days=20))
    debtor.buy("beta", LATER)
    debtor.day(0.1)
    with transaction(debtor.id) as here:
        alpha = here.scalars(select(Service).where(Service.name == "alpha")).one().id
        suspend_service(alpha, "Abuse")
    debtor.settle()
    debtor.day(15)
    assert debtor.statuses() == {"alpha": "suspended", "beta": "active"}
    with transaction(debtor.id):
        methods.add_method("USD", {"test_card": GOOD})
    debtor.settle()
    assert debtor.statuses() == {"alpha": "suspended", "beta": "active"}


def test_nothing_is_billed_for_time_it_stood_still(debtor: Debtor) -> None:
    """Paid after two months: no invoices piled up, and the next period begins with the payment."""
    debtor.buy()
    debtor.day(70)
    with transaction(debtor.id) as here:
        assert here.scalar(select(func.count(Invoice.id)).where(Invoice.status != "draft")) == 2
    debtor.pay(GOOD)
    of = debtor.subscription()
    assert debtor.statuses() == {"alpha": "active"}
    assert of.status == "active"
    assert (of.current_period_start - debtor.due).days == 70
    with transaction(debtor.id) as here:
        assert here.scalar(select(func.count(Invoice.id)).where(Invoice.status == "paid")) == 3
    books_are_right()


def test_an_invoice_that_a_refund_opened_again_is_left_to_staff(debtor: Debtor) -> None:
    debtor.buy(card=GOOD)
    with transaction(debtor.id) as here:
        invoice = here.scalars(select(Invoice)).one()
        here.execute(
            update(Invoice).values(status="open", paid_at=None, amount_paid=0, amount_refunded=invoice.total)
        )
        assert escalation.begin(invoice.id) is None
        escalation.sweep()
        assert here.scalar(select(func.count(Dunning.id))) == 0


def test_a_silent_gateway_stops_no_other_ladder(debtor: Debtor, monkeypatch: pytest.MonkeyPatch) -> None:
    debtor.buy()
    debtor.day(1)

    def refuse(dunning_id: UUID) -> None:
        raise Unavailable("silent")

    with transaction(debtor.id):
        monkeypatch.setattr(escalation, "step", refuse)
        escalation.sweep()
        assert rows.open_ones()


def test_the_hourly_net_does_what_a_lost_job_did_not(debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(1)
    with transaction(debtor.id) as here:
        here.connection().exec_driver_sql("delete from core.job where kind = %s", (rows.STEP,))
    debtor.day(3, minutes=90)
    assert debtor.asked() == ["declined", "declined"]
    assert debtor.told() == ["payment.failed"] * 2


def test_events_late_doubled_and_in_any_order(debtor: Debtor) -> None:
    """Paid at the screen before anybody heard of the refusal; then all is told again, twice."""
    debtor.buy()
    stand(debtor.id, debtor.due)
    with transaction(debtor.id):
        renewal.renew_due()
        method = methods.add_method("USD", {"test_card": GOOD})
        assert checkout.pay_invoice(debtor.bill().id, "screen", method.id).state == "done"
    debtor.settle()
    for _ in range(2):
        with transaction(debtor.id) as here:
            again = "update core.job set state = 'ready', attempts = 0, finished_at = null where event_id is not null"
            here.connection().exec_driver_sql(again)
        debtor.settle()
    with transaction(debtor.id) as here:
        assert here.scalar(select(func.count(Dunning.id))) == 0
    assert debtor.told() == []
    assert debtor.bill().status == "paid"
    assert debtor.subscription().status == "active"
    books_are_right()


def test_restored_events_twice_tell_once(debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(15)
    debtor.pay(GOOD)
    for _ in range(2):
        with transaction(debtor.id) as here:
            again = "update core.job set state = 'ready', attempts = 0, finished_at = null where event_id is not null"
            here.connection().exec_driver_sql(again)
        debtor.settle()
    assert debtor.told().count("dunning.restored") == 1
    assert debtor.statuses() == {"alpha": "active"}
    assert len(debtor.mails("mara@people.example")) == len(debtor.told())


def test_a_card_that_nobody_asked_is_asked_before_anything_stops(debtor: Debtor) -> None:
    """It was added after the last rung, and the event of it was lost: the gateway says yes, so nothing stops."""
    debtor.buy()
    with transaction(debtor.id):
        methods.remove_method(methods.methods()[0].id)
    debtor.day(13)
    with transaction(debtor.id) as here:
        methods.add_method("USD", {"test_card": GOOD})
        here.connection().exec_driver_sql("delete from core.job where kind = 'billing.dunning_card'")
    debtor.day(16)
    assert debtor.asked() == ["succeeded"]
    assert debtor.statuses() == {"alpha": "active"}
    assert "dunning.suspended" not in debtor.told()
