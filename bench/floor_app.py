"""The floor: a bare Flask + SQLAlchemy app that does the reads of the scenarios and nothing else.

No roles, no CSRF, no translation, no fence, no plugins. `FLOOR_DB` is its database.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
from flask import Flask, Response, g, request, session
from sqlalchemy import ForeignKey, Index, create_engine, func, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker

ROWS, TOKEN = 50, "floor-token"
TENANT = UUID(int=7)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))


class Token(Base):
    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    tenant_id: Mapped[UUID]


class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))


class Plan(Base):
    __tablename__ = "plans"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    sites: Mapped[int]


class Node(Base):
    __tablename__ = "nodes"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    region: Mapped[str]


class Site(Base):
    __tablename__ = "sites"
    __table_args__ = (Index("ix_sites", "tenant_id", "id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    tenant_id: Mapped[UUID]
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    kind: Mapped[str]
    name: Mapped[str]
    title: Mapped[str]
    status: Mapped[str]
    url: Mapped[str]
    paid_by: Mapped[str]
    created_at: Mapped[datetime]


class Audit(Base):
    __tablename__ = "audit"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    tenant_id: Mapped[UUID]
    what: Mapped[str]
    subject: Mapped[str]


engine = create_engine(os.environ["FLOOR_DB"])
db: scoped_session[Session] = scoped_session(sessionmaker(engine))
app = Flask(__name__)
app.secret_key = "floor"
encode = msgspec.json.Encoder().encode
COLUMNS = ("id", "kind", "name", "title", "status", "url", "paid_by", "created_at")
LIST = select(Site, Node).join(Node, Node.id == Site.node_id).order_by(Site.id).limit(ROWS)
NAV = [(f"Item {i}", f"/x/{i}") for i in range(12)]
PAGE = app.jinja_env.from_string(
    "<!doctype html><html><head><title>{{ title }}</title></head><body><nav>{% for label, href in nav %}"
    '<a href="{{ href }}">{{ label }}</a>{% endfor %}</nav><h1>{{ title }}</h1><table>{% for site, node in rows %}'
    '<tr><td><a href="/sites/{{ site.id }}">{{ site.title }}</a> {{ site.name }}</td><td>{{ site.status }}</td>'
    '<td>{{ site.kind }}</td><td><a href="{{ site.url }}">{{ site.url }}</a></td><td>{{ price }}</td>'
    "<td>{{ site.created_at.date() }}</td></tr>"
    "{% endfor %}</table></body></html>"
)


@app.teardown_appcontext
def close(error: BaseException | None) -> None:
    db.remove()


def authorised() -> bool:
    digest = hashlib.sha256(request.headers.get("Authorization", "")[7:].encode()).hexdigest()
    token = db.scalar(select(Token).where(Token.digest == digest))
    g.tenant = db.get(Tenant, token.tenant_id) if token else None
    return g.tenant is not None


@app.get("/api/sites")
def list_sites() -> Response:
    if not authorised():
        return Response(status=401)
    rows = db.execute(LIST.where(Site.tenant_id == g.tenant.id)).all()
    items = [
        {c: getattr(site, c) for c in COLUMNS} | {"node": node.name, "region": node.region}
        for site, node in rows
    ]
    return Response(encode({"items": items}), mimetype="application/json")


@app.post("/api/sites")
def create_site() -> Response:
    if not authorised():
        return Response(status=401)
    given = msgspec.json.decode(request.get_data())
    now = datetime.now(UTC)
    site = Site(
        tenant_id=g.tenant.id,
        node_id=1,
        kind="x",
        status="active",
        paid_by="p",
        created_at=now,
        title="",
        url="",
        name=given["name"],
    )
    db.add(site)
    db.flush()
    db.add(Audit(tenant_id=g.tenant.id, what="created", subject=str(site.id)))
    db.commit()
    return Response(encode({"id": site.id, "name": site.name}), 201, mimetype="application/json")


@app.get("/login")
def login() -> str:
    session["user"] = 1
    return "ok"


@app.get("/page")
def page() -> str:
    user = db.get(User, session["user"])
    assert user is not None
    tenant = db.get(Tenant, user.tenant_id)
    assert tenant is not None
    rows = db.execute(LIST.where(Site.tenant_id == tenant.id)).all()
    count = db.scalar(select(func.count()).select_from(Site).where(Site.tenant_id == tenant.id))
    plan = db.get(Plan, tenant.plan_id)
    assert plan is not None
    price = f"Included in {plan.title} ({count} of {plan.sites})"
    return PAGE.render(rows=rows, nav=NAV, title=tenant.name, price=price)


def seed() -> None:
    """Its tables and as many rows as a scenario shows."""
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(Plan), {"id": 1, "title": "Pro", "sites": 60})
        connection.execute(insert(Tenant), {"id": TENANT, "name": "Floor", "plan_id": 1})
        connection.execute(insert(Node), {"id": 1, "name": "n1", "region": "here"})
        connection.execute(insert(User), {"id": 1, "name": "Floor", "tenant_id": TENANT})
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        connection.execute(insert(Token), {"id": 1, "digest": digest, "tenant_id": TENANT})
        row: dict[str, object] = {
            "tenant_id": TENANT,
            "node_id": 1,
            "kind": "static",
            "status": "active",
            "paid_by": "plan",
        }
        row["created_at"] = datetime.now(UTC)
        connection.execute(
            insert(Site),
            [
                row
                | {"id": uuid4(), "name": f"s{i}", "title": f"Site {i}", "url": f"https://s{i}.bench.example"}
                for i in range(ROWS)
            ],
        )


if __name__ == "__main__":
    seed()
