"""The fence between organisations: row policies, the session's filter, roles, grants."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import String, create_engine, delete, func, insert, select, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import (
    PLATFORM_ID,
    AppendOnly,
    Encrypted,
    PlatformRow,
    ResellerRow,
    Tenant,
    TenantRow,
    acting_as,
    actor,
    after_commit,
    bind_tenant,
    everyone,
    plugin_models,
    restart,
    roles,
    session,
    tenancy,
    transaction,
    unit,
)
from chom_core.database.actor import ForeignWrite
from chom_core.values import NotFound, uuid7
from tests.conftest import Database, make_tenant

Base: Any = plugin_models("fence")


class Note(TenantRow, Base):
    __tablename__ = "note"
    text: Mapped[str] = mapped_column(String(80))
    secret: Mapped[str | None] = mapped_column(Encrypted)


class Entry(AppendOnly, TenantRow, Base):
    __tablename__ = "entry"
    amount: Mapped[int]


class Look(ResellerRow, Base):
    __tablename__ = "look"
    colour: Mapped[str]


class Shared(PlatformRow, Base):
    __tablename__ = "shared"
    text: Mapped[str]


@pytest.fixture(autouse=True)
def fenced(database: Database) -> None:
    owner = create_engine(database.owner)
    with owner.begin() as connection:
        connection.exec_driver_sql("create schema plugin_fence")
        Base.metadata.create_all(connection)
        tenancy.secure(connection, Base)
        tenancy.check(connection, Base)
    owner.dispose()


def write(tenant: UUID, words: str) -> UUID:
    with transaction(tenant) as here:
        note = Note(tenant_id=tenant, text=words)
        here.add(note)
    return note.id


def texts() -> list[str]:
    return list(session().scalars(select(Note.text).order_by(Note.text)))


def test_an_organisation_sees_its_own_rows_only(tenants: tuple[UUID, UUID]) -> None:
    one, two = tenants
    write(one, "mine"), write(two, "theirs")
    with transaction(one):
        assert texts() == ["mine"]
        raw = session().execute(text("select text from plugin_fence.note")).scalars().all()
        assert raw == ["mine"], "the policy must hold without the session's filter"
    with transaction():
        assert texts() == []


def test_the_sessions_filter_holds_without_the_policy(database: Database, tenants: tuple[UUID, UUID]) -> None:
    one, two = tenants
    write(one, "mine"), write(two, "theirs")
    owner = create_engine(database.owner)
    with owner.begin() as connection:
        connection.exec_driver_sql("alter table plugin_fence.note disable row level security")
    owner.dispose()
    with transaction(one):
        assert texts() == ["mine"]
        assert session().scalar(select(func.count()).select_from(Note)) == 1
        assert session().execute(update(Note).values(text="changed")).rowcount == 1  # type: ignore[attr-defined]
        assert session().execute(delete(Note)).rowcount == 1  # type: ignore[attr-defined]


def test_foreign_rows_cannot_be_written_or_moved(tenants: tuple[UUID, UUID]) -> None:
    one, two = tenants
    mine, theirs = write(one, "mine"), write(two, "theirs")
    with pytest.raises(ProgrammingError, match="row-level security"), transaction(one):
        session().execute(insert(Note).values(id=uuid7(), tenant_id=two, text="planted"))
    with pytest.raises(ProgrammingError, match="row-level security"), transaction(one):
        session().execute(update(Note).where(Note.id == mine).values(tenant_id=two))
    with transaction(one):
        changed = session().execute(
            text("update plugin_fence.note set text = 'x' where id = :i"), {"i": theirs}
        )
        assert changed.rowcount == 0  # type: ignore[attr-defined]


def test_staff_see_everyone_and_the_reason_is_told(tenants: tuple[UUID, UUID]) -> None:
    write(tenants[0], "a"), write(tenants[1], "b")
    told: list[str] = []
    unit.everyone_listeners.append(told.append)
    try:
        with everyone("a look at both"):
            assert texts() == ["a", "b"]
    finally:
        unit.everyone_listeners.remove(told.append)
    assert told == ["a look at both"]


def test_nothing_of_an_organisation_stays_on_the_connection(tenants: tuple[UUID, UUID]) -> None:
    write(tenants[0], "mine")
    for _ in range(20):
        with transaction(tenants[0]):
            assert texts() == ["mine"]
        with transaction():
            assert texts() == []


def test_a_unit_keeps_its_organisation(tenants: tuple[UUID, UUID]) -> None:
    with transaction():
        bind_tenant(tenants[0])
        with pytest.raises(RuntimeError, match="keeps its organisation"):
            bind_tenant(tenants[1])
    with pytest.raises(NotFound), transaction(uuid7()):
        session().execute(select(Note))


def test_append_only_rows_stay(tenants: tuple[UUID, UUID]) -> None:
    with transaction(tenants[0]) as here:
        here.add(Entry(tenant_id=tenants[0], amount=5))
    for statement in (update(Entry).values(amount=6), delete(Entry)):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction(tenants[0]) as here:
            here.execute(statement)


def test_a_resellers_rows_are_read_by_its_customers_and_written_by_itself() -> None:
    reseller = make_tenant("Brightside", kind="reseller")
    customer = make_tenant("Shop", parent=reseller)
    stranger = make_tenant("Other")
    with transaction(reseller) as here:
        here.add(Look(reseller_id=reseller, colour="red"))
    for who, seen in ((reseller, ["red"]), (customer, ["red"]), (stranger, []), (PLATFORM_ID, [])):
        with transaction(who) as here:
            assert list(here.scalars(select(Look.colour))) == seen
    with pytest.raises(ProgrammingError, match="row-level security"), transaction(customer) as here:
        here.execute(insert(Look).values(id=uuid7(), reseller_id=reseller, colour="blue"))


def test_secrets_are_encrypted_and_keys_rotate(tenants: tuple[UUID, UUID]) -> None:
    from cryptography.fernet import Fernet

    from chom_core.database import encrypted
    from tests.conftest import KEY

    with transaction(tenants[0]) as here:
        here.add(Note(tenant_id=tenants[0], text="t", secret="hunter2"))
    with transaction(tenants[0]) as here:
        stored = here.execute(text("select secret from plugin_fence.note")).scalar()
        assert b"hunter2" not in bytes(stored)
    new = Fernet.generate_key().decode()
    encrypted.configure([new, KEY])
    with everyone("key rotation") as here:
        assert encrypted.rotate(here, Base) == 1
    encrypted.configure([new])
    with transaction(tenants[0]) as here:
        assert here.scalar(select(Note.secret)) == "hunter2"


def test_a_table_without_a_tenancy_is_refused(database: Database) -> None:
    loose: Any = plugin_models("loose")
    type("Loose", (loose,), {"__tablename__": "loose", "id": mapped_column(String, primary_key=True)})
    with pytest.raises(tenancy.Undeclared, match="Loose declares no tenancy"):
        tenancy.fenced(loose)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("alter table plugin_fence.note disable row level security", "no row security"),
        ("create policy escape on plugin_fence.note to chom_app using (true)", "other policies"),
        ("drop policy tenant on plugin_fence.note", "other policies"),
        ("grant truncate on plugin_fence.note to chom_app", "other rights"),
        ("grant update on plugin_fence.entry to chom_app", "other rights"),
        ("create table plugin_fence.extra(id int)", "no model declares it"),
        ("create view plugin_fence.peek as select * from plugin_fence.note", "is a view"),
        (
            "alter table plugin_fence.note add foreign key (tenant_id) references core.tenant(id)",
            "crosses a schema",
        ),
    ],
)
def test_the_check_finds_every_hole(database: Database, damage: str, complaint: str) -> None:
    owner = create_engine(database.owner)
    with owner.begin() as connection:
        connection.exec_driver_sql(damage)
        with pytest.raises(tenancy.Undeclared, match=complaint):
            tenancy.check(connection, Base)
    owner.dispose()


def test_the_application_role_is_fit_and_others_are_not(database: Database) -> None:
    for url, fit in ((database.app, True), (database.owner, False), (database.root, False)):
        engine = create_engine(url)
        with engine.connect() as connection:
            assert (roles.faults(connection) == []) is fit
        engine.dispose()


class TestActor:
    """A plugin writes its own schema only."""

    @pytest.mark.parametrize(
        "statement",
        [
            insert(Tenant).values(id=uuid7(), name="x", slug="x", kind="customer", parent_id=PLATFORM_ID),
            update(Tenant).values(name="x"),
            delete(Tenant),
            select(update(Tenant).values(name="x").returning(Tenant.id).cte()),
        ],
    )
    def test_core_tables_are_refused(self, database: Database, statement: Any) -> None:
        with transaction() as here, acting_as("fence"), pytest.raises(ForeignWrite):
            here.execute(statement)

    def test_flushes_are_seen(self, tenants: tuple[UUID, UUID]) -> None:
        with transaction() as here, acting_as("fence"):
            here.get_one(Tenant, tenants[0]).name = "stolen"
            with pytest.raises(ForeignWrite):
                here.flush()
            here.rollback()

    def test_its_own_tables_are_its_own(self, tenants: tuple[UUID, UUID]) -> None:
        with acting_as("fence"):
            write(tenants[0], "mine")

    def test_reading_hooks_do_not_write_even_those(self, tenants: tuple[UUID, UUID]) -> None:
        with acting_as("fence", writes=False), pytest.raises(ForeignWrite, match="only reads"):
            write(tenants[0], "mine")


def test_what_the_core_left_to_do_after_a_commit_is_done_as_the_core() -> None:
    """A feature's view that commits on its way must not do the core's errands as the feature."""
    who: list[str] = []
    with transaction():
        after_commit(lambda: who.append(actor()))
        with acting_as("fence"):
            restart()
            assert actor() == "fence"
    assert who == ["core"]
