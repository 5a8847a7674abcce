"""The pages of notes: one for each word of access."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from chom_sdk import Pages, csv_response, render, settings
from chom_sdk.ui import Form

from . import service
from .schemas import NoteIn

pages = Pages("good", __name__, prefix="/good", access="viewer")


@pages.get("/")
def index() -> str:
    greeting = settings.read("good")["greeting"]
    return render("good/index.html", notes=service.notes(), greeting=greeting, form=Form(NoteIn()))


@pages.post("/", access="member")
def create() -> str | Response | tuple[str, int]:
    form = Form(NoteIn()).parse(request.form)
    if form.ok:
        made = service.write(form.values["text"])
        return redirect(url_for(".detail", note_id=made.id), 303)
    return render("good/index.html", notes=service.notes(), greeting="", form=form), form.status


@pages.get("/all.csv")
def export() -> Response:
    return csv_response("notes", ("Note",), ((note.text,) for note in service.notes()))


@pages.get("/hello", access="public")
def hello() -> str:
    return render("good/hello.html", words="anybody")


@pages.get("/me", access="person")
def mine() -> str:
    return render("good/hello.html", words="somebody")


@pages.get("/money", access="billing")
def money() -> str:
    return render("good/hello.html", words="billing")


@pages.get("/staff", access="staff")
def staff() -> str:
    return render("good/hello.html", words="staff")


@pages.post("/staff", access="staff_admin")
def staff_only() -> Response:
    return redirect(url_for(".staff"), 303)


@pages.get("/<uuid:note_id>")
def detail(note_id: UUID) -> str:
    return render("good/detail.html", note=service.get(note_id))


@pages.post("/<uuid:note_id>/delete", access="admin")
def remove(note_id: UUID) -> Response:
    service.remove(note_id)
    return redirect(url_for(".index"), 303)


@pages.post("/clear", access="owner")
def clear() -> Response:
    for note in service.notes():
        service.remove(note.id)
    return redirect(url_for(".index"), 303)
