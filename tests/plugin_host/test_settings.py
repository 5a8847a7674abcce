"""A plugin's settings: validated, per organisation, secrets encrypted and never seen again."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import text

from chom_core.database import transaction
from chom_core.plugin_host import settings
from chom_core.plugin_host.models import PluginSettings
from chom_core.values.errors import Invalid, NotFound
from chom_sdk.testing import Organisation

SECRET = "sk_live_do_not_show_me"


def write(organisation: Organisation, **values: object) -> None:
    with organisation.acting():
        settings.write("good", values)


def test_defaults_are_in_force_until_something_is_written(northlight: Organisation) -> None:
    with northlight.acting():
        assert settings.read("good") == {"greeting": "Hello", "refuse": []}


def test_what_is_written_is_read_back_secrets_in_clear_for_its_own_code(northlight: Organisation) -> None:
    write(northlight, greeting="Servus", token=SECRET, refuse=["evil"])
    with northlight.acting():
        assert settings.read("good") == {"greeting": "Servus", "token": SECRET, "refuse": ["evil"]}


def test_a_secret_is_encrypted_in_the_table(northlight: Organisation) -> None:
    write(northlight, token=SECRET)
    with northlight.acting() as here:
        stored = here.execute(
            text("select values::text || coalesce(secrets::text, '') from core.plugin_settings")
        )
        (found,) = stored.scalars()
        assert SECRET not in found
        assert SECRET.encode().hex() not in found


def test_a_form_gets_no_secret_only_whether_there_is_one(northlight: Organisation) -> None:
    write(northlight, greeting="Servus", token=SECRET)
    with northlight.acting():
        assert settings.shown("good") == ({"greeting": "Servus", "refuse": []}, frozenset({"token"}))


def test_a_secret_is_in_no_repr_no_log_and_no_error(
    northlight: Organisation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    write(northlight, token=SECRET)
    with northlight.acting() as here:
        row = here.query(PluginSettings).one()
        assert SECRET not in repr(row)
        with pytest.raises(Invalid) as refused:
            settings.write("good", {"token": SECRET, "greeting": ""})
    assert SECRET not in repr(refused.value) + str(refused.value.fields)
    assert SECRET not in caplog.text
    for path in ("/good/", "/home", "/organisation/activity", "/organisation/features"):
        assert SECRET not in northlight.client().get(path).text


def test_an_empty_secret_keeps_the_one_that_is_stored(northlight: Organisation) -> None:
    write(northlight, token=SECRET)
    write(northlight, token="", greeting="Servus")
    with northlight.acting():
        assert settings.read("good")["token"] == SECRET


def test_rubbish_is_refused_field_by_field_and_changes_nothing(northlight: Organisation) -> None:
    write(northlight, greeting="Servus")
    with northlight.acting(), pytest.raises(Invalid) as refused:
        settings.write("good", {"greeting": "x" * 61, "refuse": 3, "colour": "red"})
    assert set(refused.value.fields) == {"greeting", "refuse", "colour"}
    with northlight.acting():
        assert settings.read("good")["greeting"] == "Servus"


def test_each_organisation_has_its_own(northlight: Organisation, other_organisation: Organisation) -> None:
    write(northlight, greeting="Servus")
    with other_organisation.acting():
        assert settings.read("good")["greeting"] == "Hello"
    with transaction(other_organisation.id) as here:
        assert here.execute(text("select count(*) from core.plugin_settings")).scalar() == 0


def test_a_plugin_without_settings_says_so(northlight: Organisation) -> None:
    with northlight.acting():
        assert settings.read("bad") == {}
        with pytest.raises(NotFound):
            settings.write("bad", {"a": 1})
        with pytest.raises(NotFound):
            settings.read("nowhere")


def test_settings_steer_the_plugin(northlight: Organisation) -> None:
    from chom_core.plugin_host import hooks, said
    from chom_core.values.provisioning import Refusal, ServiceOrder

    write(northlight, refuse=["evil"])
    with northlight.acting():
        asked = [
            said(hooks.provisioning_order_check(ServiceOrder(northlight.id, "good_box", "site", name)))
            for name in ("evil", "fine")
        ]
    assert asked == [[Refusal("Good says no.", "Choose another name.")], []]
