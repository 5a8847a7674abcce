"""What a reseller's customers owe it, over the API: the list, each ladder, and what it decides about one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from chom_core.billing.api.base import api
from chom_core.billing.pages.base import own_reseller
from chom_core.billing.reads import dunning as reads
from chom_core.billing.schemas import selling as schemas
from chom_core.billing.service.dunning import desk
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import customers
from chom_core.database import PLATFORM_ID, here
from chom_core.rest.idempotency import key_digest

_AT = "/selling/unpaid/<uuid:customer_id>/<uuid:owed_id>"


@api.get("/selling/unpaid", scope="billing:read", out=schemas.CustomerUnpaidSchema, many=True)
def customers_unpaid() -> Any:
    """Invoices that a reseller's customers are being asked for, the furthest first."""
    sellers.must_sell()
    return reads.customers_unpaid() if here() != PLATFORM_ID else []


@api.get(_AT, scope="billing:read", out=schemas.CustomerLadderSchema)
def customer_unpaid(customer_id: UUID, owed_id: UUID) -> Any:
    """One of them with what was done for it, oldest first. `owed_id` is the `info.id` of the list."""
    own_reseller()
    with customers.looking(customer_id) as customer:
        return _ladder(customer.id, customer.name, owed_id)


@api.post(
    f"{_AT}/retry", scope="billing:write", into=schemas.RetrySchema, out=schemas.CustomerLadderSchema, status=200
)  # fmt: skip
def customer_unpaid_retry(body: dict[str, Any], customer_id: UUID, owed_id: UUID) -> Any:
    """Have the card asked now, by a job: the same `attempt` again asks nobody. 409 where the platform sells."""
    return _decided(customer_id, owed_id, lambda: desk.retry_now(owed_id, body["attempt"]))


@api.post(
    f"{_AT}/extend", scope="billing:write", into=schemas.ExtendSchema, out=schemas.CustomerLadderSchema, status=200
)  # fmt: skip
def customer_unpaid_extend(body: dict[str, Any], customer_id: UUID, owed_id: UUID) -> Any:
    """Put the suspension off, from its date or from today where that is past. 409 where the platform sells."""
    key = key_digest()
    return _decided(customer_id, owed_id, lambda: desk.extend(owed_id, body["days"], body["reason"], key))


@api.post(
    f"{_AT}/waive", scope="billing:write", into=schemas.WaiveSchema, out=schemas.CustomerLadderSchema, status=200
)  # fmt: skip
def customer_unpaid_waive(body: dict[str, Any], customer_id: UUID, owed_id: UUID) -> Any:
    """Let the customer off: a credit note takes off what is due; done once. 409 where the platform sells."""
    return _decided(customer_id, owed_id, lambda: desk.waive(owed_id, body["reason"]))


def _decided(customer_id: UUID, owed_id: UUID, decision: Callable[[], object]) -> Any:
    """Take it in the customer's unit, and answer with the ladder as it is then."""
    own_reseller()
    with customers.deciding(customer_id) as customer:
        decision()
        return _ladder(customer.id, customer.name, owed_id)


def _ladder(customer_id: UUID, name: str, owed_id: UUID) -> dict[str, Any]:
    """In the customer's unit."""
    info, steps = reads.ladder(owed_id)
    return {"customer_id": customer_id, "customer": name, "info": info, "steps": steps}
