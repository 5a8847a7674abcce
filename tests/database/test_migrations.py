"""The core's history makes exactly what the models declare, and can be taken back."""

from __future__ import annotations

from sqlalchemy import create_engine

from chom_core.embedded.postgres import Postgres
from chom_core.schema import core_history
from tests.conftest import Database


def test_migrations_and_models_agree(database: Database) -> None:
    owner = create_engine(database.owner)
    with owner.connect() as connection:
        assert core_history().differences(connection) == []
        assert core_history().current(connection) == core_history().head()
    owner.dispose()


def test_down_and_up_again(database: Database, postgres: Postgres) -> None:
    line = core_history()
    line.downgrade(database.owner)
    line.upgrade(database.owner)
    owner = create_engine(database.owner)
    with owner.connect() as connection:
        assert line.differences(connection) == []
    owner.dispose()


def test_an_upgrade_twice_changes_nothing(database: Database) -> None:
    core_history().upgrade(database.owner)
    core_history().upgrade(database.owner)


def test_how_far_was_looked_moves_along(database: Database) -> None:
    """0012: what stood in a column stands in rows, and the other way."""
    line, owner = core_history(), create_engine(database.owner)
    after, before = "01a22cda-8914-712d-ae21-26d06ba55baf", {"after": "01a22cda-8914-712d-ae21-26d06ba55baf"}
    line.downgrade(database.owner, "core_0010")
    with owner.begin() as connection:
        connection.exec_driver_sql(
            "insert into core.settlement (id, created_at, tenant_id, mode, currency, base, seat, share_percent, pool,"
            " anchor, billed_until, looked) select gen_random_uuid(), now(), gen_random_uuid(), 'share', 'USD', 0, 0,"
            " 20, '{}', now(), now(), looked::jsonb from unnest(%s::text[]) looked",
            ([f'{{"after": "{after}", "seen": ["{after}"]}}', "{}"],),
        )
    line.upgrade(database.owner)
    with owner.connect() as connection:
        rows = connection.exec_driver_sql("select purpose, after::text, seen from core.looked").all()
        assert rows == [("share", after, [after])]
    line.downgrade(database.owner, "core_0010")
    with owner.connect() as connection:
        kept = connection.exec_driver_sql("select looked from core.settlement order by looked <> '{}'").all()
        assert [row.looked for row in kept] == [{}, before | {"seen": [after]}]
    line.upgrade(database.owner)
    owner.dispose()
