"""Pages and their slots, for plugins. A panel is drawn from the plugin's own template."""

from chom_core.values.ui import Column, PageSlot, Panel, ServiceListSlot, ServiceSlot
from chom_core.web.charts import Chart, Series
from chom_core.web.export import csv_response
from chom_core.web.forms import Form
from chom_core.web.patterns import Pattern
from chom_core.web.tables import Filter, ListPage, Sort

__all__ = [
    "Chart",
    "Column",
    "Filter",
    "Form",
    "ListPage",
    "PageSlot",
    "Panel",
    "Pattern",
    "Series",
    "ServiceListSlot",
    "ServiceSlot",
    "Sort",
    "csv_response",
]
