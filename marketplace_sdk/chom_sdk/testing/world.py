"""A CHOM to test a plugin in: its app, its organisations, and clients for every role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from unittest.mock import patch
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from chom_core.billing.models import PaymentMethod
from chom_core.database import PLATFORM_ID, Tenant, clock, transaction
from chom_core.identity.models import Membership, Person
from chom_core.identity.service import create_api_key, open_session
from chom_core.notifications import smtp
from chom_core.plugin_host import gate, lifecycle, registry
from chom_core.provisioning import funding
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.values.principal import Principal, Role, StaffRole
from chom_core.work import advance, run_all, stand
from chom_sdk.testing import samples
from chom_sdk.testing.server import Server


@dataclass
class Organisation:
    """An organisation with a person of every role."""

    world: World
    id: UUID
    name: str
    people: dict[Role, UUID] = field(default_factory=dict)
    _clients: dict[object, FlaskClient] = field(default_factory=dict)
    _keys: dict[object, str] = field(default_factory=dict)

    def enable(self, plugin: str, note: str = "in a test") -> None:
        """Switch the plugin on for this organisation, as staff; one of platform level for everyone."""
        level = registry.loaded[plugin].plugin.level
        with self.world.staff():
            gate.switch(
                PLATFORM_ID if level == "platform" else self.id, plugin, on=True, by="staff", note=note
            )

    def disable(self, plugin: str) -> None:
        with self.world.staff():
            gate.switch(self.id, plugin, on=False, by="staff")

    @contextmanager
    def acting(self, role: Role = Role.OWNER) -> Iterator[Session]:
        """A unit of work as a person of this organisation."""
        who = Principal("person", self.people[role], self.id, role, name=f"{role.value} of {self.name}")
        with transaction(self.id, who) as here:
            yield here

    def client(self, role: Role = Role.OWNER) -> FlaskClient:
        """A browser logged in as `role`. It sends no CSRF token by itself; `post` does."""
        if role not in self._clients:
            self._clients[role] = self.world.browser(self.people[role], self.id)
        return self._clients[role]

    def post(self, url: str, data: dict[str, Any] | None = None, role: Role = Role.OWNER) -> Any:
        """Post a form as a browser would, with the token of a page."""
        client = self.client(role)
        return client.post(url, data={**(data or {}), "csrf_token": self.world.csrf(client)})

    def key(self, role: Role = Role.ADMIN, scopes: tuple[str, ...] = ()) -> str:
        """An API key of that role; without scopes it may do all that the role may. A key is never an owner."""
        if (role, scopes) not in self._keys:
            with self.acting(Role.OWNER):
                self._keys[role, scopes] = create_api_key("test", role=role, scopes=scopes).secret
        return self._keys[role, scopes]

    def api(self, method: str, path: str, role: Role = Role.ADMIN, **options: Any) -> Any:
        """Call `/api/v1` + path with a key of `role`."""
        headers = {"Authorization": f"Bearer {self.key(role)}", **options.pop("headers", {})}
        return self.world.app.test_client().open("/api/v1" + path, method=method, headers=headers, **options)

    def service(self, name: str, **facts: Any) -> UUID:
        """A standing service; `price=Money(…)`, `period=` give it a plan of its own (samples.service)."""
        return samples.service(self, name, **facts)

    def credit(self, money: Money) -> None:
        """Account credit is given to the organisation."""
        samples.credit_of(self, money)

    def invoice(self, money: Money, service_id: UUID | None = None) -> UUID:
        """A finalised invoice (for a service, where named); account credit pays it as far as it goes."""
        return samples.invoice(self, money, service_id)

    def card(self, number: str = "4242424242424242") -> None:
        """A test card of the sandbox gateway on file, entered as a person would."""
        answer = self.post("/billing/methods", {"test_card": number})
        assert answer.status_code == 303, answer.text

    def delete_service(self, service_id: UUID) -> None:
        """The service is deleted, and `service.deleted` is said; `run_jobs` delivers it."""
        samples.delete_service(self, service_id)

    def erase(self) -> None:
        """The organisation is erased from every plugin."""
        with self.acting():
            lifecycle.erase_tenant(self.id)

    def move_clock(self, to: datetime) -> None:
        """Let time pass for this organisation: what falls due runs, in order."""
        with transaction() as here:
            standing = here.scalar(select(Tenant.clock_at).where(Tenant.id == self.id))
        if standing is None:
            stand(self.id, clock.machine())
        with self.world.posting():
            advance(self.id, to)


class World:
    """One CHOM on one fresh database."""

    def __init__(self, server: Server, database: str) -> None:
        self.server = server
        self.database = database
        #: What a mail server would have got: `.to`, `.subject`, `.text`, `.html`.
        self.mails: list[smtp.Outgoing] = []

    @cached_property
    def app(self) -> Flask:
        return self.server.app(self.database)

    @contextmanager
    def staff(self, role: StaffRole = StaffRole.ADMIN) -> Iterator[Session]:
        """A unit of work as a member of staff."""
        with transaction(principal=Principal("person", staff_role=role, name="Dana")) as here:
            yield here

    @cached_property
    def staff_client(self) -> FlaskClient:
        """A browser of an admin of the platform."""
        with transaction() as here:
            person = self._person(here, "dana@chom.test", "Dana", Role.ADMIN, PLATFORM_ID)
        return self.browser(person, PLATFORM_ID)

    def organisation(self, name: str, *, parent: UUID = PLATFORM_ID, kind: str = "customer") -> Organisation:
        """A new organisation with one person for each role."""
        with transaction() as here:
            slug = f"{re.sub('[^a-z]', '-', name.lower())}-{uuid7().hex[-6:]}"
            row = Tenant(name=name, slug=slug, kind=kind, parent_id=parent)
            here.add(row)
            here.flush()
            made = Organisation(self, row.id, name)
            for role in Role:
                made.people[role] = self._person(
                    here, f"{role}@{slug}.test", f"{role} of {name}", role, row.id
                )
            gate.refresh(row.id)
        return made

    def _person(self, here: Session, email: str, name: str, role: Role, tenant_id: UUID) -> UUID:
        person = Person(email=email, name=name, password_hash="", email_verified_at=clock.machine())
        here.add(person)
        here.flush()
        here.add(Membership(person_id=person.id, tenant_id=tenant_id, role=role))
        return person.id

    def join(self, one: Organisation, other: Organisation) -> None:
        """The owner of `one` is a member of `other` too."""
        with transaction() as here:
            here.add(Membership(person_id=one.people[Role.OWNER], tenant_id=other.id, role=Role.MEMBER))

    def share_a_card(self, *organisations: Organisation) -> None:
        """The same card at the gateway is on file in each of them."""
        for one in organisations:
            with transaction(one.id) as here:
                row = PaymentMethod(
                    tenant_id=one.id, gateway="sample", reference="the-same-card", brand="Visa", last4="4242",
                    expiry_month=12, expiry_year=2099,
                )  # fmt: skip
                here.add(row)

    def browser(self, person_id: UUID, tenant_id: UUID | None) -> FlaskClient:
        """A browser with that person's session cookie."""
        with transaction() as here:
            opened = open_session(here.get_one(Person, person_id), tenant_id=tenant_id)
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie["token"] = opened.token
        return client

    def csrf(self, client: FlaskClient) -> str:
        """The form token of a page that `client` may open."""
        page = client.get("/me").text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        if found is None:
            raise AssertionError(f"no form token on /me: {page[:400]}")
        return found[1]

    def run_jobs(self, *, reraise: bool = True) -> int:
        """Run every job that is due, in this process; an error in one is raised here, or leaves it for a later try.

        What would go to a mail server goes into `mails`.
        """
        with self.posting():
            return run_all(reraise=reraise)

    @contextmanager
    def posting(self) -> Iterator[None]:
        """While the block runs, what would go to a mail server goes into `mails`."""
        with patch.object(smtp, "send", lambda server, mail: self.mails.append(mail)):
            yield

    @contextmanager
    def everything_paid(self) -> Iterator[None]:
        """While the block runs, every order of a service is admitted: for tests of what is built."""
        before = funding._payer
        funding.unregister()
        try:
            yield
        finally:
            funding._payer = before
