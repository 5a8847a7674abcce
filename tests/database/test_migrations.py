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
