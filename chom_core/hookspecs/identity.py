"""Identity hooks."""

from __future__ import annotations

from collections.abc import Mapping

from chom_core.hookspecs.marker import hook
from chom_core.values.identity import Arrival


@hook()
def arrival_facts(arrival: Arrival) -> Mapping[str, str] | None:
    """What this browser brings along (who sent it), asked when somebody signs up or makes an organisation.

    Kept until the organisation is made, then told in the event `organisation.created`, as `brought` by plugin. Asked
    of the platform's plugins; short texts only, twenty at most.
    """
