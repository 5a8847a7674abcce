"""Routes of pages: each declares who may call it, and a plugin's run as that plugin."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Blueprint

from chom_core.database import acting_as
from chom_core.rest.access import declare, who_may
from chom_core.values.access import Access, TenantFrom, Who

if TYPE_CHECKING:
    from flask import Flask

F = TypeVar("F", bound=Callable[..., Any])


class Pages(Blueprint):
    """A group of HTML pages: `pages = Pages("projects", __name__, prefix="/projects")`.

    `access` and `tenant` hold for every route that does not say otherwise; a route with no access is refused. GET pages
    read; POST, and only POST, writes.
    """

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        prefix: str = "",
        access: Who | None = None,
        tenant: TenantFrom = "session",
    ) -> None:
        super().__init__(
            name, import_name, url_prefix=prefix, template_folder="templates", static_folder=None
        )
        self.plugin: str | None = None
        self._default = (access, tenant)

    def get(self, rule: str, **options: Any) -> Callable[[F], F]:
        return self._add("GET", rule, **options)

    def post(self, rule: str, **options: Any) -> Callable[[F], F]:
        return self._add("POST", rule, **options)

    def _add(
        self,
        method: str,
        rule: str,
        *,
        access: Who | None = None,
        tenant: TenantFrom | None = None,
        endpoint: str = "",
    ) -> Callable[[F], F]:
        who = who_may(f"{self.name}: {method} {rule}", access, self._default[0])
        declared = Access(who, tenant or self._default[1])

        def decorate(view: F) -> F:
            name = endpoint or view.__name__

            @wraps(view)
            def run(*args: Any, **kwargs: Any) -> Any:
                with acting_as(self.plugin or "core"):
                    return view(*args, **kwargs)

            self.add_url_rule(rule, name, run, methods=[method])
            self.record(
                lambda state: declare(cast("Flask", state.app), f"{state.name}.{name}", declared, self.plugin)
            )
            return view

        return decorate
