"""Billing hooks. All are decide hooks: they read and return, so one answer serves preview, estimate and invoice."""

from __future__ import annotations

from chom_core.hookspecs.marker import hook
from chom_core.values.billing import (
    DisputeGateway,
    DisputeQuery,
    Gateway,
    GatewayQuery,
    LineProposal,
    LinesQuery,
    PayoutGateway,
    PayoutQuery,
    PurchaseQuery,
    TaxAnswer,
    TaxQuery,
)
from chom_core.values.provisioning import Refusal


@hook(fail="closed")
def billing_gateways(query: GatewayQuery) -> Gateway | None:
    """A gateway that can take `query.currency`, or None. Core calls the object later, outside of any transaction.

    The seller's own choice wins where several answer; without one, the first does.
    """


@hook(fail="closed")
def billing_tax(query: TaxQuery) -> TaxAnswer | None:
    """The tax on a bill, or None where this plugin has no opinion. The first answer counts; two are an error.

    Asked for previews and for invoices alike, with the same question: answer the same to the same.
    """


@hook(fail="closed")
def billing_lines(query: LinesQuery) -> tuple[LineProposal, ...] | None:
    """Lines to add to a bill: discounts (negative), usage, charges. Asked before tax, for preview and invoice alike.

    A bill never falls below zero: what a discount has left over is not used.
    """


@hook(fail="closed")
def billing_payouts(query: PayoutQuery) -> PayoutGateway | None:
    """A gateway that can pay out `query.currency`, or None. Core calls the object later, outside of any transaction.

    The gateway named in the query wins where several answer; without a name, the first does.
    """


@hook(fail="closed")
def billing_disputes(query: DisputeQuery) -> DisputeGateway | None:
    """Who tells banks our side of disputed payments at `query.gateway`; None where it is another's gateway.

    Asked when staff look at a dispute, and by the job that sends their answer. Evidence is proposed from what core
    knows of the payment; core calls `submit` and `accept` later, outside of any transaction. Where every plugin answers
    None, staff are told to answer at the gateway itself.
    """


@hook(fail="closed")
def billing_may_buy(query: PurchaseQuery) -> Refusal | None:
    """May this be bought now? Answer a refusal with its reason and its way out, or None.

    For budgets and approvals. Asked at checkout, when a service is ordered with a price of its own, and when a dearer
    plan is taken: before any card is charged, and not for renewals or for invoices that are owed. The first refusal is
    shown. Fails closed: while a plugin cannot be asked, nothing is bought.
    """
