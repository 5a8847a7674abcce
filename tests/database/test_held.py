"""What a unit of work keeps of those who sell and buy: until its transaction ends, and no longer."""

from __future__ import annotations

import gc

from chom_core.database import Tenant, held, restart, session, transaction
from tests.conftest import Database, make_tenant


def test_a_row_that_was_read_is_kept_until_the_transaction_ends(database: Database) -> None:
    tenant_id = make_tenant("Northlight")
    with transaction(tenant_id):
        assert held(Tenant, id=tenant_id) is None
        session().get_one(Tenant, tenant_id)
        gc.collect()
        found = held(Tenant, id=tenant_id)
        assert found is not None and found.name == "Northlight"
        assert held(Tenant, id=tenant_id, name="Somebody else") is None
        del found
        restart()
        session().connection()
        assert held(Tenant, id=tenant_id) is None
