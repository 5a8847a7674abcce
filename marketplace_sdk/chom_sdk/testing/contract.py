"""The contract that every plugin keeps, first-party or a stranger's: `TestContract = contract("projects")`.

`sample`, where the plugin shows things with ids, makes one of each for an organisation: it gets the organisation and
a hostile text to put wherever a person may type, and answers {argument of a route: id}.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from chom_sdk.testing import inspection
from chom_sdk.testing.bodies import body
from chom_sdk.testing.surfaces import Call, calls
from chom_sdk.testing.world import Organisation, World

HOSTILE = "<script>alert('chom')</script>\"'{{91*9173}}"
#: What a template engine would make of the hostile text's sum.
_EVALUATED = "834743"
Sample = Callable[[Organisation, str], Mapping[str, Any]]
_PUBLIC = ("public", "person")


def contract(plugin: str, sample: Sample | None = None, settings: Mapping[str, Any] | None = None) -> type:
    """A class of tests for `plugin`. `settings`: a valid set of its settings, where it has any."""
    return type(
        "TestContract",
        (_Contract,),
        {"plugin": plugin, "sample": staticmethod(sample) if sample else None, "valid_settings": settings},
    )


class _Contract:
    plugin: str
    sample: Sample | None
    valid_settings: Mapping[str, Any] | None

    def _sampled(self, organisation: Organisation, text: str = "canary") -> Mapping[str, Any]:
        organisation.enable(self.plugin)
        return self.sample(organisation, text) if self.sample else {}

    def _open(self, organisation: Organisation, call: Call) -> Any:
        reads = call.method in ("GET", "HEAD", "OPTIONS")
        if not call.is_api:
            client = organisation.client()
            data = None if reads else self._form(organisation)
            return client.open(call.url, method=call.method, data=data, buffered=True)
        headers = {"Authorization": f"Bearer {organisation.key()}"}
        sent = None if reads or call.declared.takes is None else body(call.declared.takes)
        client = organisation.world.app.test_client()
        return client.open(call.url, method=call.method, headers=headers, json=sent, buffered=True)

    def _form(self, organisation: Organisation) -> dict[str, str]:
        return {"csrf_token": organisation.world.csrf(organisation.client())}

    def test_it_loads(self, chom: World) -> None:
        """It is found, fits this SDK, is at its schema's head, and its manifest names nothing that is not there."""
        assert inspection.faults_of_manifest(chom.app, self.plugin) == []

    def test_it_knows_only_the_sdk(self) -> None:
        """No import of chom_core, no DML in text(), nothing marked safe in a template."""
        assert inspection.faults_of_source(self.plugin) == []

    def test_hooks_match_their_specs(self) -> None:
        """One argument each, annotated as the specification has it."""
        assert inspection.faults_of_hooks(self.plugin) == []

    def test_migrations_go_up_and_down(self, chom: World) -> None:
        """Down to nothing and up again, and the models are exactly what the migrations make."""
        assert inspection.faults_of_migrations(self.plugin, chom.server.owner_url(chom.database)) == []

    def test_off_means_404_on_every_surface(self, chom: World, organisation: Organisation) -> None:
        """Off: every rule × method is 404, and no hook, job or schedule of it runs."""
        ids = self._sampled(organisation)
        organisation.disable(self.plugin)
        inspection.disable_everywhere(chom, self.plugin)
        answered = {
            f"{call.method} {call.rule}": status
            for call in calls(chom.app, self.plugin, ids)
            if (status := self._open(organisation, call).status_code) != 404
        }
        assert answered == {}
        assert inspection.active_surfaces(chom, organisation.id, self.plugin) == []

    def test_other_organisations_get_404(
        self, chom: World, organisation: Organisation, other_organisation: Organisation
    ) -> None:
        """Whatever has an id answers 404 to another organisation, in every method, and changes nothing."""
        ids = self._sampled(organisation)
        other_organisation.enable(self.plugin)
        before = inspection.rows_of(self.plugin, organisation.id)
        leaks = {}
        for call in calls(chom.app, self.plugin, ids):
            if not call.allowed or not call.arguments & ids.keys() or call.declared.access.who in _PUBLIC:
                continue
            status = self._open(other_organisation, call).status_code
            if status != 404 and call.method != "OPTIONS":
                leaks[f"{call.method} {call.rule}"] = status
        assert leaks == {}
        assert inspection.rows_of(self.plugin, organisation.id) == before

    def test_roles_are_kept(self, chom: World, organisation: Organisation) -> None:
        """Who is not let in by a route's declaration gets 403; nobody gets a page without logging in."""
        from chom_core.values.access import ROLES
        from chom_core.values.principal import Role

        ids = self._sampled(organisation)
        wrong = {}
        for call in calls(chom.app, self.plugin, ids):
            who = call.declared.access.who
            if not call.allowed or call.is_api or call.method == "OPTIONS" or who in _PUBLIC:
                continue
            stranger = chom.app.test_client().open(call.url, method=call.method).status_code
            if stranger not in (303, 400, 401, 403, 404):
                wrong[f"anonymous {call.method} {call.rule}"] = stranger
            for role in Role:
                if who in ROLES and role not in ROLES[who]:
                    data = (
                        {"csrf_token": chom.csrf(organisation.client(role))}
                        if call.method == "POST"
                        else None
                    )
                    status = (
                        organisation.client(role).open(call.url, method=call.method, data=data).status_code
                    )
                    if status != 403:
                        wrong[f"{role} {call.method} {call.rule}"] = status
        assert wrong == {}

    def test_pages_answer_and_escape(self, chom: World, organisation: Organisation) -> None:
        """Every page opens for an owner (of staff, for staff), and shows a hostile text as text."""
        ids = self._sampled(organisation, HOSTILE)
        inspection.enable_for_staff(chom, self.plugin)
        wrong = {}
        for call in calls(chom.app, self.plugin, ids):
            if call.method != "GET" or not call.allowed or (call.arguments - ids.keys()):
                continue
            staff = call.declared.access.who.startswith("staff")
            answer = chom.staff_client.get(call.url) if staff else self._open(organisation, call)
            page = answer.text
            if answer.status_code >= 400:
                wrong[call.url] = f"{answer.status_code} {page[:300]}"
            elif answer.mimetype == "text/html" and ("<script>alert" in page or _EVALUATED in page):
                wrong[call.url] = "a hostile text reached the page unescaped"
        assert wrong == {}

    def test_settings_round_trip(self, chom: World, organisation: Organisation) -> None:
        """What is written is read back; secrets are never shown; rubbish is refused and changes nothing."""
        organisation.enable(self.plugin)
        with inspection.owner_of_settings(organisation, self.plugin):
            assert inspection.faults_of_settings(self.plugin, self.valid_settings) == []

    def test_data_is_exported_and_erased(self, chom: World, organisation: Organisation) -> None:
        """The export is JSON; after erasing, no row of the organisation is left."""
        from chom_core.plugin_host import lifecycle

        self._sampled(organisation)
        with organisation.acting():
            json.dumps(lifecycle.export(self.plugin, organisation.id), default=_only_ids)
        with organisation.acting():
            lifecycle.erase_tenant(organisation.id)
        assert inspection.rows_of(self.plugin, organisation.id) == {}


def _only_ids(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{value!r} in an export is no JSON value")
