"""Cases PRO-*, TRI-*, CHOM-14: credits, fees, days, divisors and the tax of credit notes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from chom_core.billing.rules.cycles import Alignment, Cycle, Interval, Piece, unbilled
from chom_core.billing.rules.pricing import per_unit, rate
from chom_core.billing.rules.proration import Charged, Proration, change, days, prorate, share, unused
from chom_core.billing.rules.taxes import Taxable, note, taxes
from chom_core.billing.rules.trials import charged_from, on_trial, trial_end
from chom_core.values.money import Money
from tests.billing.cases.facts import eur, span, usd, utc

DAY = Proration.DAY


def tax_of(net: Money, percent: str) -> Money:
    return taxes(net.currency, [Taxable(net.amount, Decimal(percent))]).tax


@pytest.mark.parametrize(
    ("alignment", "fees", "credits"),
    [
        pytest.param(Alignment.CALENDAR, [871, 968, 1226], [806, 1210], id="PRO-02"),
        pytest.param(Alignment.ANNIVERSARY, [1000, 1161, 1471], [968, 1451], id="PRO-03"),
    ],
)
def test_two_upgrades_in_one_day(alignment: Alignment, fees: list[int], credits: list[int]) -> None:
    start = utc("2024-03-05T12:12Z")
    cycle = Cycle(Interval.MONTH, start, alignment=alignment)
    first = change(None, eur(1000), cycle, start, DAY)
    billed, given = [first], []
    for price, at in ((1500, "2024-03-12T12:12Z"), (1900, "2024-03-12T13:12Z")):
        before = billed[-1]
        now = change(Charged(before.charge, before.period), eur(price), cycle, utc(at), DAY)
        back = note(before.charge, tax_of(before.charge, "25"), eur(0), now.credit)
        given.append(back.total.amount)
        billed.append(now)
    assert [one.charge.amount for one in billed] == fees
    assert given == credits


def test_pro_04() -> None:
    start, at = utc("2023-06-29T12:12Z"), utc("2023-09-28T05:00Z")
    monthly = Cycle(Interval.MONTH, start).containing(at)
    found = change(Charged(eur(1000), monthly), eur(12000), Cycle(Interval.YEAR, start), at, DAY)
    assert (found.credit, found.charge) == (eur(32), eur(9016))
    assert (days(found.period), days(found.full)) == (275, 366)


def test_pro_06() -> None:
    start, at = utc("2023-07-19"), utc("2023-11-19")
    monthly = Cycle(Interval.MONTH, start)
    paid = monthly.containing(utc("2023-11-09"))
    assert paid.end == at, "what was paid runs to its end: nothing to give back"
    assert unused(eur(12900), paid, at, DAY) == eur(0)
    found = change(Charged(eur(12900), paid), eur(118800), Cycle(Interval.YEAR, start), at, DAY)
    assert (found.credit, found.charge) == (eur(0), eur(78875))
    assert found.period == span("2023-11-19", "2024-07-19")


def test_pro_08() -> None:
    credit = unused(usd("12.00"), span("2014-02-01", "2014-03-01"), utc("2014-02-23"), DAY)
    assert (credit, usd("12.00") - credit) == (usd("2.57"), usd("9.43"))


def test_pro_11() -> None:
    cycle = Cycle(Interval.MONTH, utc("2014-06-20")).moved(17)
    targets = [cycle.containing(utc("2014-06-17")), cycle.containing(utc("2014-07-17"))]
    assert targets == [span("2014-06-17", "2014-07-17"), span("2014-07-17", "2014-08-17")]
    pieces = unbilled(targets, [span("2014-06-20", "2014-07-20")])
    assert pieces == [
        Piece(span("2014-06-17", "2014-06-20"), targets[0]),
        Piece(span("2014-07-20", "2014-08-17"), targets[1]),
    ]
    assert [prorate(usd("10.00"), one.part, one.full, DAY) for one in pieces] == [usd("1.00"), usd("9.03")]


def test_pro_12() -> None:
    """Active from the 25th only: what lies before it is given back."""
    january, idle = span("2014-01-01", "2014-02-01"), span("2014-01-01", "2014-01-25")
    assert prorate(usd("12.00"), idle, january, DAY) == usd("9.29")


@pytest.mark.parametrize(
    ("price", "tax", "period", "sub", "credit_tax", "total"),
    [
        pytest.param(5000, "20", ("2023-02-08", "2023-03-08"), 4821, 964, 5785, id="PRO-14"),
        pytest.param(20000, "25", ("2023-04-01", "2023-05-01"), 19333, 4833, 24166, id="PRO-15"),
        pytest.param(2999, "23.33", ("2023-05-01", "2023-05-08"), 2571, 600, 3171, id="PRO-17"),
    ],
)
def test_cancelled_on_the_first_day(
    price: int, tax: str, period: tuple[str, str], sub: int, credit_tax: int, total: int
) -> None:
    paid = span(*period)
    net, with_tax = eur(price), tax_of(eur(price), tax)
    if price == 5000:
        assert net + with_tax == eur(6000)
    back = unused(net, paid, paid.start + timedelta(hours=9), DAY, day_used=True)
    found = note(net, with_tax, eur(0), back)
    assert (found.sub, found.tax, found.total) == (eur(sub), eur(credit_tax), eur(total))
    rest = note(net, with_tax, back, net - back)
    assert found.total + rest.total == net + with_tax, "what is left gives back the rest, to the cent"


def test_pro_18() -> None:
    cycle = Cycle(Interval.MONTH, utc("2011-02-01"), day=13)
    stub, full = cycle.first(), cycle.containing(utc("2011-02-01"))
    assert (stub, full) == (span("2011-02-01", "2011-02-13"), span("2011-01-13", "2011-02-13"))
    assert share(stub, full, DAY) == Fraction(12, 31)


def test_chom_14() -> None:
    cycle = Cycle(Interval.MONTH, utc("2026-12-10"))
    paid = cycle.first()
    assert paid == span("2026-12-10", "2027-01-10")
    found = change(Charged(usd("29.00"), paid), usd("79.00"), cycle, utc("2026-12-25"))
    assert (-found.credit, found.charge) == (usd("-14.97"), usd("40.77"))
    assert list(cycle.periods(paid.start, utc("2026-12-24T23:00Z"))) == [paid], "cancelled: no line is due"


def test_tri_02() -> None:
    start, upgraded = utc("2024-03-05T12:12Z"), utc("2024-03-10T12:12Z")
    cycle = Cycle(Interval.MONTH, start, alignment=Alignment.CALENDAR)
    assert rate(per_unit(Decimal("10.00")), Decimal(1), "EUR").amount == eur(1000), "used before the upgrade"
    assert on_trial(start, 10, upgraded)
    end = trial_end(start, 13)
    assert end == utc("2024-03-18T12:12Z") and on_trial(start, 13, utc("2024-03-15")), "nothing on the 15th"
    first = change(None, eur(10_000_000), cycle, charged_from(end, cycle, DAY), DAY)
    assert first.charge == eur(4_516_129) and first.period.end == utc("2024-04-01")
    assert rate(per_unit(Decimal("12.00")), Decimal(1), "EUR").amount == eur(1200)
    april = cycle.after(first.period)
    assert prorate(eur(10_000_000), april, april, DAY) == eur(10_000_000)


def test_tri_03() -> None:
    start = utc("2024-03-04T21:00Z")
    cycle = Cycle(Interval.MONTH, start, alignment=Alignment.CALENDAR)
    end = trial_end(start, 7)
    first = change(None, eur(3500), cycle, charged_from(end, cycle, DAY), DAY)
    assert first.charge == eur(2371)
    back = unused(first.charge, first.period, utc("2024-03-11T23:00Z"), DAY, day_used=True, free_until=end)
    assert back == eur(2371), "the day on which the trial ended is not used up"
    again = utc("2024-03-11T23:05Z")
    assert not on_trial(again, 7, again, consumed=True), "a trial is consumed once"
    assert change(None, eur(3500), cycle, again, DAY).charge == eur(2371)


def test_by_the_second_is_the_default() -> None:
    day = span("2024-01-01", "2024-02-01")
    assert prorate(eur(3100), span("2024-01-01", "2024-01-01T12:00Z"), day) == eur(50)
    assert unused(eur(3100), day, utc("2024-01-31T12:00Z")) == eur(50)
    assert Proration("second") is Proration.SECOND
