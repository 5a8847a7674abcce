"""What a referral earns, when, and what refunds take back; the ledger proves each state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from chom_referrals import attribution, codes, commissions, hooks, terms
from chom_referrals.models import Commission, Referral
from chom_referrals.schemas import ReferralsSettings
from sqlalchemy import select

from chom_sdk import BillingPeriod, Invalid, Money, billing, clock, settings, transaction
from chom_sdk.testing import Organisation, World
from chom_sdk.testing.sales import books, give_back, sell, totals


def usd(text: str) -> Money:
    return Money.of(text, "USD")


def a_code(of: Organisation, programme: str = "customer", word: str = "NORTH1", about: str = "x") -> UUID:
    with of.acting():
        made = codes.create({"programme": programme, "code": word, "about": about}).id
    if programme != "customer":
        with of.world.staff():
            codes.decide(made, "active")
    return made


def send(to: Organisation, word: str = "NORTH1", days_ago: int = 0) -> Referral | None:
    """`to` signs up after following the link."""
    at = clock.now() - timedelta(days=days_ago)
    with to.acting():
        return attribution.attribute(
            to.id, to.name, {"code": word, "at": str(int(at.timestamp())), "source": "blog"}
        )


def owed(of: Organisation, *, as_credit: bool = False) -> billing.Payable:
    with of.acting():
        return billing.payable(commissions.party(of.id, as_credit), "affiliate")[0]


@pytest.fixture
def pinecrest(other_organisation: Organisation) -> Organisation:
    return other_organisation


@pytest.fixture
def affiliate(northlight: Organisation) -> Organisation:
    a_code(northlight, "affiliate")
    return northlight


def test_chom_10(northlight: Organisation, pinecrest: Organisation) -> None:
    """25 % off the first 3 months of 29.00: 7.25 three times, then nothing."""
    a_code(northlight)
    assert send(pinecrest)
    start, seen = datetime(2027, 1, 31, 10, tzinfo=UTC), []
    for month in (start, datetime(2027, 2, 28, 10, tzinfo=UTC), datetime(2027, 3, 31, 10, tzinfo=UTC),
                  datetime(2027, 4, 30, 10, tzinfo=UTC)):  # fmt: skip
        seen.append(totals(pinecrest, sell(pinecrest, usd("29.00"), start=month)))
        pinecrest.world.run_jobs()
    assert seen == [(usd("7.25"), usd("21.75"))] * 3 + [(usd("0"), usd("29.00"))]
    assert books(pinecrest.world) == []


def test_a_yearly_price_has_three_months_of_discount_not_a_year(
    northlight: Organisation, pinecrest: Organisation
) -> None:
    a_code(northlight)
    send(pinecrest)
    start = datetime(2027, 1, 1, tzinfo=UTC)
    off, _total = totals(pinecrest, sell(pinecrest, usd("365.00"), start=start, period=BillingPeriod.ANNUAL))
    assert off == usd("22.50"), "a quarter of the 90 days from January to March"


def test_an_affiliate_earns_of_what_was_collected_and_waits(
    affiliate: Organisation, pinecrest: Organisation
) -> None:
    send(pinecrest)
    sell(pinecrest, usd("100.00"))
    pinecrest.world.run_jobs()
    assert (owed(affiliate).pending, owed(affiliate).available) == (usd("15.00"), usd("0"))
    affiliate.move_clock(clock.machine() + timedelta(days=31))
    assert owed(affiliate).available == usd("15.00")
    assert books(affiliate.world) == []
    mails = [mail.subject for mail in affiliate.world.mails]
    assert "You earned $15.00" in mails


def test_an_unpaid_invoice_earns_nothing(affiliate: Organisation, pinecrest: Organisation) -> None:
    send(pinecrest)
    sell(pinecrest, usd("100.00"), pay=False)
    pinecrest.world.run_jobs()
    with affiliate.acting() as here:
        assert here.scalars(select(Commission)).all() == []


def test_refunds_take_back_their_share_to_the_cent(affiliate: Organisation, pinecrest: Organisation) -> None:
    send(pinecrest)
    sale = sell(pinecrest, usd("26.65"))  # 19.99 after the newcomer's discount: earns 4.00
    pinecrest.world.run_jobs()
    assert totals(pinecrest, sale)[1] == usd("19.99")
    assert owed(affiliate).earned == usd("4.00")
    give_back(pinecrest, sale, usd("9.99"))
    pinecrest.world.run_jobs()
    assert owed(affiliate).taken_back == usd("2.00")
    give_back(pinecrest, sale)
    pinecrest.world.run_jobs()
    assert (owed(affiliate).earned, owed(affiliate).taken_back) == (usd("0"), usd("4.00"))
    assert books(affiliate.world) == []


def test_news_twice_earns_once(affiliate: Organisation, pinecrest: Organisation) -> None:
    referral = send(pinecrest)
    assert referral
    sale = sell(pinecrest, usd("100.00"))
    pinecrest.world.run_jobs()
    for _turn in range(3):
        with transaction(affiliate.id):
            commissions.settle(referral.id, sale)
    assert owed(affiliate).earned == usd("15.00")


def test_a_customer_gets_the_reward_once_and_as_credit(
    northlight: Organisation, pinecrest: Organisation
) -> None:
    a_code(northlight)
    send(pinecrest)
    for _month in range(2):
        sell(pinecrest, usd("29.00"))
        pinecrest.world.run_jobs()
    assert owed(northlight, as_credit=True).pending == usd("50.00")
    northlight.move_clock(clock.machine() + timedelta(days=31))
    for _turn in range(2):
        northlight.post("/referrals/payout")
    assert owed(northlight, as_credit=True).paid == usd("50.00")
    with northlight.acting():
        assert billing.account_credit().account == usd("50.00")
    assert books(northlight.world) == []


def test_the_monthly_run_pays_each_once(affiliate: Organisation, pinecrest: Organisation) -> None:
    send(pinecrest)
    sell(pinecrest, usd("1000.00"))
    pinecrest.world.run_jobs()
    affiliate.move_clock(clock.machine() + timedelta(days=31))
    for _turn in range(2):
        with affiliate.world.staff():
            commissions.pay_all(settings.read("referrals"), "2027-01")
        affiliate.world.run_jobs()
    state = owed(affiliate)
    assert (state.on_its_way, state.available) == (usd("150.00"), usd("0"))
    with affiliate.acting():
        assert [one.method for one in billing.payouts()] == ["manual"]
    assert books(affiliate.world) == []


@pytest.mark.parametrize("days", [0, 89, 91])
def test_a_click_counts_for_ninety_days(northlight: Organisation, pinecrest: Organisation, days: int) -> None:
    a_code(northlight)
    assert (send(pinecrest, days_ago=days) is not None) == (days < 90)


def test_the_first_attribution_stays(northlight: Organisation, pinecrest: Organisation) -> None:
    a_code(northlight)
    a_code(northlight, word="NORTH2")
    assert send(pinecrest)
    assert send(pinecrest, "NORTH2") is None


def test_nobody_sends_themselves(chom: World, northlight: Organisation, pinecrest: Organisation) -> None:
    a_code(northlight)
    assert send(northlight).why == "organisation"  # type: ignore[union-attr]
    chom.join(northlight, pinecrest)
    refused = send(pinecrest)
    assert refused and (refused.status, refused.why) == ("refused", "person")
    sell(pinecrest, usd("29.00"))
    chom.run_jobs()
    with northlight.acting() as here:
        assert here.scalars(select(Commission)).all() == []


def test_an_address_of_both_is_one_person(northlight: Organisation, pinecrest: Organisation) -> None:
    a_code(northlight)
    for who, address in ((northlight, "Kim@lanternworks.test"), (pinecrest, "kim+new@lanternworks.test")):
        answer = who.post("/billing/details", {"name": who.name, "address": "1 Road", "country": "US", "region": "NY",
                                               "vat_id": "", "email": address})  # fmt: skip
        assert answer.status_code == 303, answer.text[:800]
    assert send(pinecrest).why == "email"  # type: ignore[union-attr]


def test_a_card_of_both_shows_before_the_first_commission(
    northlight: Organisation, pinecrest: Organisation
) -> None:
    a_code(northlight)
    assert send(pinecrest)
    northlight.world.share_a_card(northlight, pinecrest)
    sell(pinecrest, usd("29.00"))
    northlight.world.run_jobs()
    with northlight.acting() as here:
        assert here.scalars(select(Referral.why)).all() == ["card"]
        assert here.scalars(select(Commission)).all() == []


def test_suspended_and_waiting_links_bring_nobody(northlight: Organisation, pinecrest: Organisation) -> None:
    with northlight.acting():
        made = codes.create({"programme": "partner", "code": "PART1", "about": "An agency"}).id
    assert send(pinecrest, "PART1") is None
    with northlight.world.staff():
        codes.decide(made, "active", Decimal("33"))
        codes.decide(made, "suspended")
    assert send(pinecrest, "PART1") is None


def test_an_agreed_share_replaces_the_programmes(northlight: Organisation, pinecrest: Organisation) -> None:
    made = a_code(northlight, "partner")
    with northlight.world.staff():
        codes.decide(made, "active", Decimal("33"))
    send(pinecrest)
    sell(pinecrest, usd("100.00"))
    northlight.world.run_jobs()
    assert owed(northlight).earned == usd("24.75")


VALUES = ReferralsSettings().load({})


@pytest.mark.parametrize(
    ("change", "nth", "base", "earned", "bonus", "expected"),
    [
        ({}, 1, "100.00", "0", "0", "20.00"),
        ({"affiliate_first": "30", "affiliate_percent": "15"}, 1, "100.00", "0", "0", "30.00"),
        ({"affiliate_first": "30", "affiliate_percent": "15"}, 2, "100.00", "30.00", "0", "15.00"),
        ({}, 12, "100.00", "0", "0", "20.00"),
        ({}, 13, "100.00", "0", "0", "0.00"),
        ({"affiliate_invoices": 0}, 99, "100.00", "0", "0", "20.00"),
        ({"affiliate_cap": "50"}, 3, "100.00", "40.00", "0", "10.00"),
        ({"affiliate_cap": "50"}, 4, "100.00", "50.00", "0", "0.00"),
        ({}, 1, "100.00", "0", "5", "25.00"),
        ({"affiliate_first": "99"}, 1, "0.02", "0", "5", "0.02"),
        ({"affiliate_type": "fixed", "affiliate_fixed": "30"}, 1, "1.00", "0", "0", "30.00"),
        ({"affiliate_type": "fixed", "affiliate_fixed": "30"}, 2, "1.00", "30.00", "0", "0.00"),
    ],
)
def test_commissions(
    change: dict[str, str], nth: int, base: str, earned: str, bonus: str, expected: str
) -> None:
    promised = terms.of_settings(ReferralsSettings().load(change), "affiliate")
    kept = terms.Terms.of_json(promised.as_json())
    assert kept.commission(nth, usd(base), usd(earned), Decimal(bonus)) == usd(expected)


@pytest.mark.parametrize(
    ("paid", "name", "missing"), [(0, "bronze", 5), (5, "silver", 10), (40, "platinum", 0)]
)
def test_tiers(paid: int, name: str, missing: int) -> None:
    found = terms.tier(VALUES, paid)
    assert (found.name, found.missing) == (name, missing)


def test_a_code_is_taken_once_and_an_affiliate_says_where(
    northlight: Organisation, pinecrest: Organisation
) -> None:
    a_code(northlight)
    with pytest.raises(Exception, match="taken"):
        a_code(pinecrest, word="north1")
    with pytest.raises(Invalid):
        a_code(pinecrest, "affiliate", "PINE", about=" ")


def test_the_end_of_a_month_is_kept() -> None:
    assert hooks.months_after(datetime(2027, 11, 30, tzinfo=UTC), 3) == datetime(2028, 2, 29, tzinfo=UTC)
