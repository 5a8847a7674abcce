"""A hook of every section."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chom_sdk import Erasure, Exporting, Money, Turn, hookimpl, session, settings
from chom_sdk.billing import (
    DisputeGateway,
    DisputeQuery,
    Gateway,
    GatewayQuery,
    LineProposal,
    LinesQuery,
    PayoutGateway,
    PayoutQuery,
    PurchaseQuery,
    TaxAnswer,
    TaxQuery,
)
from chom_sdk.branding import Brand, BrandQuery
from chom_sdk.identity import Arrival
from chom_sdk.notifications import Channel, ChannelQuery
from chom_sdk.provisioning import (
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
from chom_sdk.ui import Column, PageSlot, Panel, ServiceListSlot, ServiceSlot

from . import driver, service
from .models import Note
from .schemas import BoxForm

#: Organisations the plugin was told of: what it would keep outside of its tables.
OUTSIDE: set[UUID] = set()
#: A currency of its own, so that it never meddles with real bills of other tests.
CURRENCY = "XTS"


@hookimpl
def billing_gateways(query: GatewayQuery) -> Gateway | None:
    """None takes the test currency."""
    return None


@hookimpl
def billing_payouts(query: PayoutQuery) -> PayoutGateway | None:
    """None pays out the test currency."""
    return None


@hookimpl
def billing_disputes(query: DisputeQuery) -> DisputeGateway | None:
    """It is nobody's gateway."""
    return None


@hookimpl
def billing_may_buy(query: PurchaseQuery) -> Refusal | None:
    """It forbids nothing."""
    return None


@hookimpl
def arrival_facts(arrival: Arrival) -> Mapping[str, str] | None:
    return {"from": "good"} if arrival.query.get("good") else None


@hookimpl
def provisioning_groups(query: GroupQuery) -> Sequence[ServiceGroup] | None:
    """It keeps no groups."""
    return ()


@hookimpl
def billing_tax(query: TaxQuery) -> TaxAnswer | None:
    from decimal import Decimal

    return TaxAnswer("Good tax", Decimal(10)) if query.currency == CURRENCY else None


@hookimpl
def billing_lines(query: LinesQuery) -> tuple[LineProposal, ...] | None:
    return (LineProposal("Good discount", Money(-100, CURRENCY)),) if query.currency == CURRENCY else None


@hookimpl
def branding_brand(query: BrandQuery) -> Brand | None:
    return Brand(name="Good looks") if query.host == "good.chom.test" else None


@hookimpl
def notifications_channels(query: ChannelQuery) -> Sequence[Channel] | None:
    return (driver.Pager(),)


@hookimpl
def provisioning_kinds(query: KindQuery) -> Sequence[ServiceKind] | None:
    return (ServiceKind("good_box", "Box", "Nothing in it.", "cube", "site", form=BoxForm),)


@hookimpl
def provisioning_drivers(query: KindQuery) -> Sequence[NodeDriver] | None:
    return (driver.Boxes(),)


@hookimpl
def provisioning_order_check(query: ServiceOrder) -> Refusal | None:
    refused = settings.read("good")["refuse"]
    return Refusal("Good says no.", "Choose another name.") if query.name in refused else None


@hookimpl
def provisioning_before_delete(query: DeleteQuery) -> Sequence[Consequence] | None:
    about = session().scalars(select(Note).where(Note.service_id == query.service_id)).all()
    return [Consequence(f"The note «{note.text}»") for note in about]


@hookimpl
def plugin_enabled(turn: Turn) -> None:
    """A first note, once."""
    OUTSIDE.add(turn.tenant_id)
    if not service.notes():
        session().add(Note(tenant_id=turn.tenant_id, text="Welcome"))


@hookimpl
def plugin_disabled(turn: Turn) -> None:
    OUTSIDE.discard(turn.tenant_id)


@hookimpl
def plugin_export(export: Exporting) -> Mapping[str, list[dict[str, Any]]] | None:
    return {"note": [{"id": str(note.id), "text": note.text} for note in service.notes()]}


@hookimpl
def plugin_erase_tenant(erasure: Erasure) -> None:
    OUTSIDE.discard(erasure.tenant_id)


@hookimpl
def slot_home(slot: PageSlot) -> Panel | None:
    return Panel("good/panel.html", {"place": "home", "notes": service.notes()})


@hookimpl
def slot_service_overview(slot: ServiceSlot) -> Panel | None:
    return Panel("good/panel.html", {"place": "service_overview", "notes": service.notes()})


@hookimpl
def slot_service_list_top(slot: ServiceListSlot) -> Panel | None:
    return Panel("good/panel.html", {"place": "service_list_top", "notes": []})


@hookimpl
def slot_service_list_column(slot: ServiceListSlot) -> Column | None:
    return Column("Noted", dict.fromkeys(slot.service_ids, "yes"))


@hookimpl
def filter_services(slot: ServiceListSlot) -> Collection[UUID] | None:
    if slot.query.get("noted") != "1":
        return None
    return {note.service_id for note in service.notes() if note.service_id}


@hookimpl
def slot_billing_overview(slot: PageSlot) -> Panel | None:
    return Panel("good/panel.html", {"place": "billing_overview", "notes": []})


@hookimpl
def slot_billing_credit(slot: PageSlot) -> Panel | None:
    return Panel("good/panel.html", {"place": "billing_credit", "notes": []})


@hookimpl
def slot_organisation(slot: PageSlot) -> Panel | None:
    return Panel("good/panel.html", {"place": "organisation", "notes": []})


@hookimpl
def slot_staff_today(slot: PageSlot) -> Panel | None:
    return Panel("good/panel.html", {"place": "staff_today", "notes": []})
