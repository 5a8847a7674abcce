"""Who calls, and what there is to be called: four organisations, each with one of everything and its own canary."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select

from chom_core.audit import Subject, record
from chom_core.billing.models import Invoice, InvoiceLine, PaymentMethod, Subscription
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.offers import catalogue
from chom_core.database import PLATFORM_ID, clock, transaction
from chom_core.identity.models import ApiKey, Invitation, LoginSession
from chom_core.identity.service import create_api_key, invite, revoke_api_key
from chom_core.notifications.models import MailMessage, Notification
from chom_core.plugin_host import gate, registry
from chom_core.provisioning.models import Drift, Operation, OperationLine, OperationStep, Service
from chom_core.values import Money, uuid7
from chom_core.values.principal import Role
from chom_core.work.models import ScheduleRow
from chom_sdk.testing import Organisation, World
from chom_sdk.testing.surfaces import Call
from tests.harness import matrix_money
from tests.harness import matrix_samples as samples

Kind = Literal["anonymous", "person", "key", "revoked", "staff"]


@dataclass
class Home:
    """An organisation of the matrix: `canary` is in every text of it, `ids` fills the arguments of routes. `seller`:
    the reseller whose customer it is.
    """

    organisation: Organisation
    canary: str
    ids: dict[str, Any] = field(default_factory=dict)
    people: frozenset[str] = frozenset()
    seller: Home | None = None

    @property
    def id(self) -> UUID:
        return self.organisation.id


@dataclass
class Caller:
    """Somebody who calls, with what proves it. `role` and `staff` are facts of the world, not of the app's code."""

    name: str
    kind: Kind
    home: Home | None
    role: Role | None = None
    staff_admin: bool = False
    scopes: tuple[str, ...] = ()
    #: In which organisations' names and ids it calls: its own first.
    targets: tuple[Home, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def call(self, client: FlaskClient, call: Call, json: Any, form: dict[str, str]) -> Any:
        """Send it, as a program or as a browser."""
        options: dict[str, Any] = {"method": call.method, "headers": self.headers, "buffered": True}
        if call.method in ("GET", "HEAD", "OPTIONS"):
            return client.open(call.url, **options)
        if call.is_api:
            return client.open(call.url, json=json, **options)
        return client.open(call.url, data={**form, "csrf_token": self.csrf}, **options)


class Matrix:
    """The world of one run."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.seed = seed
        self.shared: dict[str, Any] = {
            "plan": "pro", "kind": "good_box", "name": "projects", "action": "restart", "token": "none",
            "reference": "none", "filename": "chom.css", "ending": "void", "code": "pro",
        }  # fmt: skip
        self.platform()
        self.shared["coupon_id"] = matrix_money.coupon(PLATFORM_ID, "Spring")
        with transaction() as here:
            self.shared["schedule_id"] = here.scalars(select(ScheduleRow.id)).first()
        a, b = self.home("Northlight"), self.home("Pinecrest")
        reseller = self.home("Agency", kind="reseller")
        with transaction(reseller.id):
            catalogue.seed_catalogue(legal_name="An agency")
        below = self.home("Shop", parent=reseller.id)
        below.seller = reseller
        self.homes = (a, b, reseller, below)
        for home in self.homes:
            for plugin in samples.of_each():
                home.organisation.enable(plugin)
        for home in self.homes:
            self.furnish(home)
            home.ids |= {"customer_id": a.id, "owed_id": home.ids["dunning_id"]}
        reseller.ids |= {"customer_id": below.id, "owed_id": below.ids["dunning_id"]}
        self.callers = list(self._callers(a, b, reseller, below))

    def platform(self) -> None:
        with self.world.staff():
            for plugin in registry.loaded:
                gate.switch(PLATFORM_ID, plugin, on=True, by="staff")

    def home(self, name: str, *, kind: str = "customer", parent: UUID = PLATFORM_ID) -> Home:
        canary = f"canary-{name.lower()}-{secrets.token_hex(4)}"
        made = self.world.organisation(canary, kind=kind, parent=parent)
        return Home(made, canary, people=frozenset(map(str, made.people.values())))

    def furnish(self, home: Home) -> None:
        """One of everything, with the canary wherever words fit."""
        of, canary = home.organisation, home.canary
        ids = home.ids
        ids["service_id"] = of.service(canary, price=Money.of("9.00", "USD"), title=canary)
        ids |= {"tenant_id": of.id, "organisation_id": of.id, "person_id": of.people[Role.VIEWER]}
        from chom_good import service as notes

        for plugin in registry.loaded:
            ids |= samples.fill(plugin, of, canary)
        with of.acting(Role.OWNER) as here:
            ids["good.note_id"] = notes.write(canary, ids["service_id"]).id
            ids["key_id"] = create_api_key(canary, role=Role.VIEWER).row.id
            ids["invitation_id"] = invite(f"{canary}@chom.test", Role.MEMBER).id
            record("matrix.planted", Subject("thing", of.id, canary), after={"canary": canary})
            ids |= self._rows(here, home)
            ids |= matrix_money.fill(here, of, canary, ids)
            item = here.scalars(select(Service).where(Service.id == ids["service_id"])).one()
            item.facts = {"url": f"http://{canary}.chom.test/"}
        ids |= matrix_money.resold(of, canary)
        with transaction() as here:
            mail = MailMessage(
                tenant_id=of.id, type="identity.reset", to=f"{canary}@chom.test", to_name=canary, sender=canary,
                subject=canary, html=canary, text=canary, key=canary,
            )  # fmt: skip
            here.add(mail)
            seen = {"seen_at": clock.machine(), "service_id": item.id, "owner_id": of.id}
            drift = Drift(node_id=item.node_id, sort="orphan", name=canary, detail=canary, **seen)
            here.add(drift)
            here.flush()
            ids |= {"mail_id": mail.id, "drift_id": drift.id, "node_id": item.node_id}

    def _rows(self, here: Any, home: Home) -> dict[str, Any]:
        of, canary, now = home.organisation, home.canary, clock.now()
        common = {"tenant_id": of.id}
        operation = Operation(
            **common, service_id=home.ids["service_id"], action="restart", status="failed", error=canary,
            requested_by=canary, seq=2, finished_at=now,
        )  # fmt: skip
        invoice = Invoice(
            **common, seller_id=sellers.seller().id, currency="USD", subtotal=900, tax=0, total=900,
            due_at=now + timedelta(days=7),
            snapshot={"seller": {"legal_name": "L"}, "customer": {"name": canary}, "brand": "CHOM", "tax": {}},
        )  # fmt: skip
        method = PaymentMethod(
            **common, gateway="sandbox_gateway", reference=canary, brand=canary[:30], last4="4242",
            expiry_month=12, expiry_year=2040, is_default=True,
        )  # fmt: skip
        note = Notification(
            **common, person_id=of.people[Role.OWNER], type="service.deleted", category="services", title=canary,
            body=canary, link="/home", key=canary,
        )  # fmt: skip
        here.add_all([operation, invoice, method, note])
        here.flush()
        here.add(
            OperationStep(
                **common, operation_id=operation.id, position=1, name="one", title=canary, error=canary
            )
        )
        here.add(OperationLine(**common, operation_id=operation.id, seq=1, step="one", text=canary, at=now))
        here.add(InvoiceLine(**common, invoice_id=invoice.id, position=1, kind="plan", description=canary, amount=900,
                             currency="USD"))  # fmt: skip
        here.flush()
        invoice.status, invoice.number, invoice.finalised_at = "open", f"INV-{canary}"[:40], now
        here.flush()
        return {
            "operation_id": operation.id,
            "invoice_id": invoice.id,
            "method_id": method.id,
            "notifications.open_one.note_id": note.id,
            "note_id": home.ids.pop("good.note_id"),
            "subscription_id": here.scalars(select(Subscription.id)).one(),
        }

    def _callers(self, a: Home, b: Home, reseller: Home, below: Home) -> list[Caller]:
        both = {a.canary: (a, b), b.canary: (b, a)}
        found = [Caller("anonymous", "anonymous", None, targets=(a,))]
        for home in (a, b):
            for role in Role:
                found.append(
                    Caller(f"{role} of {home.canary}", "person", home, role, targets=both[home.canary])
                )
        for home, other in ((reseller, below), (below, reseller)):
            found.append(Caller(f"owner of {home.canary}", "person", home, Role.OWNER, targets=(home, other)))
        for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER, Role.BILLING):
            found.append(Caller(f"key {role}", "key", a, role, targets=(a, b)))
        found.append(Caller("key of a reseller", "key", reseller, Role.ADMIN, targets=(reseller, below)))
        found.append(
            Caller("key without the scope", "key", a, Role.ADMIN, scopes=("other:read",), targets=(a,))
        )
        found.append(Caller("key revoked", "revoked", a, targets=(a,)))
        found.append(Caller("staff admin", "staff", None, Role.ADMIN, True, targets=(a,)))
        found.append(Caller("staff support", "staff", None, Role.MEMBER, targets=(a,)))
        for caller in found:
            self._prove(caller)
        return found

    def _prove(self, caller: Caller) -> None:
        """The cookie with its form token, or the key."""
        if caller.kind in ("key", "revoked"):
            assert caller.home
            role = caller.role or Role.ADMIN
            with caller.home.organisation.acting():
                made = create_api_key("matrix", role=role, scopes=caller.scopes)
                if caller.kind == "revoked":
                    revoke_api_key(made.row.id)
            caller.headers = {"Authorization": f"Bearer {made.secret}"}
            return
        if caller.kind == "staff":
            with transaction() as here:
                person = self.world._person(
                    here, f"{uuid7().hex}@chom.test", caller.name, caller.role or Role.MEMBER, PLATFORM_ID
                )
            client = self.world.browser(person, PLATFORM_ID)
        elif caller.home is not None:
            assert caller.role
            client = caller.home.organisation.client(caller.role)
        else:
            client = self.world.app.test_client()
        page = client.get("/login" if caller.home is None and caller.kind == "anonymous" else "/me").text
        caller.csrf = page.split('name="csrf_token"', 1)[1].split('value="', 1)[1].split('"', 1)[0]
        cookie = client.get_cookie("chom")
        caller.headers = {"Cookie": f"chom={cookie.value}" if cookie else ""}

    def ids(self, home: Home) -> dict[str, Any]:
        """What fills the arguments of routes in the name of `home`."""
        return self.shared | home.ids

    def finish(self) -> None:
        """Ids that exist only now."""
        with transaction() as here:
            for home in self.homes:
                owner = home.organisation.people[Role.OWNER]
                sessions = select(LoginSession.id).where(LoginSession.person_id == owner)
                home.ids.setdefault("session_id", here.scalars(sessions).first() or uuid7())
            assert here.scalars(select(ApiKey.id)).first()
            assert here.scalars(select(Invitation.id)).first()
