"""A line of use as an invoice carries it: its words, what it shows as quantity, and the details that explain it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from chom_core.billing.rules.rounding import exact
from chom_core.billing.service.invoicing.rating import Charge, describe
from chom_core.billing.service.usage import tariffs
from chom_core.billing.service.usage.rating import UsageLine
from chom_core.plugin_host import Meter
from chom_core.values.money import Money, exponent


def charge(line: UsageLine) -> Charge:
    """The line; its closing is written from `details`."""
    unit, quantity = _shown(line)
    return Charge(
        plan=line.of.items[0].plan_code if line.of.items else "",
        kind="usage",
        title=_words(line),
        unit=unit,
        quantity=quantity,
        period=line.month,
        amount=line.amount,
        source=f"usage:{line.name}",
        details=details(line),
        subscription_id=line.of.id,
    )


def details(line: UsageLine) -> dict[str, Any]:
    """As JSON: what was used, by how many events, what is included, what was billed before, and the steps of it."""
    return {
        "subscription": str(line.of.id), "meter": line.name, "start": line.month.start.isoformat(),
        "end": line.month.end.isoformat(), "number": line.number, "quantity": str(line.use.quantity),
        "events": line.use.events, "billed": line.billed.amount, "fees": line.fees.amount, "interim": line.interim,
        "late": line.late, "terms": tariffs.terms(line.tariff),
        "steps": [{"units": str(step.units), "unit": str(step.unit), "flat": str(step.flat)}
                  for step in line.rated.steps],
    }  # fmt: skip


def amount_words(quantity: Decimal, meter: Meter | None = None) -> str:
    """«40.5 GB»: at most three decimals, no zeros behind them."""
    text = f"{round(quantity, 3):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {meter.unit}".strip() if meter is not None else text


def _shown(line: UsageLine) -> tuple[Money, Decimal]:
    """The unit and how many, where their product is the whole truth; else the amount, once."""
    steps, rated = line.rated.steps, line.rated
    if (
        len(steps) == 1
        and not steps[0].flat
        and not line.billed
        and rated.amount == rated.gross == line.amount
    ):
        cents = exact(steps[0].unit) * 10 ** exponent(line.of.currency)
        quantity = round(steps[0].units, 6)
        unit = Money(int(cents), line.of.currency)
        if cents.denominator == 1 and unit.times(quantity) == line.amount:
            return unit, quantity
    return line.amount, Decimal(1)


def _words(line: UsageLine) -> str:
    """«Storage: 40 GB, 10 included, 22 Oct 2026 – 22 Nov 2026»."""
    words = f"{line.meter.title}: {amount_words(line.use.quantity, line.meter)}"
    if line.tariff.included:
        words += ", " + _("%(count)s included", count=amount_words(line.tariff.included))
    if line.interim:
        words += ", " + _("so far")
    if line.late:
        words += ", " + _("late and corrected events")
    elif line.billed:
        words += ", " + _("less what was billed before")
    return describe(words, line.month)
