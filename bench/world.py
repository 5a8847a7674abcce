"""A CHOM to measure: migrated, with an organisation that has fifty services, a key and a browser's cookie."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from cryptography.fernet import Fernet
from flask.sessions import SecureCookieSessionInterface

from chom_core import config, setup
from chom_core.billing.models import Plan, Subscription, SubscriptionItem
from chom_core.billing.service.subscribing.subscriptions import source
from chom_core.database import PLATFORM_ID, Tenant, clock, roles, session, transaction
from chom_core.embedded.postgres import Postgres
from chom_core.embedded.valkey import Valkey
from chom_core.identity.models import Membership, Person
from chom_core.identity.service import create_api_key, open_session
from chom_core.plugin_host import gate
from chom_core.provisioning.models import Node, Service
from chom_core.values import Principal, Role

ROWS = 50


@dataclass(frozen=True)
class Seeded:
    """How to reach it: the server's environment, a key, a cookie's value."""

    env: dict[str, str]
    key: str
    cookie: str


def prepare(postgres: Postgres, valkey: Valkey, name: str, install: Sequence[str]) -> Seeded:
    """Make the database `name` with `install` installed, and everything in it; and an empty one for the floor."""
    roles.bootstrap(postgres.url(), "bench_floor")
    return _prepare(
        postgres.url(),
        postgres.url("chom_owner", name),
        postgres.url("chom_app", name),
        valkey.url,
        name,
        install,
    )


def prepare_from_argv(argv: list[str]) -> None:
    root, owner, app, redis, name, *install = argv[1:]
    print(json.dumps(asdict(_prepare(root, owner, app, redis, name, install))))


def _prepare(root: str, owner: str, app: str, redis: str, name: str, install: Sequence[str]) -> Seeded:
    roles.bootstrap(root, name)
    env = {
        "CHOM_DATABASE_URL": app,
        "CHOM_REDIS_URL": redis,
        "CHOM_SECRET_KEYS": Fernet.generate_key().decode(),
        "CHOM_PUBLIC_URL": "http://localhost",
    }
    settings = config.from_environment(env)
    for line in setup.migrate(settings, owner):
        print(line, file=sys.stderr)
    for plugin in install:
        setup.install(settings, owner, plugin)
    gate.forget()
    key, token = _seed()
    cookie = _sign(settings, {"token": token, "_permanent": True})
    return Seeded(env, key, cookie)


def _seed() -> tuple[str, str]:
    with transaction() as here:
        tenant = Tenant(name="Bench", slug="bench", parent_id=PLATFORM_ID)
        person = Person(
            email="b@chom.test", name="Bench", password_hash="", email_verified_at=clock.machine()
        )
        here.add_all([tenant, person])
        here.flush()
        here.add(Membership(person_id=person.id, tenant_id=tenant.id, role=Role.OWNER))
        node = Node(name="n1", driver="none", region="here", capacity=1000, used=ROWS)
        here.add(node)
        here.flush()
        opened = open_session(person, tenant_id=tenant.id)
    who = Principal("person", person.id, tenant.id, Role.OWNER, name="Bench")
    with transaction(PLATFORM_ID) as here:
        plan = Plan(
            reseller_id=PLATFORM_ID, code="bench", title="Pro", shape="hosting", allowances={"sites": 60}
        )
        here.add(plan)
    with transaction(tenant.id, who) as here:
        paid_by = _subscribe(tenant.id, plan)
        for i in range(ROWS):
            here.add(Service(tenant_id=tenant.id, node_id=node.id, kind="static", name=f"s{i}", title=f"Site {i}",
                             status="active", family="site", paid_by=paid_by, marker=f"m{i}",
                             facts={"url": f"https://s{i}.bench.example"}))  # fmt: skip
        key = create_api_key("bench", role=Role.ADMIN).secret
    return key, opened.token


def _subscribe(tenant_id: UUID, plan: Plan) -> str:
    """A hosting plan that pays for the services, as nearly every customer has; how services name it."""
    now = clock.machine()
    bought = Subscription(tenant_id=tenant_id, seller_id=PLATFORM_ID, shape="hosting", status="active", currency="USD",
                          billing_period="monthly", anchor=now, zone="UTC", current_period_start=now,
                          current_period_end=now + timedelta(days=30))  # fmt: skip
    bought.items.append(SubscriptionItem(tenant_id=tenant_id, plan_id=plan.id, plan_code=plan.code, title=plan.title,
                                         shape="hosting", quantity=1, amount=7900, currency="USD"))  # fmt: skip
    session().add(bought)
    session().flush()
    return source(bought.items[0])


def _sign(settings: config.Settings, values: dict[str, object]) -> str:
    from flask import Flask

    app = Flask("sign")
    app.secret_key = settings.cookie_key
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return str(serializer.dumps(values))
