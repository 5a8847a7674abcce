"""Who wants to hear what by which way: the type's default, unless the person chose; mandatory types stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chom_core.database import clock, current, session
from chom_core.notifications import types
from chom_core.notifications.models import NotificationPreference
from chom_core.plugin_host import gate, hooks
from chom_core.values.errors import Invalid
from chom_core.values.ids import uuid7
from chom_core.values.notifications import INBOX, MAIL, Channel, ChannelQuery, NotificationType

Choices = Mapping[tuple[UUID, str], bool]


class Cell(Struct, frozen=True):
    """One box of the grid. `fixed`: the type is mandatory in this channel."""

    channel: str
    on: bool
    fixed: bool


class Choice(Struct, frozen=True):
    """One row of the grid."""

    type: NotificationType
    cells: tuple[Cell, ...]


def channels(person_id: UUID | None = None) -> dict[str, tuple[Channel, str]]:
    """The plugins' channels of the unit's organisation by name, each with its plugin. Inbox and mail are not here."""
    found: dict[str, tuple[Channel, str]] = {}
    query = ChannelQuery(current().tenant_id, person_id)
    for plugin, offered, error in hooks.notifications_channels(query):
        for channel in () if error is not None else offered:
            if channel.name not in (INBOX, MAIL):
                found.setdefault(channel.name, (channel, plugin))
    return found


def wanted(kind: NotificationType, channel: str, person_id: UUID, chosen: Choices) -> bool:
    """Does this person get this type by this channel?"""
    default = channel in kind.channels
    if kind.mandatory and default:
        return True
    return chosen.get((person_id, channel), default)


def chosen(kind: str, people: Iterable[UUID]) -> dict[tuple[UUID, str], bool]:
    """What these people chose for one type: (person, channel) → on."""
    query = select(
        NotificationPreference.person_id, NotificationPreference.channel, NotificationPreference.on
    )
    query = query.where(
        NotificationPreference.type == kind, NotificationPreference.person_id.in_(list(people))
    )
    return {(row[0], row[1]): row[2] for row in session().execute(query)}


def grid(person_id: UUID) -> tuple[list[tuple[str, str]], list[Choice]]:
    """The channels as (name, title), and a row per type that is in use in the unit's organisation."""
    columns = [(INBOX, _("Inbox")), (MAIL, _("Mail"))]
    columns += [(name, str(channel.title)) for name, (channel, _plugin) in channels().items()]
    query = select(NotificationPreference).where(NotificationPreference.person_id == person_id)
    own = {(row.type, row.channel): row.on for row in session().scalars(query)}
    tenant_id = current().tenant_id
    on = gate.enabled(tenant_id).on if tenant_id else frozenset()
    rows = []
    for kind in types.all_types(on):
        cells = []
        for name, _title in columns:
            fixed = kind.mandatory and name in kind.channels
            cells.append(Cell(name, fixed or own.get((kind.name, name), name in kind.channels), fixed))
        rows.append(Choice(kind, tuple(cells)))
    return columns, rows


def choose(person_id: UUID, boxes: Mapping[tuple[str, str], bool]) -> None:
    """Save choices: (type, channel) → on. Raises Invalid for a box that is not in the grid; fixed ones are kept on."""
    _columns, rows = grid(person_id)
    known = {(row.type.name, cell.channel): cell for row in rows for cell in row.cells}
    unknown = [f"{kind} / {channel}" for kind, channel in boxes if (kind, channel) not in known]
    if unknown:
        raise Invalid(_("There is no such notification: %(names)s.", names=", ".join(sorted(unknown)[:5])))
    values: list[dict[str, Any]] = [
        {
            "id": uuid7(),
            "created_at": clock.machine(),
            "person_id": person_id,
            "type": kind,
            "channel": channel,
            "on": on,
        }
        for (kind, channel), on in boxes.items()
        if not known[kind, channel].fixed and known[kind, channel].on != on
    ]
    if values:
        statement = insert(NotificationPreference).values(values)
        where = ["person_id", "type", "channel"]
        session().execute(
            statement.on_conflict_do_update(index_elements=where, set_={"on": statement.excluded.on})
        )
