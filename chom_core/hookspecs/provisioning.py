"""Provisioning hooks: what can be ordered, who builds it, who may refuse, what a deletion takes along."""

from __future__ import annotations

from collections.abc import Sequence

from chom_core.hookspecs.marker import hook
from chom_core.values.provisioning import (
    Consequence,
    DeleteQuery,
    GroupQuery,
    KindQuery,
    NodeDriver,
    Refusal,
    ServiceGroup,
    ServiceKind,
    ServiceOrder,
)


@hook()
def provisioning_kinds(query: KindQuery) -> Sequence[ServiceKind] | None:
    """The kinds of service that this plugin adds to the order page, with their form, actions and links.

    Asked when the order page is shown, when an order comes in, and for every page of services. Two plugins with
    one name: the first in plugin order wins. A kind is offered where some active driver builds it.
    """


@hook(fail="closed")
def provisioning_drivers(query: KindQuery) -> Sequence[NodeDriver] | None:
    """The node drivers of this plugin: objects that build services. The core calls them from jobs.

    Fails closed: an operation whose driver cannot be asked waits and says so.
    """


@hook(fail="closed")
def provisioning_order_check(query: ServiceOrder) -> Refusal | None:
    """May this service be ordered? Answer a refusal with its reason and its way out, or None.

    For budgets and approvals. Asked before anything is written; the first refusal is shown.
    """


@hook()
def provisioning_before_delete(query: DeleteQuery) -> Sequence[Consequence] | None:
    """What deleting this service means: what depends on it, goes, stays until when, stops being billed.

    Asked when the delete page is shown, and again over the API.
    """


@hook()
def provisioning_groups(query: GroupQuery) -> Sequence[ServiceGroup] | None:
    """Groups of services that this plugin keeps (projects), so that others can speak of a group without knowing it.

    Asked by budgets and reports, through `chom_sdk.provisioning.service_groups()`.
    """
