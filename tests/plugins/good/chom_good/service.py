"""The verbs."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, func, select, update

from chom_sdk import NotFound, notifications, organisation_id, session
from chom_sdk.audit import Subject, record
from chom_sdk.work import emit, enqueue

from .models import Note


def notes() -> list[Note]:
    """The organisation's notes, newest first."""
    return list(session().scalars(select(Note).order_by(Note.id.desc())))


def get(note_id: UUID) -> Note:
    """One note; NotFound where it is none of the organisation's."""
    found = session().scalar(select(Note).where(Note.id == note_id))
    if found is None:
        raise NotFound("There is no such note.")
    return found


def write(text: str, service_id: UUID | None = None) -> Note:
    """A new note: audited, said as a fact, told to people, and looked at by a job."""
    made = Note(tenant_id=organisation_id(), text=text, service_id=service_id)
    session().add(made)
    session().flush()
    record("good.written", Subject("note", made.id, text), after={"text": text})
    emit("good.written", subject=f"note:{made.id}", payload={"note_id": str(made.id)})
    notifications.notify(
        "good.written", title=f"A note: {text}", link=f"/good/{made.id}", key=f"note:{made.id}"
    )
    enqueue("good.look", {"note_id": str(made.id)})
    return made


def remove(note_id: UUID) -> None:
    """The note goes."""
    get(note_id)
    session().execute(delete(Note).where(Note.id == note_id))


def forget_service(service_id: UUID) -> None:
    """Notes about a service go with it."""
    session().execute(delete(Note).where(Note.service_id == service_id))


def look(note_id: UUID) -> None:
    """Count a look."""
    session().execute(update(Note).where(Note.id == note_id).values(seen=Note.seen + 1))


def tidy() -> None:
    """Empty notes go."""
    session().execute(delete(Note).where(func.length(Note.text) == 0))
