"""What a seller says of itself, the rates of tax that it sets, and its ladder of unpaid invoices.

The same three pages twice: staff's decide for the platform, a reseller's for itself.
"""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from chom_core.billing.pages.base import own_reseller, pages, save
from chom_core.billing.pages.staff import desk
from chom_core.billing.schemas.dunning import TaxRateFormSchema, TermsFormSchema
from chom_core.billing.schemas.selling import SellerFormSchema
from chom_core.billing.service.dunning import desk as dunning_desk
from chom_core.billing.service.dunning import rows as dunning_rows
from chom_core.billing.service.invoicing import sellers, tax
from chom_core.database import PLATFORM_ID, bind_tenant, here
from chom_core.plugin_host import NavItem
from chom_core.web import nav, render
from chom_core.web.forms import Form

nav.add(
    NavItem(_l("Selling details"), "billing_staff.seller", "id", "Staff", "staff_admin", 42),
    NavItem(_l("Tax rates"), "billing_staff.tax_rates", "percentage", "Staff", "staff_admin", 43),
)


@desk.get("/seller", access="staff_admin")
def seller() -> Any:
    """What the platform's invoices say of it, and how they are numbered."""
    bind_tenant(PLATFORM_ID)
    return _seller(_seller_form())


@desk.post("/seller", access="staff_admin")
def seller_post() -> Any:
    """Change it for the next invoice. Those of before are frozen."""
    bind_tenant(PLATFORM_ID)
    return _seller_saved()


@pages.get("/billing/reselling/seller", endpoint="reselling_seller")
def own_seller() -> Any:
    """What the reseller's invoices say of it, and how they are numbered."""
    own_reseller()
    return _seller(_seller_form())


@pages.post("/billing/reselling/seller", endpoint="reselling_seller_post")
def own_seller_post() -> Any:
    """Change it for the next invoice. Those of before are frozen."""
    own_reseller()
    return _seller_saved()


@desk.get("/tax", access="staff_admin")
def tax_rates() -> Any:
    """What the platform charges where, and a form for another rate."""
    bind_tenant(PLATFORM_ID)
    return _taxes(Form(TaxRateFormSchema()))


@desk.post("/tax", access="staff_admin")
def tax_rate_post() -> Any:
    """Set a rate from a day on. Invoices of before are frozen."""
    bind_tenant(PLATFORM_ID)
    return _tax_saved()


@pages.get("/billing/reselling/tax", endpoint="reselling_tax")
def own_tax_rates() -> Any:
    """What the reseller charges where, and a form for another rate."""
    own_reseller()
    return _taxes(Form(TaxRateFormSchema()))


@pages.post("/billing/reselling/tax", endpoint="reselling_tax_post")
def own_tax_rate_post() -> Any:
    """Set a rate from a day on. Invoices of before are frozen."""
    own_reseller()
    return _tax_saved()


@desk.get("/unpaid/terms", access="staff_admin")
def terms() -> Any:
    """The platform's ladder."""
    bind_tenant(PLATFORM_ID)
    return _terms(_terms_form())


@desk.post("/unpaid/terms", access="staff_admin")
def terms_post() -> Any:
    """Change it, for invoices that fail from now on."""
    bind_tenant(PLATFORM_ID)
    return _terms_saved()


@pages.get("/billing/reselling/terms", endpoint="reselling_terms")
def own_terms() -> Any:
    """The reseller's ladder, for its customers."""
    own_reseller()
    return _terms(_terms_form())


@pages.post("/billing/reselling/terms", endpoint="reselling_terms_post")
def own_terms_post() -> Any:
    """Change it, for invoices that fail from now on."""
    own_reseller()
    return _terms_saved()


def _seller_form() -> Form:
    known = sellers.seller()
    return Form(SellerFormSchema(), {name: getattr(known, name) for name in sellers.SELLER_FIELDS})


def _seller_saved() -> Any:
    form = _seller_form()
    saved = save(form, sellers.update_seller, _("Saved. The next invoice carries it."))
    return saved or (_seller(form), form.status)


def _seller(form: Form) -> str:
    return _render("billing/seller.html", form, seller=sellers.seller())


def _tax_saved() -> Any:
    form = Form(TaxRateFormSchema())
    saved = save(form, lambda values: tax.set_rate(**values), _("The rate is set."))
    return saved or (_taxes(form), form.status)


def _taxes(form: Form) -> str:
    known = sellers.seller()
    return _render("billing/tax_rates.html", form, seller=known, rates=tax.rates(known.id))


def _terms_form() -> Form:
    known = dunning_rows.policy(here())
    return Form(
        TermsFormSchema(), known.data() | {"retry_days": ", ".join(str(one) for one in known.retry_days)}
    )


def _terms_saved() -> Any:
    form = _terms_form()
    said = _("Saved: it holds for invoices that fail from now on.")
    return save(form, dunning_desk.set_policy, said) or (_terms(form), form.status)


def _terms(form: Form) -> str:
    return _render("billing/terms.html", form)


def _render(template: str, form: Form, **more: Any) -> str:
    """`resells`: on the page of a reseller; `decides`: it may change what it sees there."""
    resells = here() != PLATFORM_ID
    return render(template, form=form, resells=resells, decides=sellers.decides(), **more)
