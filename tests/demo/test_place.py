"""The data folder: locked, private, kept, or begun anew; the mail catcher; the page reader of the check."""

from __future__ import annotations

import smtplib
import socket
from email.message import EmailMessage
from pathlib import Path

import pytest

from chom_core.demo.check.html import Document
from chom_core.demo.place import Place, free_port
from chom_core.demo.post import PostBox, mails, text_of
from chom_core.values.errors import Conflict


def test_one_demo_at_a_time(tmp_path: Path) -> None:
    first = Place(tmp_path / "demo")
    first.open()
    first.write("address", "http://localhost:8000")
    with pytest.raises(Conflict, match="http://localhost:8000"):
        Place(tmp_path / "demo").open()


def test_secrets_are_made_once_and_private_and_go_with_fresh(tmp_path: Path) -> None:
    place = Place(tmp_path / "demo")
    place.open()
    made = place.secrets()
    assert place.secrets() == made
    assert (place.folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert place.folder.stat().st_mode & 0o777 == 0o711
    (place.sites / "old").mkdir(parents=True)
    place.close()
    again = Place(place.folder)
    again.open(fresh=True)
    assert not place.sites.exists() and again.secrets() != made


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(Conflict, match=str(port)):
            free_port(port)
    assert free_port(port) == port


def test_mail_really_goes_by_smtp(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "no-reply@demo.example", "Mara <mara@x.example>", "Grüße"
    mail.set_content("Ein Brief")
    with PostBox(tmp_path) as post, smtplib.SMTP("127.0.0.1", post.port) as client:
        client.send_message(mail)
    found = mails(tmp_path, "mara@x.example")
    assert [one["Subject"] for one in found] == ["Grüße"] and "Ein Brief" in text_of(found[0])
    assert mails(tmp_path, "somebody@else.example") == []
    assert [path.stat().st_mode & 0o777 for path in tmp_path.glob("*.eml")] == [0o600]


def test_the_check_reads_a_form_as_a_browser_would() -> None:
    page = Document(
        '<title>T</title><style>no</style><a href="/x">Go <b>there</b></a><form action="/buy" method="post">'
        '<input type="hidden" name="csrf_token" value="abc"><input name="name"><textarea name="t">two\nlines</textarea>'
        '<input type="radio" name="card" value="1" checked><input type="radio" name="card" value="2">'
        '<input type="checkbox" name="on" value="yes"><select name="s"><option value="a">A<option value="b" selected>B'
        '</select><button name="do" value="pay">Pay</button></form>'
    )
    form = page.forms[0]
    assert (page.title, page.links) == ("T", [("Go there", "/x")])
    assert form.values == {"csrf_token": "abc", "name": "", "t": "two\nlines", "card": "1", "s": "b"}
    assert "on" in form.names and form.buttons == [("do", "pay")]
    assert "no" not in page.text.split()
