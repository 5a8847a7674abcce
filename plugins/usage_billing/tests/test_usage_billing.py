"""The month by meter, alerts once each, what an upgrade saves, the report."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from typing import Any

from chom_usage_billing import service

from chom_sdk import billing
from chom_sdk.testing import Organisation


def subscribe(organisation: Organisation, plan: str = "starter") -> None:
    """Buy a hosting plan as a person does."""
    page = organisation.client().get(f"/checkout/{plan}").text
    hidden = {
        name: found[1]
        for name in ("checkout", "attempt", "expected", "period")
        if (found := re.search(rf'name="{name}" value="([^"]*)"', page))
    }
    details = {"name": "Northlight Ltd", "email": "mara@example.com", "country": "us"}
    answer = organisation.post(f"/checkout/{plan}", hidden | details | {"test_card": "4242424242424242"})
    assert answer.status_code == 303, answer.text


def use(organisation: Organisation, id: str, meter: str, value: str) -> None:
    """Recorded as of the month's begin, so that a mean is the value itself."""
    with organisation.acting():
        start = billing.meters_used()[0].period_start
        assert billing.record_usage(meter, Decimal(value), id=id, at=start).accepted == 1


def test_without_a_plan_the_page_offers_one(northlight: Organisation) -> None:
    page = northlight.client().get("/usage/")
    assert page.status_code == 200
    assert "Nothing is counted yet" in page.text


def test_the_month_shows_bars_costs_and_the_plan_that_saves(northlight: Organisation) -> None:
    subscribe(northlight)
    for meter, value in (("sites", "19"), ("storage_gb", "40"), ("traffic_gb", "88")):
        use(northlight, meter, meter, value)
    page = northlight.client().get("/usage/").text
    assert "19 of 5" in page
    assert "$73.00" in page
    assert (
        "you would save $23.00 from the next month on" in page
    )  # the seed's sum: 102.00 against Pro's 79.00
    plans = northlight.api("GET", "/usage-billing/plans").json
    assert [(one["code"], one["total"]["amount"], one["saves"]["amount"]) for one in plans[:2]] == [
        ("pro", 7900, 2300), ("starter", 10200, 0),
    ]  # fmt: skip
    assert "you would save $23.00" in northlight.client().get("/home").text
    billing_page = northlight.client().get("/billing").text
    assert "$73.00 beyond the allowances" in billing_page and "88 GB of 100 GB" in billing_page


def test_each_alert_is_given_once_a_month(northlight: Organisation) -> None:
    subscribe(northlight)
    told = []
    for id, value in (("a", "79"), ("b", "1"), ("c", "11"), ("d", "20"), ("e", "1")):
        use(northlight, id, "traffic_gb", value)
        with northlight.acting():
            told.append((service.look(), service.look()))
    assert told == [(0, 0), (1, 0), (1, 0), (1, 0), (0, 0)]
    alerts = northlight.api("GET", "/usage-billing/alerts").json
    assert [one["percent"] for one in alerts] == [100, 90, 80]
    assert "100 %" in northlight.client().get("/usage/").text


def test_a_meter_is_shown_by_day_and_event(northlight: Organisation) -> None:
    subscribe(northlight)
    use(northlight, "<b>first</b>", "traffic_gb", "12.5")
    with northlight.acting():
        billing.record_usage("no_such_meter", id="lost")
    page = northlight.client().get("/usage/meters/traffic_gb?days=7").text
    for words in ("data-chart", "12.5 GB", "&lt;b&gt;first&lt;/b&gt;", "unknown_meter", "lost"):
        assert words in page
    assert northlight.client().get("/usage/meters/traffic_gb?days=x").status_code == 200
    assert northlight.client().get("/usage/meters/nothing").status_code == 404


def test_the_report_adds_up(northlight: Organisation) -> None:
    subscribe(northlight)
    use(northlight, "a", "traffic_gb", "120")
    answer: Any = northlight.client().get("/usage/report.csv")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert rows[0][0] == "Day"
    traffic = [row for row in rows if row[1] == "Traffic"]
    assert [(row[2], row[3], row[6]) for row in traffic] == [
        ("Organisation", "120", ""), ("Sum of the month, 100 included", "120", "1.00"),
    ]  # fmt: skip
