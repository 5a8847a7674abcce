"""The style sheet, the brand page and its preview, through the whole application."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from flask import Flask

from chom_core.branding.service import save_brand
from chom_core.database import PLATFORM_ID, transaction
from chom_core.values.branding import Brand
from tests.conftest import make_tenant
from tests.notifications.conftest import Mailbox, mailbox, make_person  # noqa: F401
from tests.notifications.test_pages import app, client, post  # noqa: F401

GREEN = {"name": "Brightside", "theme": "default", "primary": "#0a6b58"}


def test_a_page_links_the_sheet_of_its_brand(app: Flask) -> None:  # noqa: F811
    page = client(app).get("/login").text
    found = re.search(r'href="(/theme\.css\?v=[0-9a-f]{12})"', page)
    assert found is not None
    sheet = client(app).get(found[1])
    assert sheet.mimetype == "text/css"
    assert "immutable" in sheet.headers["Cache-Control"]
    assert "--chom-primary: light-dark(#3056d3" in sheet.text
    assert client(app).get("/theme.css?v=old").headers["Cache-Control"] == "no-cache"
    with transaction(PLATFORM_ID):
        save_brand(Brand(name="Lanternworks", light={"primary": "#8a1f5c"}))
    page = client(app).get("/login").text
    assert found[1] not in page
    assert "Lanternworks" in page
    assert "light-dark(#8a1f5c" in client(app).get("/theme.css").text


def test_staff_set_the_look_and_a_hostile_one_is_refused_beside_its_field(app: Flask) -> None:  # noqa: F811
    dana = client(app, make_person("Dana", PLATFORM_ID, "owner"), PLATFORM_ID)
    assert "Brand colour" in dana.get("/staff/brand").text
    assert (
        post(dana, "/staff/brand", "/staff/brand", **GREEN, preset="compact", words="Organisation = Studio")[
            0
        ]
        == 303
    )
    sheet = dana.get("/theme.css").text
    assert "light-dark(#0a6b58" in sheet
    assert "--chom-radius: 4px" in sheet
    again = dana.get("/staff/brand").text
    assert "#0a6b58" in again
    assert "Organisation = Studio" in again
    for hostile in (
        {"primary": "#fff;}*{display:none"}, {"font": "x;}"}, {"theme": "gone"}, {"logo_url": "javascript:alert(1)"},
        {"logo_url": "//evil.example/x"}, {"name": "<b>"}, {"words": "no sign"}, {"mail_address": "a\r\nBcc: b@c.de"},
    ):  # fmt: skip
        assert post(dana, "/staff/brand", "/staff/brand", **{**GREEN, **hostile})[0] == 422, hostile
    assert "light-dark(#0a6b58" in dana.get("/theme.css").text


def test_a_reseller_sets_its_own_and_a_customer_finds_no_such_page(app: Flask) -> None:  # noqa: F811
    reseller = make_tenant("Brightside", kind="reseller")
    customer = make_tenant("Cafe", parent=reseller)
    bea, carl = make_person("Bea", reseller), make_person("Carl", customer)
    assert post(client(app, bea, reseller), "/organisation/brand", "/organisation/brand", **GREEN)[0] == 303
    page = client(app, carl, customer)
    assert "Brightside" in page.get("/notifications").text
    assert page.get("/organisation/brand").status_code == 404
    assert page.get("/staff/brand").status_code == 403


@pytest.mark.parametrize("value", ["#0a6b58", "#fff}*{color:red", "url(x)", "#eeeeee"])
def test_the_preview_shows_what_is_posted_in_its_own_box(app: Flask, value: str) -> None:  # noqa: F811
    dana = client(app, make_person("Dana", PLATFORM_ID, "owner"), PLATFORM_ID)
    answer = dana.get("/staff/brand/preview", query_string={**GREEN, "primary": value})
    assert answer.status_code == 200
    css = client(app).get("/brand/preview.css", query_string={**GREEN, "primary": value})
    assert css.mimetype == "text/css"
    if value.startswith("#") and len(value) == 7:
        assert f"--chom-primary: light-dark({value}" in css.text
        assert ":root" not in css.text
        assert "/brand/preview.css?" in answer.text
    else:
        assert css.text == ""
        assert "cannot be saved" in answer.text


def _uses(_: UUID, __: Mailbox) -> None: ...
