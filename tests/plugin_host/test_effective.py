"""Law 3, the effective state: every condition, which of them decides, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from chom_core.database import PLATFORM_ID
from chom_core.plugin_host import Plugin, effective
from chom_core.plugin_host.effective import Facts
from chom_core.plugin_host.models import PluginSwitch

TENANT = uuid4()
PLAIN = Plugin(name="plain", title="Plain", description="x")


def decided(on: bool, by: str, *, note: str = "", tenant: UUID = TENANT) -> PluginSwitch:
    at = datetime(2026, 11, 5, tzinfo=UTC)
    return PluginSwitch(tenant_id=tenant, plugin="plain", by=by, on=on, person="Dana", note=note, at=at)


def facts(*switches: PluginSwitch, **more: Any) -> Facts:
    known = Facts(
        kind="customer",
        installed=frozenset({"plain", "base"}),
        switches={(s.plugin, s.by): s for s in switches if s.tenant_id == TENANT},
        platform={(s.plugin, s.by): s for s in switches if s.tenant_id == PLATFORM_ID},
        entitlements={},
    )
    return replace(known, **more)


IN_PLAN: dict[str, Any] = {"entitlements": {"plain": "Pro"}}
TRIPPED = "it broke"


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (facts(installed=frozenset()), "Off: it is not installed"),
        (facts(), "Off: it is in no plan or add-on of yours"),
        (facts(**IN_PLAN), "On: in Pro"),
        (facts(decided(True, "staff", note="trial")), "On: Dana, 5 Nov 2026, «trial»"),
        (facts(decided(False, "staff"), **IN_PLAN), "Off: Dana, 5 Nov 2026"),
        (facts(decided(False, "owner"), **IN_PLAN), "Off: Dana, 5 Nov 2026"),
        (facts(decided(True, "owner"), **IN_PLAN), "On: in Pro"),
        (facts(decided(True, "owner")), "Off: it is in no plan or add-on of yours"),
        (facts(decided(False, "parent"), **IN_PLAN), "Off: your provider does not offer it"),
        (facts(decided(True, "parent"), **IN_PLAN), "On: in Pro"),
        (facts(decided(True, "parent")), "Off: it is in no plan or add-on of yours"),
        (facts(decided(True, "staff"), decided(False, "parent")), "Off: your provider does not offer it"),
        (
            facts(decided(False, "staff", note="bug", tenant=PLATFORM_ID), **IN_PLAN),
            "Off: switched off for everyone by Dana, 5 Nov 2026, «bug»",
        ),
        (facts(decided(True, "staff", tenant=PLATFORM_ID)), "Off: it is in no plan or add-on of yours"),
        (facts(tripped={"plain": TRIPPED}, **IN_PLAN), "Off: it kept failing: it broke"),
    ],
)
def test_of_a_tenants_plugin(known: Facts, why: str) -> None:
    found = effective.states({"plain": PLAIN}, known)["plain"]
    assert found.why == why
    assert found.on == why.startswith("On")


def test_the_breaker_alone_leaves_it_wanted() -> None:
    known = facts(tripped={"plain": TRIPPED}, **IN_PLAN)
    assert effective.states({"plain": PLAIN}, known)["plain"].wanted
    assert not effective.states({"plain": PLAIN}, facts(tripped={"plain": TRIPPED}))["plain"].wanted


def variant(**more: Any) -> Callable[[], Plugin]:
    return lambda: replace(PLAIN, **more)


@pytest.mark.parametrize(
    ("plugin", "known", "why"),
    [
        (variant(on_by_default=True), facts(), "On: for everyone"),
        (variant(on_by_default=True), facts(decided(False, "owner")), "Off: Dana, 5 Nov 2026"),
        (variant(level="reseller"), facts(**IN_PLAN), "Off: it is for resellers"),
        (variant(level="reseller"), facts(kind="reseller", **IN_PLAN), "On: in Pro"),
        (variant(level="platform"), facts(**IN_PLAN), "Off: staff have not switched it on"),
        (
            variant(level="platform"),
            facts(decided(True, "staff", tenant=PLATFORM_ID)),
            "On: Dana, 5 Nov 2026",
        ),
        (
            variant(level="platform"),
            facts(decided(False, "staff", tenant=PLATFORM_ID)),
            "Off: Dana, 5 Nov 2026",
        ),
        (variant(level="platform"), facts(decided(True, "owner")), "Off: staff have not switched it on"),
        (variant(level="platform", on_by_default=True), facts(), "On: for everyone"),
    ],
)
def test_of_other_levels(plugin: Callable[[], Plugin], known: Facts, why: str) -> None:
    assert effective.states({"plain": plugin()}, known)["plain"].why == why


def test_what_it_requires_must_be_on_too() -> None:
    base = replace(PLAIN, name="base")
    needy = replace(PLAIN, requires=("base",))
    both = {"base": base, "plain": needy}
    assert effective.states(both, facts(**IN_PLAN))["plain"].why == "Off: it needs base"
    granted = facts(entitlements={"plain": "Pro", "base": "Pro"})
    assert effective.states(both, granted)["plain"].why == "On: in Pro"
    assert effective.states({"plain": needy}, facts(**IN_PLAN))["plain"].why == "Off: it needs base"


def test_every_condition_is_listed_with_its_words() -> None:
    found = effective.states({"plain": PLAIN}, facts(decided(False, "owner"), **IN_PLAN))["plain"]
    assert [(c.name, c.holds) for c in found.conditions] == [
        ("installed", True), ("entitled", True), ("owner", False)
    ]  # fmt: skip
    assert all(c.words for c in found.conditions)
