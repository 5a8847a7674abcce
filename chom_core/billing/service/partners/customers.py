"""A reseller and its customers: whose they are, and work in one of them as who one is.

A reseller's own unit of work cannot read a customer's rows. What it may know of them is read, and what it may decide is
done, in a unit of that customer, behind that customer's fence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

from flask_babel import gettext as _

from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import terms
from chom_core.database import Tenant, current, here, one_connection, session, transaction
from chom_core.values.errors import NotFound

T = TypeVar("T")


def of_each(read: Callable[[], T], among: Collection[UUID] | None = None) -> list[tuple[Tenant, T]]:
    """What `read` finds in a unit of each customer of the current reseller, by name; those that left are in it.

    `among`: only in theirs, as far as they are its customers.
    """
    reseller, principal, found = here(), current().principal, []
    everybody = terms.customers(reseller, left=True).order_by(Tenant.name, Tenant.id)
    if among is not None:
        everybody = everybody.where(Tenant.id.in_(among))
    customers = session().scalars(everybody).all()
    with one_connection():
        for customer in customers:
            with transaction(customer.id, principal):
                found.append((customer, read()))
    return found


@contextmanager
def looking(customer_id: UUID) -> Iterator[Tenant]:
    """A unit of a customer's in which its reseller reads. NotFound where it is nobody's, or another's."""
    reseller, principal = here(), current().principal
    customer = session().scalar(terms.customers(reseller, left=True).where(Tenant.id == customer_id))
    if customer is None:
        raise NotFound(_("There is no such customer."), fix=_("Look at the list."))
    with transaction(customer.id, principal):
        yield customer


@contextmanager
def deciding(customer_id: UUID) -> Iterator[Tenant]:
    """The same, in which it acts: what it does there is in the customer's log. Conflict where the platform sells."""
    sellers.itself()
    with looking(customer_id) as customer:
        yield customer
