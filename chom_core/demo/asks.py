"""What the demo's people set up in features, by the features' own API: the core knows none of them by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from chom_core.database import Tenant, transaction
from chom_core.demo.company import Company, Wanted
from chom_core.identity import service as identity
from chom_core.values.errors import ChomError
from chom_core.values.principal import SYSTEM, Role

#: Sends a body to a path with these headers: the answer's status.
Send = Callable[[str, Mapping[str, Any], dict[str, str]], int]
#: What counts as done: it is there now, or was before. A feature that is not installed has no address.
FINE = frozenset({200, 201, 204, 404, 409})


def ask(company: Company, send: Send) -> None:
    """Whatever organisations ask for. Again: the keys are the same, so nothing is asked for twice."""
    for wanted in company.organisations:
        if wanted.asks:
            _ask(wanted, send)


def _ask(wanted: Wanted, send: Send) -> None:
    with transaction() as here:
        tenant_id = here.scalars(select(Tenant.id).where(Tenant.name == wanted.name)).one()
    with transaction(tenant_id, SYSTEM):
        key = identity.create_api_key("The demo", role=Role.ADMIN)
    try:
        for place, item in enumerate(wanted.asks):
            headers = {"Authorization": f"Bearer {key.secret}", "Idempotency-Key": f"demo-{place}"}
            status = send(item["path"], item["body"], headers)
            if status not in FINE:
                raise ChomError(f"{wanted.name} asked {item['path']}, which answered {status}.")
    finally:
        with transaction(tenant_id, SYSTEM):
            identity.revoke_api_key(key.row.id)
