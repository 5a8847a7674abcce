"""Notes over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from chom_sdk import ApiRoutes, asked_page, paginate

from . import service
from .models import Note
from .schemas import NoteIn, NoteOut, NotePage

api = ApiRoutes("good", __name__, prefix="/good", access="viewer")


def plain(note: Note) -> dict[str, Any]:
    return {"id": note.id, "text": note.text, "seen": note.seen}


@api.get("/", scope="good:read", out=NotePage)
def list_notes() -> dict[str, Any]:
    after, limit = asked_page()
    page = paginate(select(Note), Note.id, after=after, limit=limit)
    return {"items": [plain(note) for note in page.items], "next": page.next}


@api.post("/", access="member", scope="good:write", into=NoteIn, out=NoteOut)
def write_note(values: dict[str, Any]) -> dict[str, Any]:
    return plain(service.write(values["text"]))


@api.get("/<uuid:note_id>", scope="good:read", out=NoteOut)
def read_note(note_id: UUID) -> dict[str, Any]:
    return plain(service.get(note_id))


@api.patch("/<uuid:note_id>", access="member", scope="good:write", into=NoteIn, out=NoteOut)
def change_note(values: dict[str, Any], note_id: UUID) -> dict[str, Any]:
    note = service.get(note_id)
    note.text = values["text"]
    return plain(note)


@api.delete("/<uuid:note_id>", access="admin", scope="good:write")
def delete_note(note_id: UUID) -> None:
    service.remove(note_id)
