"""What lies behind the demo's people is the story it tells (CONCEPTS §4), to the cent; lived through the real code."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from chom_core.billing import ledger, reads
from chom_core.billing.models import Dispute
from chom_core.billing.reads import dunning
from chom_core.database import Tenant, everyone, transaction
from chom_core.demo import asks, people, shops
from chom_core.demo.company import Company, company
from chom_core.identity.models import ApiKey
from chom_core.identity.service import create_api_key
from chom_core.values import SYSTEM, Role
from chom_core.values.money import Money
from chom_sdk.testing.world import World
from tests.demo.test_pages import demo

__all__ = ["demo"]


def only(*names: str, months: int, **changes: object) -> Company:
    """The company with these organisations alone, and not so many months behind them."""
    kept = (one for one in company().organisations if one.name in names)
    some = tuple(dataclasses.replace(one, months=months, **changes) for one in kept)
    return dataclasses.replace(company(), organisations=some)


def named(name: str) -> UUID:
    with transaction() as here:
        return here.scalars(select(Tenant.id).where(Tenant.name == name)).one()


def usd(text: str) -> Money:
    return Money.of(text, "USD")


def test_northlight_has_outgrown_starter(chom: World, tmp_path: Path) -> None:
    """19 sites, 40 GB and 88 GB on Starter are $102.00; Pro is $79.00."""
    assert chom.app
    list(people.settle_in(only("Northlight Studio", months=8), "a lantern in the fog", str(tmp_path)))
    with transaction(named("Northlight Studio")):
        used = {one.meter.name: one.used for one in reads.meters_used()}
        plans = {one.code: (one.total, one.saves) for one in reads.plan_costs()}
    assert (used["sites"], round(used["storage_gb"]), used["traffic_gb"]) == (19, 40, 88)
    assert plans["starter"] == (usd("102.00"), usd("0.00"))
    assert plans["pro"] == (usd("79.00"), usd("23.00"))


def test_two_of_brightsides_shops_stand_on_its_ladder(chom: World, tmp_path: Path) -> None:
    assert chom.app
    small = only("Brightside", months=2, shops={"basic": 2, "plus": 1})
    list(people.settle_in(small, "a lantern in the fog", str(tmp_path)))
    names = list(shops.open_shops(small))
    with transaction(named("Brightside")):
        found = {one.customer: one.info for one in dunning.customers_unpaid()}
    assert found.keys() == set(names[:2])
    long, short = found[names[1]], found[names[0]]
    assert (long.rung, long.rungs, long.due) == (4, 4, usd("39.00"))
    assert 2 <= short.rung <= 4 and short.due == usd("39.00")  # after a short month it is some days older
    assert {long.code, short.code} == {"insufficient_funds"}


def test_pinecrests_budget_is_nearly_spent(demo: Flask) -> None:
    def send(path: str, body: Mapping[str, Any], headers: dict[str, str]) -> int:
        return demo.test_client().post(path, json=body, headers=headers).status_code

    for _ in range(2):  # as after a restart
        asks.ask(company(), send)
    client, owner = demo.test_client(), named("Pinecrest Games")
    with transaction(owner, SYSTEM):
        key = create_api_key("test", role=Role.BILLING).secret
    (budget,) = client.get("/api/v1/budgets/", headers={"Authorization": f"Bearer {key}"}).json
    assert (budget["percent"], budget["spent"]["amount"]) == (91, 2900)
    with transaction(owner) as here:
        kept = here.scalars(select(ApiKey.name).where(ApiKey.revoked_at.is_(None))).all()
    assert kept == ["test"], "those that it was asked with are revoked"


def test_a_bank_takes_fernhills_payment_back(chom: World, tmp_path: Path) -> None:
    assert chom.app
    list(people.settle_in(only("Fernhill Florist", months=0), "a lantern in the fog", str(tmp_path)))
    chom.run_jobs()
    with transaction(named("Fernhill Florist")) as here:
        (one,) = here.scalars(select(Dispute)).all()
        assert (one.status, one.amount, one.reason) == ("open", 2900, "fraudulent")
        assert one.evidence_due is not None
    with everyone("ledger check") as here:
        assert ledger.check(here) == []
