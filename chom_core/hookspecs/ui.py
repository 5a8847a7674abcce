"""Slots: places on pages that plugins fill. A slot's name says where it is, never what for.

A slot that fails shows a card with the plugin's name to staff and admins, and nothing to everyone else.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from chom_core.hookspecs.marker import hook
from chom_core.values.ui import Column, PageSlot, Panel, ServiceListSlot, ServiceSlot


@hook()
def slot_home(slot: PageSlot) -> Panel | None:
    """The organisation's home page, in the grid of cards below the next steps."""


@hook()
def slot_service_overview(slot: ServiceSlot) -> Panel | None:
    """The overview tab of one service, beside its facts."""


@hook()
def slot_service_list_top(slot: ServiceListSlot) -> Panel | None:
    """Above the list of services: filters and groupings. The form's fields go into the list's query string."""


@hook()
def slot_service_list_column(slot: ServiceListSlot) -> Column | None:
    """A column of the list of services, answered once for the whole page."""


@hook()
def filter_services(slot: ServiceListSlot) -> Collection[UUID] | None:
    """The ids of services that the list may show under `slot.query`, or None where this plugin filters nothing."""


@hook()
def slot_billing_overview(slot: PageSlot) -> Panel | None:
    """The billing overview, below the estimate."""


@hook()
def slot_billing_credit(slot: PageSlot) -> Panel | None:
    """The credit page, below what credit was used for."""


@hook()
def slot_organisation(slot: PageSlot) -> Panel | None:
    """The organisation's settings page."""


@hook()
def slot_staff_today(slot: PageSlot) -> Panel | None:
    """The staff's first page: what needs a person today."""
