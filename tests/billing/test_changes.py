"""Changing what one has: paid before it takes effect, previewed to the cent, given back, paused, on one bill."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from chom_core.billing import ledger
from chom_core.billing.models import Invoice, SubscriptionChange
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.buying.purchases import Click
from chom_core.billing.service.changes import changing, ending
from chom_core.billing.service.changes.payments import Paying
from chom_core.billing.service.changes.reckoning import Wanted
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.offers import catalogue, coupons, versions
from chom_core.billing.service.paying import methods
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import PLATFORM_ID, clock, transaction
from chom_core.plugin_host.models import Entitlement
from chom_core.provisioning.models import Service
from chom_core.provisioning.service import create_service
from chom_core.values import BillingPeriod, Conflict, Invalid, Money, NotFound, uuid7
from chom_core.values.billing import Order, PlanShape
from chom_core.work import advance, run_all
from tests.billing.plans import at, bills, buy, lines, notes, of, plan, renew, stand, taxed, upgrade
from tests.billing.shop import BANK, DECLINED, GOOD, LATER, books_are_right, click, events, order
from tests.conftest import make_tenant


def usd(major: str) -> Money:
    return Money.of(major, "USD")


def granted(tenant: UUID) -> set[str]:
    with transaction(tenant) as here:
        return set(here.scalars(select(Entitlement.plugin).where(Entitlement.tenant_id == tenant)))


def credit(tenant: UUID) -> Money:
    with transaction(tenant):
        return -ledger.balance("customer_credit", "USD")


def test_a_preview_is_the_invoice_to_the_cent(buyer: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    taxed(monkeypatch, "19")
    stand(buyer, "2026-03-01T10:00Z")
    buy(buyer, "starter")
    stand(buyer, "2026-03-11T15:31:07Z")
    with transaction(buyer):
        seen = changing.preview_change(of(buyer).id, Wanted("plan", plan_code="pro"))
    stand(buyer, "2026-03-11T15:36:00Z")
    done = upgrade(buyer, "pro", at=seen.at, paying=Paying(expected=seen.bill.total))
    assert done.state == "done"
    made = bills(buyer)[-1]
    assert (made.total, made.tax, made.subtotal) == (
        seen.bill.total.amount,
        seen.bill.tax.amount,
        seen.bill.subtotal.amount,
    )
    assert [line.amount for line in made.lines] == [line.amount.amount for line in seen.bill.lines]
    assert of(buyer).current_period_end == at("2026-04-01T10:00Z")
    books_are_right()


def test_an_old_or_wrong_preview_charges_nothing(buyer: UUID) -> None:
    stand(buyer, "2026-03-01T10:00Z")
    buy(buyer, "starter")
    stand(buyer, "2026-03-11T15:00Z")
    with pytest.raises(Conflict, match="too old"):
        upgrade(buyer, "pro", at=at("2026-03-11T14:00Z"))
    with pytest.raises(Conflict, match="The amount is"):
        upgrade(buyer, "pro", paying=Paying(expected=usd("1.00")))
    assert len(bills(buyer)) == 1


def test_a_declined_upgrade_leaves_everything_as_it_was(buyer: UUID) -> None:
    buy(buyer, "starter")
    with transaction(buyer):
        bad = methods.add_method("USD", {"test_card": DECLINED}).id
    refused = upgrade(buyer, "pro", paying=Paying(method_id=bad))
    assert refused.state == "declined"
    assert (of(buyer).items[0].plan_code, of(buyer).items[0].amount) == ("starter", 2900)
    with transaction(buyer) as here:
        assert here.scalars(select(SubscriptionChange.status)).all() == ["failed"]
        card = methods.add_method("USD", {"test_card": GOOD}).id
        assert here.scalar(select(Invoice.status).where(Invoice.id == refused.invoice_id)) == "void"
    assert upgrade(buyer, "pro", paying=Paying(method_id=card)).state == "done"
    assert of(buyer).items[0].plan_code == "pro"
    books_are_right()


def test_pressed_twice_is_one_charge(buyer: UUID) -> None:
    stand(buyer, "2026-03-01T10:00Z")
    buy(buyer, "starter")
    stand(buyer, "2026-03-11T15:00Z")
    first = upgrade(buyer, "pro", paying=Paying(attempt="press"))
    again = upgrade(buyer, "pro", paying=Paying(attempt="press"))
    assert (first.invoice_id, again.state) == (again.invoice_id, "done")
    assert len(book.charges()) == 2


def test_an_upgrade_waits_for_the_bank(buyer: UUID) -> None:
    bought = buy(buyer, "starter", card=BANK)
    assert bought.payment_id
    book.decide(bought.url.rsplit("/", 1)[1], approve=True)
    with transaction(buyer):
        checkout.confirm(bought.payment_id)
    waiting = upgrade(buyer, "pro", paying=Paying(return_url="/back/PAYMENT"))
    assert waiting.state == "action"
    assert waiting.payment_id
    assert of(buyer).items[0].plan_code == "starter"
    book.decide(waiting.url.rsplit("/", 1)[1], approve=True)
    with transaction(buyer):
        assert checkout.confirm(waiting.payment_id).state == "done"
    assert of(buyer).items[0].plan_code == "pro"
    books_are_right()


def test_what_the_bank_never_decided_is_let_go_when_the_period_turns(buyer: UUID) -> None:
    bought = buy(buyer, "starter", card=BANK)
    assert bought.payment_id
    book.decide(bought.url.rsplit("/", 1)[1], approve=True)
    with transaction(buyer):
        checkout.confirm(bought.payment_id)
    upgrade(buyer, "pro", paying=Paying(return_url="/back/PAYMENT"))
    renew(buyer, of(buyer).current_period_end)
    assert of(buyer).items[0].plan_code == "starter"
    with transaction(buyer) as here:
        assert here.scalars(select(SubscriptionChange.status)).all() == ["failed"]
    books_are_right()


def test_a_net_credit_becomes_account_credit_with_its_tax(
    buyer: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    taxed(monkeypatch, "25")
    stand(buyer, "2026-03-01")
    buy(buyer, "enterprise")
    stand(buyer, "2026-03-16T12:00Z")
    upgrade(buyer, "starter", when="now")
    last = bills(buyer)[-1]
    assert (last.total, [line.amount for line in last.lines]) == (0, [1450, -1450])
    assert [(note.subtotal, note.tax) for note in notes(buyer)] == [(11000, 2750)]
    assert credit(buyer) == usd("137.50")
    assert of(buyer).items[0].plan_code == "starter"
    renew(buyer, "2026-04-01")
    assert bills(buyer)[-1].amount_paid == 0
    books_are_right()


def test_credit_that_one_upgrade_carried_comes_back_from_both_invoices(buyer: UUID) -> None:
    stand(buyer, "2026-03-01")
    buy(buyer, "pro")
    upgrade(buyer, "enterprise")
    with transaction(buyer):
        given = ending.cancel_now(of(buyer).id)
    assert given == usd("249.00")
    assert sorted(note.total for note in notes(buyer)) == [7900, 17000]
    books_are_right()


def test_a_downgrade_takes_features_away_at_the_end_and_not_before(buyer: UUID) -> None:
    plan("rich", 5000, features=["toy"])
    plan("poor", 1000)
    buy(buyer, "rich")
    assert granted(buyer) == {"toy"}
    assert upgrade(buyer, "poor").state == "scheduled"
    due = of(buyer).current_period_end
    renew(buyer, due - timedelta(seconds=1))
    assert granted(buyer) == {"toy"}
    renew(buyer, due)
    assert granted(buyer) == set()
    assert [line.amount for line in lines(buyer, "plan")] == [5000, 1000]
    upgrade(buyer, "rich")
    assert granted(buyer) == {"toy"}


def test_add_ons_are_items_beside_the_plan(buyer: UUID) -> None:
    plan("seats", 1000, shape=PlanShape.ADDON, features=["extra"])
    stand(buyer, "2026-04-01")
    buy(buyer, "pro")
    with pytest.raises(Invalid, match="bought with a plan"):
        buy(buyer, "seats")
    stand(buyer, "2026-04-16")
    mine = of(buyer).id
    with transaction(buyer):
        assert changing.change(mine, Wanted("add", plan_code="seats", quantity=3)).state == "done"
    assert lines(buyer, "addon")[-1].amount == 1500
    assert "extra" in granted(buyer)
    seats = of(buyer).items[1]
    stand(buyer, "2026-04-21")
    with transaction(buyer):
        assert changing.change_quantity(mine, seats.id, 6).state == "done"
        assert changing.change_quantity(mine, seats.id, 2).state == "scheduled"
    assert [line.amount for line in bills(buyer)[-1].lines] == [2000, -1000]
    assert renew(buyer, "2026-05-01") == 1
    assert sorted(line.amount for line in bills(buyer)[-1].lines) == [2000, 7900]
    with transaction(buyer):
        changing.change(mine, Wanted("remove", item_id=seats.id))
    assert renew(buyer, "2026-06-01") == 1
    assert [line.amount for line in bills(buyer)[-1].lines] == [7900]
    assert "extra" not in granted(buyer)
    books_are_right()


def test_a_pause_at_the_end_bills_nothing_until_it_resumes(buyer: UUID) -> None:
    plan("p", 3000, features=["toy"])
    stand(buyer, "2026-01-10")
    buy(buyer, "p")
    with transaction(buyer):
        ending.pause(of(buyer).id, resume_at=at("2026-04-05T08:00Z"), reason="Holiday")
    assert granted(buyer) == {"toy"}
    assert renew(buyer, "2026-02-10") == 0
    assert (of(buyer).status, granted(buyer)) == ("paused", set())
    assert renew(buyer, "2026-03-10") == 0
    renew(buyer, "2026-04-06")
    mine = of(buyer)
    assert (mine.status, granted(buyer)) == ("active", {"toy"})
    assert (mine.current_period_start, mine.current_period_end) == (
        at("2026-04-05T08:00Z"),
        at("2026-05-05T08:00Z"),
    )
    assert [line.amount for line in lines(buyer, "plan")] == [3000, 3000]
    books_are_right()


def test_a_pause_now_gives_the_rest_back(buyer: UUID) -> None:
    plan("p", 3000)
    stand(buyer, "2026-04-01")
    buy(buyer, "p")
    stand(buyer, "2026-04-16")
    with transaction(buyer):
        ending.pause(of(buyer).id, now=True)
    assert credit(buyer) == usd("15.00")
    stand(buyer, "2026-04-20")
    with transaction(buyer):
        ending.resume(of(buyer).id)
    assert (of(buyer).status, credit(buyer)) == ("active", usd("0.00"))
    assert bills(buyer)[-1].amount_paid == 1500
    books_are_right()


def test_who_has_an_old_price_keeps_it_until_staff_move_them(buyer: UUID) -> None:
    stand(buyer, "2026-04-01")
    buy(buyer, "pro")
    with transaction(PLATFORM_ID):
        pro = catalogue.plan("pro")
        versions.set_price(pro, usd("99.00"), BillingPeriod.MONTHLY, effective_from=at("2026-04-10"))
        versions.set_usage_price(
            pro, "sites", "USD", versions.per_unit("6.00"), effective_from=at("2026-04-10")
        )
    with transaction(PLATFORM_ID):
        pro = catalogue.plan("pro")
        assert catalogue.price(pro, "USD", BillingPeriod.MONTHLY, at("2026-04-09")) == usd("79.00")
        assert catalogue.price(pro, "USD", BillingPeriod.MONTHLY, at("2026-04-10")) == usd("99.00")
        with pytest.raises(Invalid, match="newer price"):
            versions.set_price(pro, usd("1.00"), BillingPeriod.MONTHLY, effective_from=at("2026-04-10"))
    assert renew(buyer, "2026-05-01") == 1
    assert bills(buyer)[-1].total == 7900
    with transaction(buyer):
        item = of(buyer).items[0]
        old = catalogue.usage_prices(catalogue.plan("pro"), "USD", item.priced_at)["sites"]
        assert versions.first_unit(old) == 4
        ending.reprice(of(buyer).id)
    assert renew(buyer, "2026-06-01") == 1
    assert bills(buyer)[-1].total == 9900
    assert of(buyer).items[0].priced_at == at("2026-06-01")
    books_are_right()


def test_one_invoice_for_several_subscriptions_where_the_customer_asks(buyer: UUID) -> None:
    stand(buyer, "2026-04-01T09:00Z")
    buy(buyer, "pro")
    stand(buyer, "2026-04-01T17:00Z")
    with transaction(buyer):
        bought = checkout.buy(order("toy-alone", name="corner"), click(amount="9.00"))
        assert bought.state == "building"
    run_all(buyer)
    with transaction(buyer):
        sellers.profile().consolidate = True
    assert renew(buyer, "2026-05-01T10:00Z") == 1
    assert sorted(line.amount for line in bills(buyer)[-1].lines) == [900, 7900]
    assert bills(buyer)[-1].status == "paid"
    assert renew(buyer, "2026-05-01T18:00Z") == 0
    with transaction(buyer):
        assert {one.current_period_end for one in subscriptions.live()} == {
            at("2026-06-01T09:00Z"),
            at("2026-06-01T17:00Z"),
        }
    books_are_right()


def test_arrears_bill_the_period_that_ended(buyer: UUID) -> None:
    plan("later", 3000, timing="arrears")
    plan("more", 6000, timing="arrears")
    stand(buyer, "2026-04-01")
    buy(buyer, "later")
    assert [row.total for row in bills(buyer)] == []
    stand(buyer, "2026-04-11")
    assert upgrade(buyer, "more", when="now").state == "done"
    assert bills(buyer)[-1].total == 1000
    assert renew(buyer, "2026-05-01") == 1
    assert bills(buyer)[-1].total == 4000
    stand(buyer, "2026-05-11T08:00Z")
    with transaction(buyer):
        ending.cancel_now(of(buyer).id)
    assert bills(buyer)[-1].total == scaled(6000, 10 * 24 + 8, 31 * 24)
    books_are_right()


def test_the_database_refuses_to_bill_an_instant_twice(buyer: UUID) -> None:
    buy(buyer, "pro")
    again = """
        insert into core.billed_period (id, created_at, tenant_id, subscription_id, item_id, invoice_id, plan_code,
                                        quantity, period_start, period_end, until, amount, currency)
        select gen_random_uuid(), now(), tenant_id, subscription_id, item_id, invoice_id, plan_code, 1,
               period_start + interval '1 day', period_end, until, 1, currency from core.billed_period"""
    with pytest.raises(IntegrityError, match="billed already"), transaction(buyer) as here:
        here.execute(text(again))


def test_scheduled_changes_that_cannot_be_are_refused_or_told(buyer: UUID) -> None:
    buy(buyer, "starter", card=LATER)
    mine = of(buyer).id
    with transaction(buyer):
        now = clock.now()
        for wrong in (now - timedelta(days=1), now + timedelta(days=4000)):
            with pytest.raises(Invalid):
                changing.schedule_change(mine, Wanted("plan", plan_code="pro"), wrong)
        with pytest.raises(NotFound):
            changing.schedule_change(mine, Wanted("plan", plan_code="nothing"), now + timedelta(days=2))
        with pytest.raises(Conflict, match="already"):
            changing.schedule_change(mine, Wanted("plan", plan_code="starter"))
        changing.schedule_change(mine, Wanted("plan", plan_code="enterprise"), now + timedelta(days=3))
        changing.schedule_change(mine, Wanted("plan", plan_code="pro"), now + timedelta(days=2))
        assert [row.plan_code for row in changing.rows.waiting(mine)] == ["pro"]
    renew(buyer, now + timedelta(days=2))
    assert of(buyer).items[0].plan_code == "starter"
    assert "subscription.change_failed" in events(buyer)


def test_cancel_keep_and_end_with_a_reason(buyer: UUID) -> None:
    buy(buyer, "pro", card=GOOD)
    mine = of(buyer).id
    with transaction(buyer):
        assert subscriptions.cancel(mine, reason="Too dear").cancel_reason == "Too dear"
    with pytest.raises(Conflict, match="about to end"):
        upgrade(buyer, "enterprise")
    with transaction(buyer):
        subscriptions.keep(mine)
    assert upgrade(buyer, "enterprise").state == "done"


def scaled(cents: int, part: int, whole: int) -> int:
    return (2 * cents * part + whole) // (2 * whole)


def test_sites_stand_still_without_a_plan_and_go_on_with_the_next(buyer: UUID) -> None:
    stand(buyer, "2026-04-01")
    buy(buyer, "starter")
    with transaction(buyer):
        create_service(kind="toy", name="corner", settings={})
    run_all(buyer)

    def status() -> tuple[str, str]:
        with transaction(buyer) as here:
            row = here.scalars(select(Service)).one()
            return row.status, row.suspended_why

    assert status() == ("active", "")
    with transaction(buyer):
        ending.pause(of(buyer).id, now=True)
    run_all(buyer)
    assert status() == ("suspended", "Its plan is paused.")
    with transaction(buyer):
        ending.resume(of(buyer).id)
    run_all(buyer)
    assert status()[0] == "active"
    with transaction(buyer):
        ending.cancel_now(of(buyer).id)
    run_all(buyer)
    assert status() == ("suspended", "Its plan has ended.")
    buy(buyer, "pro")
    run_all(buyer)
    assert status()[0] == "active"
    with transaction(buyer) as here:
        assert here.scalars(select(Service.paid_by)).one() == subscriptions.source(of(buyer).items[0])
    books_are_right()


def test_a_scheduled_change_is_told_a_day_before_and_runs_by_itself(buyer: UUID) -> None:
    stand(buyer, "2026-04-01")
    buy(buyer, "starter")
    with transaction(buyer):
        changing.schedule_change(of(buyer).id, Wanted("plan", plan_code="pro"), at("2026-04-10T12:00Z"))
    advance(buyer, at("2026-04-09T11:00Z"))
    run_all(buyer)
    assert "subscription.change_upcoming" not in events(buyer)
    advance(buyer, at("2026-04-09T12:00Z"))
    run_all(buyer)
    assert "subscription.change_upcoming" in events(buyer)
    advance(buyer, at("2026-04-10T12:00Z"))
    run_all(buyer)
    assert of(buyer).items[0].plan_code == "pro"
    books_are_right()


def test_who_never_paid_is_cleared_away_and_its_coupon_goes_back(buyer: UUID) -> None:
    with transaction(PLATFORM_ID):
        made = coupons.make("One", percent=Decimal(50), max_redemptions=1)
        coupons.add_code(made.id, "ONE")
    stand(buyer, "2026-04-01")
    order_ = Order("pro", promotion_code="one")
    with transaction(buyer):
        declined = checkout.buy(order_, Click(uuid7(), "1", usd("39.50"), {"test_card": DECLINED}))
    assert declined.state == "declined"
    renew(buyer, "2026-04-01T23:00Z")
    other = make_tenant("Other")
    with pytest.raises(Invalid, match="used up"):
        buy(other, "pro", promo="one")
    renew(buyer, "2026-04-02T01:00Z")
    assert buy(other, "pro", promo="one").state == "done"
    books_are_right()


def test_what_was_renewed_a_bit_early_can_still_be_changed(buyer: UUID) -> None:
    stand(buyer, "2026-04-01T09:00Z")
    with transaction(buyer):
        bought = checkout.buy(order("toy-alone", name="corner"), click(amount="9.00"))
        assert bought.state == "building"
    run_all(buyer)
    stand(buyer, "2026-04-01T17:00Z")
    with transaction(buyer):
        checkout.buy(order("starter"), click(amount="29.00"))
        sellers.profile().consolidate = True
    assert renew(buyer, "2026-05-01T10:00Z") == 1
    with transaction(buyer):
        mine = next(one for one in subscriptions.live() if one.shape == "hosting").id
        seen = changing.preview_change(mine, Wanted("plan", plan_code="pro"))
        assert (seen.at, seen.bill.total) == (at("2026-05-01T17:00Z"), usd("50.00"))
        assert changing.change(mine, Wanted("plan", plan_code="pro"), at=seen.at).state == "done"
    books_are_right()
