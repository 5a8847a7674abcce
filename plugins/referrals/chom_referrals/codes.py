"""Links: asked for, approved, followed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import Conflict, Invalid, NotFound, clock, organisation_id, session, settings, uuid7
from chom_sdk.audit import Subject, record
from chom_sdk.notifications import notify, phrase

from .models import ClickDay, Code

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
MOST_CODES = 20
MOST_SOURCES = 25
DIRECT, OTHER = "direct", "other"


def mine() -> list[Code]:
    """The organisation's links, oldest first."""
    return list(session().scalars(select(Code).where(Code.owner_id == organisation_id()).order_by(Code.id)))


def get(code_id: UUID) -> Code:
    """One of the organisation's links; NotFound."""
    mine = select(Code).where(Code.id == code_id, Code.owner_id == organisation_id())
    found: Code | None = session().scalar(mine)
    if found is None:
        raise NotFound(_("There is no such link."), fix=_("See the list of your links."))
    return found


def create(values: Mapping[str, Any]) -> Code:
    """A new link. Affiliates and partners wait for staff, where the settings say so. Invalid, Conflict."""
    owner = organisation_id()
    if (session().scalar(select(func.count(Code.id)).where(Code.owner_id == owner)) or 0) >= MOST_CODES:
        raise Conflict(_("You have %(most)s links already.", most=MOST_CODES), fix=_("Use one of them."))
    programme = values["programme"]
    waits = programme != "customer" and settings.read("referrals")["approve"]
    if waits and not values.get("about", "").strip():
        raise Invalid(
            _("Tell us a little more."), fields={"about": [_("Where will you tell people? Staff read this.")]}
        )
    word = str(values.get("code") or "").strip().upper() or _made_up()
    row = {
        "id": uuid7(), "created_at": clock.now(), "owner_id": owner, "code": word, "programme": programme,
        "status": "requested" if waits else "active", "alias": values.get("alias", "").strip(),
        "about": values.get("about", "").strip(), "percent": None,
    }  # fmt: skip
    made = session().scalar(
        insert(Code).values(**row).on_conflict_do_nothing(index_elements=["code"]).returning(Code.id)
    )
    if made is None:
        raise Conflict(
            _("The code %(code)s is taken.", code=word), fix=_("Choose another one."),
            fields={"code": [_("This code is taken.")]},
        )  # fmt: skip
    found = get(made)
    record("referrals.code_made", _subject(found), after={"code": word, "programme": programme})
    return found


def rename(code_id: UUID, alias: str) -> Code:
    """The name on the leaderboard; empty takes it off."""
    found = get(code_id)
    found.alias = alias.strip()[:60]
    session().flush()
    return found


def every(status: str = "") -> list[Code]:
    """For staff: links of all organisations, newest first."""
    query = select(Code).order_by(Code.id.desc()).limit(500)
    return list(session().scalars(query.where(Code.status == status) if status else query))


def decide(code_id: UUID, status: str, percent: Decimal | None = None) -> Code:
    """Staff approve, refuse or suspend a link, and may agree on a share for those it brings from now on."""
    found: Code | None = session().scalar(select(Code).where(Code.id == code_id).with_for_update())
    if found is None or status not in ("active", "suspended", "refused"):
        raise NotFound(_("There is no such link."))
    before = {"status": found.status, "percent": found.percent}
    found.status, found.percent = status, percent
    session().flush()
    record("referrals.decided", _subject(found), before=before, after={"status": status, "percent": percent})
    if before["status"] == "requested":
        welcome = status == "active"
        notify(
            "referrals.decided",
            title=phrase(
                "Your link %(code)s is active" if welcome else "Your application for %(code)s was declined",
                code=found.code,
            ),
            body=phrase("Share it: what you earn shows under Referrals.") if welcome else "",
            link="/referrals/",
            tenant_id=found.owner_id,
            key=f"decided:{found.id}:{status}",
        )
    return found


def active(word: str) -> Code | None:
    """The link of this word, where it works; whoever asks."""
    code = word.strip().upper()[:41]
    return session().scalar(select(Code).where(Code.code == code, Code.status == "active"))


def clicked(code: Code, source: str) -> str:
    """Count a click; returns the source it was counted under. Strangers write here: so many rows a day, no more."""
    day = clock.now().astimezone(UTC).date()
    known = select(ClickDay.source).where(ClickDay.code_id == code.id, ClickDay.day == day)
    seen = set(session().scalars(known))
    name = source if source in seen or len(seen) < MOST_SOURCES else OTHER
    row = insert(ClickDay).values(
        id=uuid7(), created_at=clock.now(), code_id=code.id, day=day, source=name, clicks=1
    )
    session().execute(
        row.on_conflict_do_update(
            index_elements=["code_id", "day", "source"], set_={"clicks": ClickDay.clicks + 1}
        )
    )
    return name


def _made_up() -> str:
    return "".join(secrets.choice(_LETTERS) for _n in range(8))


def _subject(of: Code) -> Subject:
    return Subject("referral_code", of.id, of.code)
