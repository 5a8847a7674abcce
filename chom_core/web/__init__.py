"""What every page shares: layout, components, forms, slots, menu, security headers, errors."""

from flask import render_template as render

from chom_core.web.away import away
from chom_core.web.routes import Pages
from chom_core.web.slots import slot

__all__ = ["Pages", "away", "render", "slot"]
