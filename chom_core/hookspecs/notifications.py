"""Notifications hooks: further ways to reach people."""

from __future__ import annotations

from collections.abc import Sequence

from chom_core.hookspecs.marker import hook
from chom_core.values.notifications import Channel, ChannelQuery


@hook()
def notifications_channels(query: ChannelQuery) -> Sequence[Channel] | None:
    """Channels beside inbox and mail (chat, SMS), as objects that deliver one message each.

    Asked when a person sets preferences, when somebody is notified, and in the job that delivers. With
    `query.person_id`, answer only those through which that person can be reached now. The core calls `deliver`
    from a job, never in a request. Two channels with one name: the first in plugin order wins.
    """
