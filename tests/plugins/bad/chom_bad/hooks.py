"""Every hook asks `behaviour` what to do."""

from __future__ import annotations

from typing import Any

from chom_sdk import Turn, hookimpl
from chom_sdk.billing import LinesQuery, TaxQuery
from chom_sdk.branding import BrandQuery
from chom_sdk.provisioning import KindQuery, ServiceOrder
from chom_sdk.ui import PageSlot, Panel, ServiceListSlot, ServiceSlot

from . import behaviour


@hookimpl
def slot_home(slot: PageSlot) -> Any:
    return behaviour.misbehave()


@hookimpl
def slot_service_overview(slot: ServiceSlot) -> Any:
    """A panel whose template misbehaves while it is drawn."""
    return Panel("bad/panel.html", {"misbehave": behaviour.misbehave}) if behaviour.way else None


@hookimpl
def slot_service_list_column(slot: ServiceListSlot) -> Any:
    return behaviour.misbehave()


@hookimpl
def filter_services(slot: ServiceListSlot) -> Any:
    return behaviour.misbehave()


@hookimpl
def branding_brand(query: BrandQuery) -> Any:
    return behaviour.misbehave()


@hookimpl
def provisioning_kinds(query: KindQuery) -> Any:
    return behaviour.misbehave()


@hookimpl
def provisioning_order_check(query: ServiceOrder) -> Any:
    return behaviour.misbehave()


@hookimpl
def billing_tax(query: TaxQuery) -> Any:
    return behaviour.misbehave()


@hookimpl
def billing_lines(query: LinesQuery) -> Any:
    return behaviour.misbehave()


@hookimpl
def plugin_enabled(turn: Turn) -> None:
    behaviour.misbehave()
