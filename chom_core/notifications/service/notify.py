"""`notify`: one fact to people, by the ways each of them wants, once however often the fact is told."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chom_core.database import Tenant, clock, current, session, transaction
from chom_core.identity.models import Membership, Person
from chom_core.notifications import types
from chom_core.notifications.letters import public
from chom_core.notifications.models import Notification
from chom_core.notifications.phrases import say
from chom_core.notifications.service import preferences
from chom_core.notifications.service.outbox import Envelope, queue_mail
from chom_core.notifications.smtp import one_line, reachable
from chom_core.plugin_host import gate
from chom_core.values.errors import Invalid
from chom_core.values.ids import uuid7
from chom_core.values.notifications import INBOX, MAIL, NotificationType
from chom_core.values.principal import Role
from chom_core.work import enqueue

DELIVER = "notifications.deliver"
PREFERENCES = "/me/notifications"


def notify(
    type: str,
    *,
    title: Any,
    body: Any = "",
    link: str = "",
    action: Any = "",
    facts: Sequence[tuple[Any, Any]] = (),
    data: Mapping[str, Any] | None = None,
    tenant_id: UUID | None = None,
    people: Collection[UUID] | None = None,
    roles: Collection[Role] | None = None,
    key: str = "",
) -> int:
    """Tell `people`, or all with one of `roles` (default: the type's), in the caller's transaction.

    Each gets an inbox row, a mail and further channels by their preferences. `title`, `body`, `action` and `facts`
    may be phrases, said in each reader's language; `link` is a path of CHOM (`/services/…`). With `key`, a second
    call for the same organisation, person and key does nothing. Returns how many people were told anything.
    """
    kind, plugin = types.find(type)
    target = tenant_id or current().tenant_id
    if target is None:
        raise Invalid(_("A notification needs an organisation."), fix=_("Pass tenant_id."))
    if link and not link.startswith("/"):
        raise Invalid(_("A notification links to a path of CHOM, like /services/…."))
    if plugin is not None and not gate.is_enabled(target, plugin):
        return 0
    readers = _readers(target, people, roles if roles is not None else kind.roles)
    if not readers:
        return 0
    news = _News(kind, target, title, body, link, action, facts, dict(data or {}), key or f"once:{uuid7()}")
    chosen = preferences.chosen(kind.name, [person.id for person, _role in readers])
    further = _channels(target, kind)
    told = 0
    for person, role in readers:
        ways = [way for way in (INBOX, MAIL, *further) if preferences.wanted(kind, way, person.id, chosen)]
        told += max((news.tell(person, role, way) for way in ways), default=False)
    return told


def _readers(
    target: UUID, people: Collection[UUID] | None, roles: Collection[Role]
) -> list[tuple[Person, str]]:
    query = select(Person, Membership.role).join(Membership, Membership.person_id == Person.id)
    query = query.where(Membership.tenant_id == target, Person.disabled_at.is_(None))
    if people is not None:
        query = query.where(Person.id.in_(list(people)))
    else:
        query = query.where(Membership.role.in_([role.value for role in roles]))
    return [(row[0], row[1]) for row in session().execute(query.order_by(Person.id))]


def _channels(target: UUID, kind: NotificationType) -> list[str]:
    if current().tenant_id == target:
        return list(preferences.channels())
    with transaction(target):
        return list(preferences.channels())


class _News:
    """One fact on its way to several people."""

    def __init__(
        self,
        kind: NotificationType,
        target: UUID,
        title: Any,
        body: Any,
        link: str,
        action: Any,
        facts: Sequence[tuple[Any, Any]],
        data: dict[str, Any],
        key: str,
    ) -> None:
        self.kind, self.target, self.title, self.body = kind, target, title, body
        self.link, self.action, self.facts, self.data, self.key = link, action, facts, data, key[:200]
        self.organisation = session().scalar(select(Tenant.name).where(Tenant.id == target)) or ""

    def tell(self, person: Person, role: str, way: str) -> bool:
        """By one way; False where this person was told this by this way before."""
        if way == INBOX:
            return self._inbox(person)
        if way == MAIL:
            return self._mail(person, role)
        return self._further(person, way)

    def _inbox(self, person: Person) -> bool:
        row = {
            "id": uuid7(),
            "created_at": clock.now(),
            "tenant_id": self.target,
            "person_id": person.id,
            "type": self.kind.name,
            "category": str(self.kind.category),
            "title": one_line(say(self.title, person.locale))[:200],
            "body": say(self.body, person.locale)[:4000].replace("\x00", ""),
            "link": self.link[:500],
            "data": self.data,
            "key": self.key,
        }
        statement = insert(Notification).values(row)
        statement = statement.on_conflict_do_nothing(index_elements=["tenant_id", "person_id", "key"])
        with _fence(self.target):
            done = session().connection().execute(statement.returning(Notification.id))
            return done.scalar() is not None

    def _mail(self, person: Person, role: str) -> bool:
        if person.email_verified_at is None or not reachable(person.email):
            return False  # nobody has shown yet that this address wants our mail
        envelope = Envelope(
            person.email,
            self.kind.name,
            f"note:{self.target}:{person.id}:{self.key}"[:255],
            name=person.name,
            locale=person.locale,
            tenant_id=self.target,
        )
        made = queue_mail(
            envelope,
            "notification",
            title=self.title,
            body=say(self.body, person.locale),
            facts=list(self.facts),
            link=public(self.link) if self.link else "",
            action=self.action,
            mandatory=self.kind.mandatory,
            role=role,
            organisation=self.organisation,
            preferences_link=public(PREFERENCES),
        )
        return made is not None

    def _further(self, person: Person, way: str) -> bool:
        message = {
            "id": str(uuid7()),
            "channel": way,
            "type": self.kind.name,
            "category": str(self.kind.category),
            "person_id": str(person.id),
            "title": say(self.title, person.locale),
            "body": say(self.body, person.locale),
            "link": public(self.link) if self.link else "",
            "data": json.loads(json.dumps(self.data, default=str)),
        }
        key = f"note:{way}:{self.target}:{person.id}:{self.key}"[:255]
        return enqueue(DELIVER, message, tenant_id=self.target, key=key) is not None


@contextmanager
def _fence(target: UUID) -> Iterator[None]:
    """Write into `target` for one statement, where the unit's organisation is another or none."""
    unit = current()
    unit.session.flush()
    if unit.everyone or unit.tenant_id == target:
        yield
        return
    connection = unit.session.connection()
    connection.exec_driver_sql("select set_config('chom.tenant_id', %s, true)", (str(target),))
    yield
    connection.exec_driver_sql("select set_config('chom.tenant_id', %s, true)", (str(unit.tenant_id or ""),))
