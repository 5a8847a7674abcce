"""Ordering a service."""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Mapping
from typing import Any

from chom_core.database import session
from chom_core.provisioning import lifecycle, names, nodes
from chom_core.provisioning.funding import funding
from chom_core.provisioning.models import Service
from chom_core.provisioning.service.base import admitted, kind_of, queue, tenant, title_of, validated
from chom_core.values.errors import Invalid
from chom_core.values.ids import uuid7
from chom_core.values.provisioning import Funding, OperationInfo, ServiceOrder


def create_service(
    *, kind: str, name: str, title: str = "", settings: Mapping[str, Any] | None = None
) -> OperationInfo:
    """Order a service and queue its building. Returns the operation; its `service_id` is the new service.

    Raises Invalid (fields), Refused (an order check said no), PaymentRequired (nobody pays), Unavailable (no room).
    Nothing is written then.
    """
    found = kind_of(kind)
    plain, hidden = validated(found, settings or {})
    name = name.strip().lower()
    words = names.problem(name)
    if words:
        raise Invalid(fields={"name": [words]})
    order = ServiceOrder(tenant(), kind, found.family, name, plain)
    paid = admitted(order)
    service_id = uuid7()
    names.claim(name, service_id)
    service = Service(
        id=service_id,
        tenant_id=tenant(),
        kind=kind,
        family=found.family,
        name=name,
        title=title_of(title),
        status="pending",
        node_id=nodes.place(kind).id,
        marker=random.token_hex(16),
        settings=plain,
        facts={},
        secrets=json.dumps(hidden) if hidden else None,
        paid_by=paid.reference,
    )
    session().add(service)
    session().flush()
    lifecycle.announce(service, None)
    return queue(service, "create")


def order_words(kind: str, name: str = "", settings: Mapping[str, Any] | None = None) -> Funding:
    """What an order would cost and whether it may be placed, for the order page. Writes nothing."""
    found = kind_of(kind)
    return funding(ServiceOrder(tenant(), kind, found.family, name, dict(settings or {})))
