"""The herald's answers; tests look into `flown` and set `trouble` and `brand`."""

from __future__ import annotations

from collections.abc import Sequence

from chom_core.hookspecs import hookimpl
from chom_core.values.branding import Brand, BrandQuery
from chom_core.values.notifications import Channel, ChannelQuery, Message

flown: list[Message] = []
trouble: list[Exception] = []
brand: list[Brand] = []


class Pigeon:
    name = "pigeon"
    title = "Pigeon"

    def deliver(self, message: Message) -> None:
        if trouble:
            raise trouble.pop()
        flown.append(message)


@hookimpl
def notifications_channels(query: ChannelQuery) -> Sequence[Channel] | None:
    return [Pigeon()]


@hookimpl
def branding_brand(query: BrandQuery) -> Brand | None:
    return brand[0] if brand else None
