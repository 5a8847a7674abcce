"""Switching: who may, what it shows at once, what the log keeps, and what is never cached."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.audit import AuditEntry
from chom_core.database import PLATFORM_ID, transaction
from chom_core.plugin_host import gate
from tests.console.conftest import Desk


def entries(tenant_id: UUID, action: str) -> list[AuditEntry]:
    with transaction(tenant_id) as work:
        return list(
            work.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id))
        )


def staff_switch(desk: Desk, tenant_id: UUID, do: str, note: str = "pilot", who: str = "dana") -> int:
    path = f"/staff/plugins/glow/organisations/{tenant_id}"
    page = "/staff/plugins/glow"
    return desk.browser(who).post(path, {"do": do, "note": note}, page=page).status_code


def test_two_organisations_differ_at_once(desk: Desk) -> None:
    mara, paul = desk.browser("mara"), desk.browser("paul")
    assert (mara.get("/glow/").status_code, paul.get("/glow/").status_code) == (404, 404)
    assert staff_switch(desk, desk.north, "on") == 303
    assert (mara.get("/glow/").status_code, paul.get("/glow/").status_code) == (200, 404)
    assert 'href="/glow/"' in mara.get("/organisation/features/").get_data(as_text=True)
    assert 'href="/glow/"' not in paul.get("/organisation/features/").get_data(as_text=True)
    assert staff_switch(desk, desk.north, "off") == 303
    assert mara.get("/glow/").status_code == 404
    assert staff_switch(desk, desk.north, "unswitch") == 303
    with transaction():
        assert "no plan" in gate.effective_state(desk.north, "glow").why


def test_the_log_and_the_page_name_who_and_why(desk: Desk) -> None:
    staff_switch(desk, desk.north, "on", "pilot until June")
    (entry,) = entries(desk.north, "plugin.switched_on")
    assert (entry.actor_id, entry.actor_kind, entry.reason) == (
        desk.people["dana"],
        "staff",
        "pilot until June",
    )
    assert entry.subject_id == "glow"
    assert entry.after == {"on": True, "by": "staff", "effective": True}
    for path in (f"/staff/organisations/{desk.north}", "/staff/plugins/glow?q=North"):
        page = desk.browser("dana").get(path).get_data(as_text=True)
        assert "Dana," in page and "«pilot until June»" in page, path
    assert "«pilot until June»" in desk.browser("mara").get("/organisation/features/glow").get_data(
        as_text=True
    )


def test_a_note_is_asked_for_and_support_may_not_switch(desk: Desk) -> None:
    assert staff_switch(desk, desk.north, "on", note="  ") == 303
    assert staff_switch(desk, desk.north, "on", who="piotr") == 403
    assert staff_switch(desk, desk.north, "on", who="mara") == 403
    assert entries(desk.north, "plugin.switched_on") == []


def test_stopping_everywhere_and_letting_go_on(desk: Desk) -> None:
    staff_switch(desk, desk.north, "on")
    mara, dana = desk.browser("mara"), desk.browser("dana")
    assert mara.get("/glow/").status_code == 200
    dana.post("/staff/plugins/glow/switch", {"on": "0", "note": "it burns"}, page="/staff/plugins/glow")
    assert mara.get("/glow/").status_code == 404
    assert "it burns" in mara.get("/organisation/features/glow").get_data(as_text=True)
    assert "it burns" in dana.get("/staff/plugins").get_data(as_text=True)
    dana.post("/staff/plugins/glow/switch", {"on": "1", "note": "mended"}, page="/staff/plugins/glow")
    assert mara.get("/glow/").status_code == 200
    assert [e.reason for e in entries(PLATFORM_ID, "plugin.switched_off")] == ["it burns"]


def test_a_platform_plugin_is_switched_for_everyone_only(desk: Desk) -> None:
    dana = desk.browser("dana")
    path = f"/staff/plugins/beacon/organisations/{desk.north}"
    assert "for everyone at once" in dana.post(
        path, {"do": "on", "note": "x"}, page="/staff/plugins/beacon", follow_redirects=True
    ).get_data(as_text=True)
    assert not gate.is_enabled(desk.north, "beacon")
    dana.post("/staff/plugins/beacon/switch", {"on": "1", "note": "ready"}, page="/staff/plugins/beacon")
    assert gate.is_enabled(desk.north, "beacon") and gate.is_enabled(None, "beacon")
    assert desk.browser("mara").get("/organisation/features/beacon").status_code == 404


def test_the_owner_consents_switches_and_is_refused_what_is_not_granted(desk: Desk) -> None:
    mara = desk.browser("mara")
    page, path = "/organisation/features/glow", "/organisation/features/glow/switch"
    consent = {"on": "1", "scope": ["glow:read", "glow:write"]}
    assert mara.post(path, consent, page=page).status_code == 409  # in no plan of hers
    with transaction():
        gate.entitle(desk.north, "item:1", ["glow"], "Pro")
    assert "On: in Pro" in mara.get(page).get_data(as_text=True)
    off = mara.post(path, {"on": "0", "note": "too bright"}, page=page, follow_redirects=True).get_data(
        as_text=True
    )
    assert "Mara" in off and "too bright" in off
    assert mara.get("/glow/").status_code == 404
    refused = mara.post(path, {"on": "1", "scope": ["glow:read"]}, page=page)
    assert refused.status_code == 422 and "Make things glow" in refused.get_data(as_text=True)
    assert mara.post(path, consent, page=page).status_code == 303
    assert mara.get("/glow/").status_code == 200
    assert [e.after["consented"] for e in entries(desk.north, "plugin.switched_on") if e.after] == [
        ["glow:read", "glow:write"]
    ]
    assert desk.browser("vera").get(page).status_code == 403
    with transaction():
        assert not gate.is_enabled(desk.pine, "glow")


def test_what_stays_and_what_stops(desk: Desk) -> None:
    with transaction():
        gate.entitle(desk.north, "item:1", ["glow"], "Pro")
    page = desk.browser("mara").get("/organisation/features/glow").get_data(as_text=True)
    for words in (
        "What stays",
        "Its pages: Glow",
        "Scheduled work: nightly",
        "part of Pro, whose price stays",
    ):
        assert words in page, words


def test_a_state_read_before_the_commit_is_not_cached(desk: Desk) -> None:
    with transaction(desk.north):
        gate.entitle(desk.north, "item:1", ["glow"], "Pro")
        assert gate.is_enabled(desk.north, "glow")  # the unit sees its own change
        with transaction():
            assert not gate.is_enabled(desk.north, "glow")  # nobody else does yet
    assert gate.is_enabled(desk.north, "glow")


def test_a_change_that_rolled_back_leaves_no_trace(desk: Desk) -> None:
    def change_and_break() -> None:
        with transaction(desk.north):
            gate.entitle(desk.north, "item:1", ["glow"], "Pro")
            assert gate.is_enabled(desk.north, "glow")
            raise LookupError

    with pytest.raises(LookupError):
        change_and_break()
    with transaction():  # takes the very generation that the lost change had
        gate.entitle(desk.north, "item:2", [], "")
    assert not gate.is_enabled(desk.north, "glow")


def test_switching_twice_in_one_unit_ends_where_the_second_says(desk: Desk) -> None:
    with transaction():
        gate.switch(desk.north, "glow", on=True, by="staff", note="a")
        assert not gate.switch(desk.north, "glow", on=False, by="staff", note="b").on
    assert not gate.is_enabled(desk.north, "glow")


def test_settings_of_an_organisation_and_of_the_platform(desk: Desk) -> None:
    mara, dana, page = desk.browser("mara"), desk.browser("dana"), "/organisation/features/glow"
    wrong = mara.post(f"{page}/settings", {"colour": "x", "lamps": "3"}, page=page)
    assert wrong.status_code == 422 and 'value="x"' in wrong.get_data(as_text=True)
    good = {"colour": "amber", "lamps": "4", "api_word": "canary-secret-word"}
    assert mara.post(f"{page}/settings", good, page=page).status_code == 303
    again = mara.get(page).get_data(as_text=True)
    assert "amber" in again and "canary-secret-word" not in again
    assert mara.post(f"{page}/settings", {"colour": "green", "lamps": "4"}, page=page).status_code == 303
    from chom_core.plugin_host import settings

    with transaction(desk.north):
        kept = settings.read("glow")
    assert kept == {"colour": "green", "lamps": 4, "api_word": "canary-secret-word"}
    with transaction(desk.pine):
        assert settings.read("glow") == {"lamps": 3}
    changes = entries(desk.north, "plugin.settings_changed")
    assert len(changes) == 2 and "canary" not in str([(e.before, e.after) for e in changes])
    there = "/staff/plugins/beacon"
    answer = dana.post(f"{there}/settings", {"host": "lamp.example", "word": "w-canary"}, page=there)
    assert answer.status_code == 303
    shown = dana.get(there).get_data(as_text=True)
    assert "lamp.example" in shown and "w-canary" not in shown
    assert dana.post("/staff/plugins/glow/settings", {"colour": "red"}, page=there).status_code == 404
    assert desk.browser("piotr").post(f"{there}/settings", {"host": "x"}, page=there).status_code == 403
