"""What the toy answers. Tests put refusals and consequences into the two lists."""

from __future__ import annotations

from collections.abc import Sequence

from marshmallow import Schema, fields, validate

from chom_core.hookspecs import hookimpl
from chom_core.values.provisioning import (
    Consequence,
    DeleteQuery,
    KindQuery,
    NodeDriver,
    Refusal,
    ServiceAction,
    ServiceKind,
    ServiceLink,
    ServiceOrder,
)
from tests.provisioning.toy.driver import ToyDriver

refusals: list[Refusal] = []
consequences: list[Consequence] = []


class ToyForm(Schema):
    """The order's fields."""

    colour = fields.String(load_default="blue", validate=validate.OneOf(["blue", "red"]))
    fail_at = fields.String(load_default="")
    password = fields.String(metadata={"secret": True})


KIND = ServiceKind(
    name="toy",
    title="Toy site",
    description="A folder with a marker.",
    icon="cube",
    family="site",
    form=ToyForm,
    actions=(ServiceAction("paint", "Paint"),),
    links=(ServiceLink("Open", "url"),),
)


@hookimpl
def provisioning_kinds(query: KindQuery) -> Sequence[ServiceKind]:
    return [KIND]


@hookimpl
def provisioning_drivers(query: KindQuery) -> Sequence[NodeDriver]:
    return [ToyDriver()]


@hookimpl
def provisioning_order_check(query: ServiceOrder) -> Refusal | None:
    return refusals[0] if refusals else None


@hookimpl
def provisioning_before_delete(query: DeleteQuery) -> Sequence[Consequence]:
    return list(consequences)
