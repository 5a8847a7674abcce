"""A tiny app that shows the kit: `python -m tests.web.gallery PORT`, then look. The look's tests use it too."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Thing
from typing import Any
from uuid import UUID

from flask import Flask, Response, flash, g, render_template, request
from flask_babel import Babel
from marshmallow import Schema, fields, validate
from sqlalchemy import column

from chom_core.values.money import Money
from chom_core.web import layout, live
from chom_core.web.charts import Chart, Series
from chom_core.web.forms import Form
from chom_core.web.layout import Banner, Brand, NavEntry, NavSection
from chom_core.web.status import LOOKS
from chom_core.web.tables import Filter, ListPage, Page, Sort

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


class SiteSettings(Schema):
    """One field of each widget."""

    name = fields.String(
        required=True,
        validate=validate.Length(min=3, max=40),
        metadata={"label": "Name", "help": "Shown in lists and mails."},
    )
    mail = fields.Email(metadata={"label": "Alerts go to", "placeholder": "ops@northlight.example"})
    php = fields.String(
        required=True,
        validate=validate.OneOf(["8.3", "8.4"], ["PHP 8.3", "PHP 8.4"]),
        metadata={"label": "PHP version"},
    )
    budget = fields.Decimal(
        validate=validate.Range(min=0), metadata={"label": "Budget", "prefix": "$", "suffix": "a month"}
    )
    at_budget = fields.String(
        load_default="tell",
        validate=validate.OneOf(["tell", "block"], ["Tell me", "Block purchases"]),
        metadata={
            "label": "At the budget",
            "widget": "radio-cards",
            "about": {"tell": "Mail and bell, nothing stops.", "block": "New services wait."},
        },
    )
    token = fields.String(metadata={"label": "Registry token", "widget": "secret"})
    colour = fields.String(load_default="#3056d3", metadata={"widget": "colour"})
    days = fields.List(
        fields.String(validate=validate.OneOf(["Mon", "Tue", "Wed"])), metadata={"label": "Backup days"}
    )
    notes = fields.String(metadata={"widget": "textarea", "rows": 3})
    updates = fields.Boolean(
        load_default=True, metadata={"label": "Update plugins at night", "help": "With a backup first."}
    )


LIST = ListPage(
    "sites",
    sorts={"name": Sort(column("name")), "created": Sort(column("created"))},
    default="-created",
    filters=(Filter("q", "Name"), Filter("status", "Status", (("active", "Active"), ("failed", "Failed")))),
)


def wave(offset: float, count: int = 24) -> list[float]:
    return [round(40 + 0.5 * i + 9 * math.sin((i + offset) / 3), 1) for i in range(count)]


@dataclass
class Step:
    title: str
    state: str
    started: datetime | None = None
    ended: datetime | None = None
    detail: str = ""
    log: list[str] = field(default_factory=list)


def steps(seq: int) -> list[Step]:
    return [
        Step("Reserve an address", "done", NOW - timedelta(seconds=50), NOW - timedelta(seconds=48)),
        Step(
            "Create the database",
            "done",
            NOW - timedelta(seconds=48),
            NOW - timedelta(seconds=35),
            log=["CREATE DATABASE", "GRANT"],
        ),
        Step(
            "Install WordPress",
            "doing" if seq < 8 else "done",
            NOW - timedelta(seconds=35),
            None if seq < 8 else NOW,
            "Downloading 6.9",
            ["fetch wordpress-6.9", f"line {seq}"],
        ),
        Step(
            "Certificate",
            "failed",
            NOW,
            NOW + timedelta(seconds=3),
            "The domain points elsewhere: set an A record to 203.0.113.20.",
            ["order created", "challenge: wrong address"],
        ),
        Step("First check", "waiting"),
    ]


def content() -> dict[str, Any]:
    days = [1_790_000_000 + 86400 * i for i in range(44)]
    y: list[float | None] = [round(40 + 0.6 * i + 9 * math.sin(i / 7 * 6.28), 1) for i in range(30)]
    forecast: list[float | None] = (
        [None] * 29 + [y[29]] + [round(40 + 0.6 * i + 5 * math.sin(i / 7 * 6.28), 1) for i in range(30, 44)]
    )
    names = ["shop", "blog", "staging", "docs", "old-campaign"]
    states = ["active", "building", "suspended", "failed", "stopped"]
    return {
        "now": NOW,
        "tabs": [
            Thing(label=t, href=f"#{t}", active=i == 0, icon="", badge="3" if t == "Updates" else "")
            for i, t in enumerate(
                [
                    "Overview",
                    "Domains",
                    "Backups",
                    "Staging",
                    "Updates",
                    "Logs",
                    "Access",
                    "Add-ons",
                    "Settings",
                ]
            )
        ],
        "spark": wave(0),
        "spark2": wave(4),
        "price": Money(10200, "USD"),
        "chart": Chart(
            "Traffic and forecast",
            days,
            [Series("Traffic", y + [None] * 14, "area"), Series("Forecast", forecast, "dash")],
            unit="GB",
            limit=75,
            limit_label="In your plan",
        ),
        "bars": Chart(
            "Revenue per customer",
            ["Jul", "Aug", "Sep", "Oct", "Nov"],
            [Series("Revenue", [52, 60, 71, 80, 86], "bar", "good")],
            unit="USD",
            time=False,
            height=200,
        ),
        "next": [
            Thing(
                title="Connect a domain",
                sentence="The site still answers on its test address",
                href="#",
                icon="world",
                tone="info",
            ),
            Thing(title="Try Pro", sentence="Save $23.00 this month", href="#", icon="coin", tone="good"),
            Thing(
                title="Check the last backup",
                sentence="It was not verified",
                href="#",
                icon="alert-triangle",
                tone="warn",
            ),
        ],
        "sites": [
            Thing(
                name=f"{n}.northlight.example",
                kind="WordPress · Amsterdam",
                state=states[i],
                php="8.4",
                created=NOW - timedelta(days=40 * i),
                spark=wave(i * 2, 14),
                price=Money(400 * (i % 3), "USD"),
            )
            for i, n in enumerate(names)
        ],
        "view": LIST.read(request),
        "page": Page([], "?after=x", "?before=y"),
        "steps": steps(4),
        "states": list(LOOKS),
        "features": [
            "25 sites",
            "100 GB storage, 400 GB traffic",
            "Daily backups kept 30 days",
            "Staging for every site",
            "Past that nothing stops: $4 a site",
        ],
        "form": Form(
            SiteSettings(),
            {"name": "ab", "mail": "x", "php": "8.4"},
            {"name": ["Shorter than minimum length 3."], "mail": ["Not a valid email address."]},
            stored=["token"],
        ),
        "danger": Thing(
            title="Delete shop.northlight.example?",
            name="shop.northlight.example",
            verb="Delete for good",
            sentence="This cannot be undone.",
            loses=["12 GB of files", "2 databases"],
            depends=["staging.northlight.example"],
            stops_billing=["Object cache, $9.00 a month"],
            kept=["Backups until 22 December"],
        ),
    }


def make_app() -> Flask:
    app = Flask(__name__, static_folder=None, template_folder="templates")
    app.secret_key = "gallery"
    Babel(app)
    layout.init_app(app)
    app.jinja_env.globals["csrf_token"] = lambda: "token"
    app.jinja_env.globals["csp_nonce"] = lambda: g.nonce

    @app.before_request
    def nonce() -> None:
        g.nonce = secrets.token_urlsafe(16)

    @app.after_request
    def policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            f"default-src 'self'; style-src 'self' 'nonce-{g.nonce}'; img-src 'self' data:; base-uri 'none'"
        )
        return response

    @app.context_processor
    def around() -> dict[str, Any]:
        lumen = Brand("Lumen Hosting", tokens={"primary": "#f5b301", "radius": "12px"})
        mara, north = (
            Thing(name="Mara Lind", email="mara@northlight.example"),
            Thing(id=1, name="Northlight Studio", url="/s/1"),
        )
        menu = [
            ("Home", "home", "", "h"),
            ("Sites", "world", "19", "s"),
            ("Servers", "server-2", "", "v"),
            ("Projects", "folder", "", "p"),
        ]
        more = [
            ("Billing", "credit-card", "", "b"),
            ("Analytics", "chart-line", "", "a"),
            ("Support", "lifebuoy", "1", "u"),
            ("Organisation", "building", "", "o"),
        ]
        made = [
            tuple(
                NavEntry(label, f"#{label}", icon, label == "Sites", badge, key)
                for label, icon, badge, key in part
            )
            for part in (menu, more)
        ]
        return {
            "brand": lumen if "lumen" in request.args else Brand(support_url="/support"),
            "person": mara if "out" not in request.args else None,
            "organisation": north,
            "organisations": [north, Thing(id=2, name="Pinecrest Games", url="/s/2")],
            "nav": (NavSection(made[0]), NavSection(made[1], "Account")),
            "account_menu": [
                NavEntry("Profile", "/me", "user"),
                NavEntry("Security", "/me/security", "shield-check"),
            ],
            "public_nav": [
                NavEntry("Prices", "/public", active=True),
                NavEntry("Switch", "/switch"),
                NavEntry("Docs", "/docs"),
            ],
            "unread": 3,
            "banner": [
                Banner(
                    "This is a sandbox: no card is charged, and time can be moved.",
                    "warn",
                    "flask",
                    "Move the clock",
                    "/clock",
                )
            ],
        }

    @app.get("/")
    def gallery() -> str:
        for name, value in content().items():
            setattr(g, name, value)
        flash("The domain was added.", "success")
        return render_template("gallery.html")

    @app.get("/live")
    def fragment() -> Response:
        seq = min(live.after() + 1, 9)
        return live.respond(
            lambda: render_template("live_steps.html", seq=seq, entries=steps(seq)), seq=seq, final=seq > 8
        )

    @app.get("/public")
    def public() -> str:
        for name, value in content().items():
            setattr(g, name, value)
        return render_template("public_prices.html")

    @app.get("/login")
    def login() -> str:
        return render_template("log_in.html", form=Form(Login()))

    @app.get("/delete")
    def confirm() -> str:
        return render_template(
            "confirm.html", danger=content()["danger"], action="/delete", cancel_url="/", error=""
        )

    @app.get("/error")
    def error() -> tuple[str, int]:
        words = {
            "title": "That page is not here",
            "detail": "The address may be old, or the thing belongs to another organisation.",
        }
        return render_template(
            "error.html",
            status=404,
            fix="Look for it in your list of sites.",
            request_id=str(UUID(int=7)),
            **words,
        ), 404

    return app


class Login(Schema):
    mail = fields.Email(required=True, metadata={"label": "Mail", "autocomplete": "username"})
    password = fields.String(
        required=True, metadata={"label": "Password", "widget": "secret", "autocomplete": "current-password"}
    )


if __name__ == "__main__":
    import sys

    make_app().run(port=int(sys.argv[1]))
