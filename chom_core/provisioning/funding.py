"""The seam to whoever pays. Billing stands a floor above and fills it at import; without billing all is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chom_core.values.provisioning import Funding, ServiceInfo, ServiceOrder


@dataclass(slots=True)
class _Payer:
    """What billing answers. Asked in the caller's unit of work; must not write."""

    fund: Callable[[ServiceOrder], Funding]
    prices: Callable[[Sequence[ServiceInfo]], Mapping[UUID, str]]
    ends: Callable[[ServiceInfo], Sequence[str]]
    ready: Callable[[], bool]


_NOBODY = _Payer(lambda order: Funding(True), lambda services: {}, lambda service: (), lambda: True)
_payer = _NOBODY


def register(
    fund: Callable[[ServiceOrder], Funding],
    *,
    prices: Callable[[Sequence[ServiceInfo]], Mapping[UUID, str]] | None = None,
    ends: Callable[[ServiceInfo], Sequence[str]] | None = None,
    ready: Callable[[], bool] | None = None,
) -> None:
    """Fill the seam. `fund` decides an order; `prices` gives a list's price words in one call, by service id;
    `ends` says which charges stop when a service is deleted; `ready` whether the organisation has a plan at all."""
    global _payer
    _payer = _Payer(fund, prices or _NOBODY.prices, ends or _NOBODY.ends, ready or _NOBODY.ready)


def unregister() -> None:
    """Back to nobody, for tests."""
    global _payer
    _payer = _NOBODY


def funding(order: ServiceOrder) -> Funding:
    """Who pays for `order`, in words, or why it cannot be paid."""
    return _payer.fund(order)


def ready() -> bool:
    """Has the organisation something that pays for services? If not, the next step is to choose a plan."""
    return _payer.ready()


def prices(services: Sequence[ServiceInfo]) -> Mapping[UUID, str]:
    """What each service costs, in words: «Included in Pro (19 of 25)», «$14.00/month»."""
    return _payer.prices(services) if services else {}


def ends(service: ServiceInfo) -> Sequence[str]:
    """The charges that stop when `service` is deleted, one sentence each."""
    return _payer.ends(service)
