"""The one `before_request` of the house: unit of work, principal, organisation, gate, access, in this order.

A request is a unit of work: it commits when the answer is below 400 and rolls back otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from uuid import UUID

import structlog
from flask import Flask, Request, Response, g, request
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from chom_core.database import bind_tenant, current, transaction
from chom_core.database.unit import current_or_none
from chom_core.plugin_host import gate
from chom_core.rest.access import Declared, routes
from chom_core.values.errors import NotFound, Unauthenticated
from chom_core.values.ids import uuid7
from chom_core.values.principal import ANONYMOUS, Principal

Authenticator = Callable[[Request], Principal]
#: Tells the organisation of a route whose tenant comes from the path or the host; identity fills it.
Locator = Callable[[Request, Principal], UUID | None]


def principal() -> Principal:
    """Who asks. Anonymous outside of a request."""
    unit = current_or_none()
    return unit.principal if unit else ANONYMOUS


def organisation_id() -> UUID:
    """The organisation of this request; Unauthenticated where the person has none chosen."""
    tenant_id = current().tenant_id
    if tenant_id is None:
        raise Unauthenticated(
            _("No organisation is chosen."), fix=_("Log in, or make an organisation first.")
        )
    return tenant_id


class RequestGate:
    """Stands before every view of an app."""

    def __init__(self, authenticate: Authenticator, locate: Locator) -> None:
        self.authenticate = authenticate
        self.locate = locate

    def init_app(self, app: Flask) -> None:
        app.before_request(self.enter)
        app.after_request(self.finish)
        app.teardown_request(self.leave)

    def enter(self) -> None:
        g.started, g.request_id = perf_counter(), uuid7().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id)
        declared = self._declared()
        if declared is None:
            return
        g.work = transaction(principal=ANONYMOUS)
        g.work.__enter__()
        unit = current()
        unit.principal = self.authenticate(request)
        if unit.principal.person_id is not None:
            structlog.contextvars.bind_contextvars(person=str(unit.principal.person_id))
        tenant_id = self._organisation(declared, unit.principal)
        if tenant_id is not None:
            bind_tenant(tenant_id)
            structlog.contextvars.bind_contextvars(tenant=str(tenant_id))
        access = declared.access
        if declared.plugin is not None:
            if access.who != "public" and unit.principal.kind == "anonymous":
                access.check(unit.principal)
            if not gate.is_enabled(tenant_id, declared.plugin):
                raise NotFound(_("This page does not exist, or the feature it belongs to is off."))
            structlog.contextvars.bind_contextvars(plugin=declared.plugin)
        if request.routing_exception is None:
            access.check(unit.principal)

    def _organisation(self, declared: Declared, who: Principal) -> UUID | None:
        source = declared.access.tenant
        if source in ("session", "key"):
            return who.tenant_id
        return self.locate(request, who) if source in ("path", "host") else None

    def _declared(self) -> Declared | None:
        """The declaration of the route, also of one that answers 405 or a redirect: a feature that is off must not
        be given away by them."""
        endpoint = request.endpoint or self._nearly()
        declared = routes(_app()).get(endpoint) if endpoint is not None else None
        return None if declared is None or declared.bare else declared

    def _nearly(self) -> str | None:
        """The endpoint behind a 405 or a redirect, or behind both: a wrong method at a path with a doubled slash."""
        adapter = _app().create_url_adapter(request)
        error, method, path = request.routing_exception, request.method, None
        for _turn in range(3):
            if adapter is None:
                return None
            if isinstance(error, MethodNotAllowed) and error.valid_methods:
                method = next(iter(error.valid_methods))
            elif isinstance(error, RequestRedirect):
                path = "/" + error.new_url.split("://", 1)[-1].partition("/")[2].split("?", 1)[0]
            else:
                return None
            try:
                return str(adapter.match(path_info=path, method=method)[0])
            except HTTPException as inner:
                error = inner
        return None

    def finish(self, response: Response) -> Response:
        unit = current_or_none()
        if unit is None or "work" not in g:
            return response
        if response.status_code < 400:
            unit.session.commit()
        else:
            unit.session.rollback()
            unit.callbacks.clear()
        response.headers.setdefault("X-Request-Id", g.request_id)
        return response

    def leave(self, error: BaseException | None) -> None:
        work = g.pop("work", None)
        if work is None:
            return
        unit = current()
        if error is not None:
            unit.session.rollback()
            unit.callbacks.clear()
        work.__exit__(None, None, None)
        structlog.contextvars.clear_contextvars()


def _app() -> Flask:
    from flask import current_app

    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return]
