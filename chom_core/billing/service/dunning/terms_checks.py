"""Can a ladder be climbed? Each error names its field."""

from __future__ import annotations

from flask_babel import gettext as _

from chom_core.billing.rules.ladder import Terms

#: How many tries, days to a suspension, days to the end, and rungs before the second address hears of it, at most.
TRIES, SUSPENSION, END, RUNGS = 12, 365, 730, 20


def errors(of: Terms) -> dict[str, list[str]]:
    """What is wrong with a seller's terms, by field."""
    found: dict[str, list[str]] = {}
    days = of.retry_days
    if not days or days[0] != 0 or len(days) > TRIES or list(days) != sorted(set(days)):
        words = _("Days in order, beginning with 0, at most %(most)s: for example 0, 3, 5, 7.", most=TRIES)
        found["retry_days"] = [words]
    elif days[-1] >= of.suspend_day:
        found["retry_days"] = [_("The last try comes before the day of suspension.")]
    if not 1 <= of.suspend_day <= SUSPENSION:
        found["suspend_day"] = [_("Between 1 and %(most)s.", most=SUSPENSION)]
    if not of.suspend_day <= of.end_day <= END:
        found["end_day"] = [_("Not before the day of suspension, and at most %(most)s.", most=END)]
    if not 1 <= of.warn_days <= of.suspend_day:
        found["warn_days"] = [_("At least 1, and not before the first day.")]
    if not 0 <= of.contact_rung <= RUNGS:
        found["contact_rung"] = [_("Between 0 and %(most)s.", most=RUNGS)]
    if of.outcome not in ("keep", "cancel"):
        found["outcome"] = [_("Either keep or cancel.")]
    return found
