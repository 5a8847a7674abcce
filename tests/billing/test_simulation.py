"""A small company over three months: the books are right, and the same seed gives the same ledger, stopped or not, by
one process or by two."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from chom_core import config, setup
from chom_core.billing.models import WholesaleStatement
from chom_core.database import engine, everyone
from chom_core.identity import options
from chom_core.plugin_host import gate
from chom_core.simulation import crew
from chom_core.simulation.cast import cast
from chom_core.simulation.run import Simulation
from chom_core.simulation.script import month
from chom_core.values import uuid7
from chom_core.values.errors import Refused
from tests.billing.conftest import _copy
from tests.billing.shop import books_are_right
from tests.conftest import Database, make_tenant

UNTIL = datetime(2026, 10, 1, tzinfo=UTC)
SEED = 7
KEY = Fernet.generate_key().decode()


@pytest.fixture
def quick_passwords(shop: Database) -> Iterator[None]:
    before = config._current
    config.use(
        config.Settings(shop.app, "redis://127.0.0.1:9/0", (KEY,))
    )  # no demo: the guard looks who is here
    options.configure(options.Settings(argon2_memory_kib=1024, argon2_passes=1))
    yield
    options.configure(None)
    config._current = before


def simulation(months: int = 3, tenants: int = 6, **more: object) -> Simulation:
    setup.register_core()
    return Simulation(SEED, months, tenants, UNTIL, **more)  # type: ignore[arg-type]


def test_a_seed_draws_the_same_people_and_acts() -> None:
    actors = cast(SEED, 24, 90)
    assert actors == cast(SEED, 24, 90) != cast(SEED + 1, 24, 90)
    assert sum(actor.parent is not None for actor in actors) == 30
    assert {actors[actor.parent].kind for actor in actors if actor.parent is not None} == {"reseller"}
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    for actor in actors:
        acts = month(actor, 5, start, end, 24)
        assert acts == month(actor, 5, start, end, 24)
        assert [act.at for act in acts] == sorted(act.at for act in acts)
        assert all(start <= act.at < end for act in acts)
        assert len({act.key for act in acts}) == len(acts)


def test_the_books_are_right_and_the_same_seed_is_the_same_ledger(
    shop: Database, shop_template: str, quick_passwords: None
) -> None:
    whole = simulation().run()
    books_are_right()
    assert whole["simulate"] == "done" and whole["tenants"] == 6 and whole["jobs_failed"] == 0
    assert whole["invoices"] >= 8 and whole["payments"] >= 6 and whole["usage_events"] > 50
    with everyone("test: what its reseller owes") as here:
        settled = here.scalars(select(WholesaleStatement).order_by(WholesaleStatement.period_start)).all()
    assert len(settled) == 2 and settled[-1].seats > 0 and all(one.invoice_id for one in settled)
    assert simulation().run()["ledger_hash"] == whole["ledger_hash"], "what is over is not done again"

    other = Database(f"s_again_{uuid7().hex[-8:]}", shop.server)
    _copy(other, shop_template)
    bound = engine.configure(other.app)
    gate.forget()
    looks = itertools.count()
    stopped = simulation(stopping=lambda: next(looks) == 5).run()
    assert stopped["simulate"] == "stopped" and stopped["ledger_hash"] != whole["ledger_hash"]
    again = simulation(processes=2).run()
    books_are_right()
    bound.dispose()
    same = {name: value for name, value in again.items() if name != "seconds"}
    assert same == {name: value for name, value in whole.items() if name != "seconds"}


def test_a_crew_shares_whole_families_evenly() -> None:
    actors = cast(SEED, 24, 90)
    dealt = crew.shares(actors, 24, 4)
    assert sorted(one.number for share in dealt for one in share) == [one.number for one in actors]
    for share in dealt:
        numbers = [one.number for one in share]
        assert numbers == sorted(numbers)
        assert {one.parent for one in share if one.parent is not None} <= set(numbers)
    months = [sum(24 - one.joins for one in share) for share in dealt]
    assert max(months) < 1.3 * min(months)
    assert crew.shares(actors[:1], 24, 4) == [actors[:1]]


def test_it_refuses_where_somebody_is_real(shop: Database, quick_passwords: None) -> None:
    make_tenant("Northlight")
    with pytest.raises(Refused, match="1 organisations that no simulation made"):
        simulation(1, 1).run()


def test_chance_is_each_actors_own() -> None:
    one, two = cast(SEED, 3, 2)
    assert one.random("x").random() == one.random("x").random() != two.random("x").random()
    assert isinstance(one.random("x"), Random)
