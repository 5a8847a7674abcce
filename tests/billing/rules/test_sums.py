"""Properties of money's rules: whatever is split sums exactly, whatever is taken off stops at zero."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chom_core.billing.rules.coupons import Coupon, Item, discount
from chom_core.billing.rules.credits import Credit, CreditKind, Owed, use
from chom_core.billing.rules.metering import Aggregation, Event, aggregate
from chom_core.billing.rules.pricing import Billed, Model, Tariff, Tier, price, rate, steps
from chom_core.billing.rules.rounding import exact, rounded
from chom_core.billing.rules.splits import OddUnit, allocate, split
from chom_core.billing.rules.taxes import Taxable, note, note_of_total, taxes
from chom_core.billing.rules.thresholds import alerts, interim_due
from tests.billing.rules.facts import eur, span
from tests.billing.rules.test_time import INSTANTS

CENTS = st.integers(0, 10**7)
RATES = st.decimals(0, 100, places=4, allow_nan=False)
UNITS = st.decimals(0, 10**5, places=3, allow_nan=False)
PERCENTS = st.decimals(0, 100, places=2, allow_nan=False)


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    model = draw(st.sampled_from(Model))
    ends = sorted(draw(st.sets(st.integers(1, 10**5), max_size=4)))
    tiers = [Tier(D(end), draw(RATES), draw(RATES)) for end in ends] + [Tier(None, draw(RATES), draw(RATES))]
    least, most = sorted(draw(st.tuples(CENTS, CENTS)))
    return Tariff(
        model,
        tuple(tiers),
        package_size=draw(st.decimals("0.5", 1000, places=1)) if model is Model.PACKAGE else None,
        included=draw(UNITS),
        minimum=draw(st.none() | st.just(eur(least))),
        maximum=draw(st.none() | st.just(eur(most))),
    )


@given(tariffs(), st.lists(UNITS, min_size=1, max_size=5))
def test_interim_invoices_sum_to_one_invoice(tariff: Tariff, uses: list[D]) -> None:
    total, paid, billed = D(0), eur(0), None
    for number, used in enumerate(uses, 1):
        total += used
        line = rate(tariff, total, "EUR", billed, last=number == len(uses))
        assert line.amount == line.gross - line.cap_discount + line.minimum_top_up
        paid += line.amount
        billed = Billed(total, paid)
    assert paid == rate(tariff, total, "EUR").amount
    assert not rate(tariff, total, "EUR", Billed(total, paid)).amount, "a re-run bills nothing"


@given(tariffs(), UNITS, UNITS)
def test_steps_explain_the_price(tariff: Tariff, before: D, more: D) -> None:
    whole = sum((step.exact for step in steps(tariff, before + more)), Fraction(0))
    first = sum((step.exact for step in steps(tariff, before)), Fraction(0))
    rest = sum((step.exact for step in steps(tariff, before + more, before)), Fraction(0))
    assert first + rest == whole
    assert price(tariff, before + more, "EUR") == rounded(whole, "EUR")


@given(tariffs(), UNITS)
def test_a_period_stays_between_its_least_and_its_most(tariff: Tariff, units: D) -> None:
    amount = rate(tariff, units, "EUR").amount
    assert tariff.maximum is None or amount <= tariff.maximum
    assert tariff.minimum is None or amount >= tariff.minimum
    assert rate(tariff, -units, "EUR") == rate(tariff, D(0), "EUR"), "below zero is nothing used"


@st.composite
def coupons(draw: st.DrawFn) -> Coupon:
    only = draw(st.frozensets(st.sampled_from("abc")))
    stacks = draw(st.booleans())
    if draw(st.booleans()):
        return Coupon("c", percent=draw(PERCENTS), only=only, stacks=stacks)
    return Coupon("c", amount=eur(draw(CENTS)), only=only, stacks=stacks)


ITEMS = st.lists(
    st.builds(Item, st.integers(-(10**5), 10**6).map(eur), st.frozensets(st.sampled_from("abc"), max_size=1)),
    max_size=6,
)


@given(ITEMS, st.lists(coupons(), max_size=5))
def test_discounts_stop_at_zero_and_their_split_sums(items: list[Item], given_: list[Coupon]) -> None:
    found = discount("EUR", items, given_)
    total = sum(item.amount.amount for item in items)
    assert 0 <= found.total.amount <= max(total, 0)
    for one in found.applied:
        assert sum(one.per_line) == one.amount.amount
    assert sum(found.per_line) == found.total.amount == sum(part.amount for part in found.whole())
    for item, rest, off, whole in zip(items, found.left, found.per_line, found.whole(), strict=True):
        assert rest == item.amount.amount - off and off >= 0
        assert rest >= 0 or item.amount.amount < 0
        assert whole <= item.amount or not off


LINES = st.lists(
    st.builds(
        Taxable,
        st.fractions(-1000, 10**6, max_denominator=97),
        st.sampled_from([D(0), D("7"), D("19"), D("8.875")]),
    ),
    max_size=8,
)


@given(LINES)
def test_tax_of_the_parts_sums_to_the_whole(lines: list[Taxable]) -> None:
    found = taxes("EUR", lines)
    assert sum(part.amount for part in found.parts) == found.tax.amount
    assert sum(row.tax.amount for row in found.by_rate) == found.tax.amount
    assert abs(found.tax.amount - sum(line.exact for line in lines)) * 2 <= 1
    assert (
        abs(sum(row.base.amount for row in found.by_rate) - sum(exact(line.net) for line in lines)) * 2 <= 1
    )


@given(CENTS, CENTS, st.lists(st.integers(0, 10**6), max_size=5), st.booleans())
def test_credit_notes_give_back_all_and_no_more(net: int, tax: int, parts: list[int], with_tax: bool) -> None:
    of = note_of_total if with_tax else note
    whole = net + tax if with_tax else net
    back = noted = eur(0)
    for part in [*parts, whole]:
        now = eur(min(part, whole - noted.amount))
        found = of(eur(net), eur(tax), noted, now)
        assert found.sub + found.tax == found.total and found.sub.amount >= 0 and found.tax.amount >= 0
        noted, back = noted + now, back + found.total
    assert back.amount == net + tax or not whole
    with pytest.raises(ValueError, match="no more than"):
        of(eur(net), eur(tax), noted, eur(1))


@given(CENTS, st.lists(PERCENTS, max_size=4))
def test_commissions_sum(sale: int, percents: list[D]) -> None:
    rates = {f"p{n}": percent / max(len(percents), 1) for n, percent in enumerate(percents)}
    parts = [part.amount for part in split(eur(sale), rates, "rest").values()]
    assert sum(parts) == sale and min(parts) >= 0


@given(st.integers(-(10**9), 10**9), st.lists(st.decimals(0, 100, places=5), min_size=1, max_size=9))
def test_allocations_sum(amount: int, weights: list[D]) -> None:
    if not any(weights):
        weights[0] = D(1)
    for odd in OddUnit:
        parts = allocate(eur(amount), weights, odd)
        assert sum(part.amount for part in parts) == amount
    assert all(
        abs(part.amount - amount * exact(weight) / sum(map(exact, weights))) < 1
        for part, weight in zip(allocate(eur(amount), weights), weights, strict=True)
    )


@st.composite
def pots(draw: st.DrawFn) -> list[Credit]:
    return [
        Credit(
            str(n),
            eur(draw(st.integers(0, 5000))),
            draw(st.sampled_from(CreditKind)),
            draw(st.integers(1, 3)),
            only=draw(st.frozensets(st.sampled_from("ab"), max_size=1)),
        )
        for n in range(draw(st.integers(0, 5)))
    ]


@given(
    st.lists(
        st.builds(Owed, CENTS.map(lambda c: eur(c % 5000)), st.sampled_from("abc")), min_size=1, max_size=4
    ),
    pots(),
)
def test_credit_never_pays_more_than_is_owed_or_there(owed: list[Owed], pots: list[Credit]) -> None:
    found = use(owed, pots)
    total = sum(part.amount.amount for part in owed)
    assert found.due.amount >= 0
    assert found.due.amount + sum(one.amount.amount for one in found.used) == total
    assert all(eur(0) < found.of(pot.key) <= pot.left for pot in pots if found.of(pot.key))
    for kind in "ab":  # what a pot for one kind pays was owed for it
        narrow = sum(found.of(pot.key).amount for pot in pots if pot.only == {kind})
        assert narrow <= sum(part.amount.amount for part in owed if part.kind == kind)
    if found.due:
        assert all(found.of(pot.key) == pot.left for pot in pots if not pot.only), "nothing usable was left"


EVENTS = st.lists(
    st.builds(
        Event, st.sampled_from("abcdefgh"), INSTANTS, st.decimals(-100, 100, places=3), st.sampled_from("xyz")
    ),
    max_size=12,
)


@given(EVENTS, st.randoms(), st.sampled_from(Aggregation))
def test_the_order_of_events_changes_nothing(events: list[Event], random: object, how: Aggregation) -> None:
    period = span("2012-01-01", "2026-01-01")
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert aggregate(how, events, period) == aggregate(how, shuffled + shuffled, period)


@given(EVENTS)
def test_a_time_weighted_mean_of_parts_is_that_of_the_whole(events: list[Event]) -> None:
    whole, parts = (
        span("2012-01-01", "2020-01-01"),
        [span("2012-01-01", "2013-01-01"), span("2013-01-01", "2020-01-01")],
    )
    for how in (Aggregation.TIME_WEIGHTED, Aggregation.LEVEL_WEIGHTED):
        area = sum(aggregate(how, events, part) * part.seconds for part in parts)
        assert abs(area - aggregate(how, events, whole) * whole.seconds) < D("0.0001")


def test_means_and_levels() -> None:
    day = span("2024-01-02", "2024-01-03")
    before, noon = span("2024-01-01", "2024-01-02").start, span("2024-01-02T12:00:00Z", "2024-01-03").start
    events = [Event("a", before, D(4)), Event("b", noon, D(2))]
    found = {how: aggregate(how, events, day) for how in Aggregation}
    assert found[Aggregation.TIME_WEIGHTED] == 3 and found[Aggregation.LEVEL_WEIGHTED] == 5
    assert found[Aggregation.LEVEL] == 6 and found[Aggregation.SUM] == 2 and found[Aggregation.COUNT] == 1
    assert found[Aggregation.MAX] == 2 and found[Aggregation.LAST] == 2 and found[Aggregation.UNIQUE] == 1


@given(st.lists(CENTS, max_size=8))
def test_each_alert_fires_once(spends: list[int]) -> None:
    fired: list[D] = []
    for spent in spends:
        fired.extend(alerts(eur(spent), eur(10**6), [50, 75, 90, 100], fired))
    assert len(fired) == len(set(fired))
    assert set(fired) == {p for p in (50, 75, 90, 100) if p * 10**4 <= max(spends, default=0)}


def test_beyond_the_highest_limit_again_and_again() -> None:
    limits, every = [eur(100), eur(300)], eur(50)
    steps_ = [(0, 99), (0, 100), (100, 299), (100, 300), (300, 349), (300, 350), (350, 399), (350, 460)]
    found = [interim_due(eur(before), eur(now), limits, every) for before, now in steps_]
    assert found == [False, True, False, True, False, True, False, True]


@pytest.mark.parametrize(
    "bad",
    [
        {"tiers": ()},
        {"tiers": (Tier(D(5)),)},
        {"tiers": (Tier(None), Tier(None))},
        {"tiers": (Tier(D(9)), Tier(D(3)), Tier(None))},
        {"tiers": (Tier(None, D("NaN")),)},
        {"tiers": (Tier(None, 0.1),)},  # type: ignore[arg-type]
        {"included": D(-1)},
        {"model": Model.PACKAGE},
        {"package_size": D(5)},
        {"minimum": eur(5), "maximum": eur(4)},
    ],
)
def test_what_makes_no_tariff_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Tariff(**{"model": Model.PER_UNIT, "tiers": (Tier(None),), **bad})  # type: ignore[arg-type]
