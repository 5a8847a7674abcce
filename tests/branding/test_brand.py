"""Whose brand speaks: the saved one of reseller or platform, cached until somebody changes it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from chom_core.branding import service
from chom_core.branding.service import brand_for, save_brand, sheet
from chom_core.database import PLATFORM_ID, engine, transaction
from chom_core.values.branding import Brand
from chom_core.values.errors import Invalid, Refused
from tests.conftest import Database, make_tenant

BLUE = Brand(name="Brightside", light={"primary": "#0a6b58"}, footer="Brightside Ltd")


@pytest.fixture(autouse=True)
def _empty_cache(database: Database) -> None:
    service._cache.clear()


def save(tenant_id: UUID, brand: Brand) -> None:
    with transaction(tenant_id):
        save_brand(brand)


def seen_by(tenant_id: UUID) -> Brand:
    with transaction(tenant_id) as work:
        work.connection()
        return brand_for()


def test_a_customer_wears_its_resellers_brand_and_sees_a_change_at_once() -> None:
    reseller = make_tenant("Brightside", kind="reseller")
    customer, other = make_tenant("Cafe", parent=reseller), make_tenant("Northlight")
    assert seen_by(customer).name == "CHOM"
    save(PLATFORM_ID, Brand(name="Lanternworks"))
    assert (seen_by(customer).name, seen_by(other).name) == ("Lanternworks", "Lanternworks")
    save(reseller, BLUE)
    assert (seen_by(customer).name, seen_by(other).name) == ("Brightside", "Lanternworks")
    assert seen_by(customer).footer == "Brightside Ltd"
    save(reseller, replace(BLUE, name="Brighter"))
    assert seen_by(customer).name == "Brighter"
    with transaction(reseller):
        service.reset_brand()
    assert seen_by(customer).name == "Lanternworks"


def test_a_host_tells_a_visitors_brand() -> None:
    reseller = make_tenant("Brightside", kind="reseller")
    save(reseller, BLUE)
    with transaction(reseller):
        service.set_hosts(["Panel.Brightside.example"])
    with transaction():
        assert brand_for("panel.brightside.example:443").name == "Brightside"
        assert brand_for("elsewhere.example").name == "CHOM"
    with transaction(make_tenant("Thief", kind="reseller")), pytest.raises(Invalid):
        service.set_hosts(["panel.brightside.example"])


def test_a_known_brand_costs_no_query() -> None:
    from sqlalchemy import event

    tenant_id = make_tenant("Northlight")
    seen_by(tenant_id)
    statements: list[str] = []
    event.listen(engine.engine(), "before_cursor_execute", lambda c, k, sql, *rest: statements.append(sql))
    with transaction(tenant_id) as work:
        work.connection()
        before = len(statements)
        brand_for()
        assert len(statements) == before


def test_a_customer_saves_no_brand_and_nobody_saves_a_hostile_one() -> None:
    customer, reseller = make_tenant("Cafe"), make_tenant("Brightside", kind="reseller")
    with pytest.raises(Refused):
        save(customer, BLUE)
    for hostile in (
        Brand(light={"primary": "#fff}*{display:none"}),
        Brand(fonts={"body": "x;}"}),
        Brand(light={"text": "#dddddd"}),
        Brand(theme="not-installed"),
    ):
        with pytest.raises(Invalid):
            save(reseller, hostile)
    assert seen_by(reseller).name == "CHOM"


def test_the_sheets_version_changes_with_its_tokens() -> None:
    body, version = sheet(BLUE)
    assert "--chom-primary: light-dark(#0a6b58, " in body
    assert sheet(replace(BLUE, name="Other"))[1] == version
    assert sheet(replace(BLUE, light={"primary": "#0a6b59"}))[1] != version
    gone_bad, _ = sheet(Brand(light={"primary": "}"}))
    assert "--chom-primary: light-dark(#3056d3" in gone_bad
