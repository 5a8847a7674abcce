"""The debtor, the house's handlers and schedules, and a mail server that takes everything."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from chom_core import config
from chom_core.database import clock, transaction
from chom_core.identity.models import Membership, Person
from chom_core.notifications import smtp
from chom_core.work import stand, subscribe
from chom_core.work.events import registered
from tests.billing.dunning.scene import START, Debtor
from tests.conftest import KEY, Database


@pytest.fixture
def house(shop: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = config._current
    config.use(config.Settings(shop.app, "redis://127.0.0.1:9/0", (KEY,), public_url="https://panel.example"))
    monkeypatch.setattr(smtp, "send", lambda server, mail: None)
    with transaction():
        subscribe(None, registered(None))
    yield
    config._current = before


@pytest.fixture
def debtor(house: None, buyer: UUID) -> Debtor:
    with transaction() as here:
        mara = Person(email="mara@people.example", name="Mara", email_verified_at=clock.now())
        here.add(mara)
        here.flush()
        here.add(Membership(person_id=mara.id, tenant_id=buyer, role="owner"))
    stand(buyer, START)
    return Debtor(buyer)
