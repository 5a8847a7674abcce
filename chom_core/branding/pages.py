"""The style sheet of the request's brand, and the page where staff and resellers set their look, with a preview."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from chom_core.branding import service, themes
from chom_core.branding.context import PATH, context, page_brand
from chom_core.branding.schemas import BrandSchema
from chom_core.database import PLATFORM_ID, Tenant, current, session, transaction
from chom_core.plugin_host import NavItem
from chom_core.rest import principal
from chom_core.values.branding import Brand
from chom_core.values.errors import ChomError, Invalid, NotFound
from chom_core.web import Pages, nav, render
from chom_core.web.forms import Form

pages = Pages("branding", __name__, access="staff_admin")
pages.app_context_processor(context)
nav.add(NavItem(_l("Brand"), "branding.staff_brand", "palette", "Staff", "staff_admin", 80))

_TOKEN_FIELDS = {"light.primary": "primary", "dark.primary": "primary_dark", "fonts.body": "font"}


@pages.get(PATH, access="public")
def theme_sheet() -> BaseResponse:
    """The tokens of the request's brand. Under its own version it may be kept for a year."""
    body, version = service.sheet(page_brand())
    response = make_response(body)
    response.mimetype = "text/css"
    fresh = request.args.get("v") == version
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable" if fresh else "no-cache"
    response.set_etag(version)
    return response.make_conditional(request)


@contextmanager
def _inside(tenant_id: UUID) -> Iterator[None]:
    """In a unit of work of `tenant_id`: the request's own where it is that one."""
    if current().tenant_id == tenant_id:
        yield
        return
    with transaction(tenant_id, principal()):
        yield


@pages.get("/staff/brand")
def staff_brand() -> str:
    """The platform's look."""
    with _inside(PLATFORM_ID):
        return _page(_form(service.own_brand()), "/staff/brand")


@pages.post("/staff/brand")
def staff_brand_save() -> BaseResponse | tuple[str, int]:
    """Save the platform's look."""
    return _save(PLATFORM_ID, "/staff/brand")


@pages.get("/organisation/brand", access="admin")
def reseller_brand() -> str:
    """A reseller's look."""
    _reseller()
    return _page(_form(service.own_brand()), "/organisation/brand")


@pages.post("/organisation/brand", access="admin")
def reseller_brand_save() -> BaseResponse | tuple[str, int]:
    """Save a reseller's look."""
    return _save(_reseller(), "/organisation/brand")


@pages.get("/brand/preview", access="admin")
def preview() -> str:
    """The preview of a form that is not saved: a fragment, asked for while somebody edits."""
    return _preview()


@pages.get("/staff/brand/preview")
def staff_preview() -> str:
    """The same for staff, whose own organisation may be another."""
    return _preview()


@pages.get("/brand/preview.css", access="public", tenant="none")
def preview_sheet() -> Response:
    """Tokens for the preview's own box, made of the query: validated like every other, so it can show nothing else."""
    form = Form(BrandSchema(), choices=_choices()).parse(request.args)
    css = service.preview(_brand(form, Brand()))[0] if not form.errors else ""
    response = make_response(css)
    response.mimetype = "text/css"
    return response


def _reseller() -> UUID:
    tenant_id = current().tenant_id
    kind = session().get_one(Tenant, tenant_id).kind
    if tenant_id is None or kind not in ("reseller", "platform"):
        raise NotFound(_("Only resellers have a look of their own."))
    return tenant_id


def _choices() -> dict[str, list[tuple[str, str]]]:
    found = themes.installed().found
    names = [(name, theme.title) for name, theme in found.items()] or [("default", "CHOM")]
    presets = dict.fromkeys(preset for theme in found.values() for preset in theme.layouts)
    return {"theme": names, "preset": [(name, name.capitalize()) for name in presets]}


def _form(brand: Brand) -> Form:
    preset = [name for name, layout in _layouts(brand.theme).items() if dict(layout) == dict(brand.layout)]
    data = {
        **{name: getattr(brand, name) for name in BrandSchema().fields if hasattr(brand, name)},
        "primary": brand.light.get("primary", ""),
        "primary_dark": brand.dark.get("primary", ""),
        "font": brand.fonts.get("body", ""),
        "preset": preset[0] if preset else "",
        "words": [f"{word} = {own}" for word, own in brand.words.items()],
    }
    return Form(BrandSchema(), data, choices=_choices())


def _layouts(theme: str) -> dict[str, Any]:
    return dict(themes.installed().get(theme).layouts)


def _words(lines: list[str]) -> dict[str, str]:
    pairs = [line.partition("=") for line in lines if line.strip()]
    if any(not sign or not word.strip() or not own.strip() for word, sign, own in pairs):
        raise Invalid(fields={"words": [_("Write each line as: Organisation = Studio")]})
    return {word.strip(): own.strip() for word, _sign, own in pairs}


def _brand(form: Form, kept: Brand) -> Brand:
    """The form as a brand. Tokens that the form does not show (an import, a plugin) are kept, except its own four."""
    values = form.values
    texts = {name: value for name, value in values.items() if hasattr(kept, name) and name != "words"}

    def token(old: Any, name: str, value: str) -> dict[str, str]:
        return {**{k: v for k, v in old.items() if k != name}, **({name: value} if value else {})}

    return Brand(
        **texts,
        light=token(kept.light, "primary", values["primary"]),
        dark=token(kept.dark, "primary", values["primary_dark"]),
        fonts=token(kept.fonts, "body", values["font"]),
        layout=dict(_layouts(values["theme"]).get(values["preset"], {})),
        words=_words(values["words"]),
    )


def _save(tenant_id: UUID, back: str) -> BaseResponse | tuple[str, int]:
    form = Form(BrandSchema(), choices=_choices()).parse(request.form)
    if not form.errors:
        try:
            with _inside(tenant_id):
                service.save_brand(_brand(form, service.own_brand()))
        except ChomError as error:
            _refuse(form, error)
        else:
            flash(_("Saved. Everyone who wears this look sees it with their next page."), "success")
            return redirect(back, 303)
    return _page(form, back), form.status


def _refuse(form: Form, error: ChomError) -> None:
    """Show token errors beside the field they came from."""
    fields = {_TOKEN_FIELDS.get(name, name): texts for name, texts in error.fields.items()}
    known = {name: texts for name, texts in fields.items() if name in form.schema.fields}
    rest = {name: texts for name, texts in fields.items() if name not in known}
    for name, texts in rest.items():  # what the form has no field for still has to be read
        known.setdefault("theme", []).extend(f"{name}: {text}" for text in texts)
    form.refuse(Invalid(error.detail, fix=error.fix, fields=known))


def _page(form: Form, action: str) -> str:
    posted = request.form if request.method == "POST" else _as_posted(form)
    where = "branding.staff_preview" if action.startswith("/staff") else "branding.preview"
    found = {
        "form": form,
        "action": action,
        "preview_url": url_for(where),
        "skipped": themes.installed().skipped,
    }
    return render("branding/brand.html", **found, **_preview_facts(posted))


def _as_posted(form: Form) -> MultiDict[str, str]:
    shown = ((one.name, one.value) for one in form.inputs)
    return MultiDict(
        (name, "\n".join(value) if isinstance(value, list) else str(value)) for name, value in shown
    )


def _preview() -> str:
    return render("branding/preview.html", **_preview_facts(request.args))


def _preview_facts(posted: MultiDict[str, str]) -> dict[str, Any]:
    form = Form(BrandSchema(), choices=_choices()).parse(posted)
    looks = ("theme", "preset", "primary", "primary_dark", "font", "name")
    errors = {name: texts for name, texts in form.errors.items() if name in looks and name != "name"}
    if not form.errors:
        try:
            errors = service.preview(_brand(form, Brand()))[1]
        except Invalid as error:
            errors = error.fields
    query: dict[str, Any] = {name: posted.get(name, "") for name in looks if posted.get(name)}
    query.setdefault("name", "-")
    css = url_for("branding.preview_sheet", **query) if not errors else ""
    return {"preview_css": css, "preview_errors": errors, "preview_name": posted.get("name", "")}
