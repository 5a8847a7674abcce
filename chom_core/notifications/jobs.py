"""What notifications do by themselves: tell people about events of the house, and deliver by plugins' channels."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from chom_core.database import acting_as, session
from chom_core.identity.models import LoginSession, Membership, Person
from chom_core.notifications.phrases import Amount, phrase
from chom_core.notifications.service import notify, outbox, preferences
from chom_core.notifications.service.notify import DELIVER
from chom_core.plugin_host import registry
from chom_core.values.errors import ChomError
from chom_core.values.money import Money
from chom_core.values.notifications import Message
from chom_core.work import GiveUp, Job, job, on, outside

__all__ = ["outbox"]  # its job is registered by importing it


@on("service.active", kind="notifications.service_active", attempts=8)
def service_active(job: Job) -> None:
    """A service was built. Starts and restarts, which people do themselves, are no news."""
    facts = job.event.payload
    if facts.get("action") != "create":
        return
    notify(
        "service.active",
        title=phrase("%(name)s is ready", name=facts["name"]),
        body=phrase("It was built and checked. Open it, or give it a domain."),
        action=phrase("Open %(name)s", name=facts["name"]),
        link=f"/services/{facts['service_id']}",
        data=_only(facts, "service_id", "kind"),
        key=f"service.active:{facts['service_id']}",
    )


@on("service.failed", kind="notifications.service_failed", attempts=8)
def service_failed(job: Job) -> None:
    """Work on a service went wrong; a failed build costs nothing, and says so."""
    facts = job.event.payload
    build = facts.get("action") == "create"
    title = (
        phrase("%(name)s could not be built", name=facts["name"])
        if build
        else phrase("Work on %(name)s failed", name=facts["name"])
    )
    ending = (
        phrase("Nothing is charged for it. Try again, or ask support.")
        if build
        else phrase("Open the operation to see each step and to try again.")
    )
    why = str(facts.get("error") or "")
    notify(
        "service.failed",
        title=title,
        body=phrase("%(why)s\n\n%(ending)s", why=why, ending=ending) if why else ending,
        action=phrase("See what happened"),
        link=f"/operations/{facts['operation_id']}"
        if facts.get("operation_id")
        else f"/services/{facts['service_id']}",
        data=_only(facts, "service_id", "operation_id", "action"),
        key=f"service.failed:{facts.get('operation_id') or job.event.id}",
    )


@on("service.suspended", kind="notifications.service_suspended", attempts=8)
def service_suspended(job: Job) -> None:
    """A service stands still; visitors see that."""
    facts = job.event.payload
    notify(
        "service.suspended",
        title=phrase("%(name)s is suspended", name=facts["name"]),
        body=phrase(
            "Visitors cannot reach it now; its data is kept. Its page says why, and how it comes back."
        ),
        link=f"/services/{facts['service_id']}",
        data=_only(facts, "service_id"),
        key=f"service.suspended:{job.event.id}",
    )


@on("service.deleted", kind="notifications.service_deleted", attempts=8)
def service_deleted(job: Job) -> None:
    """A service is gone."""
    facts = job.event.payload
    notify(
        "service.deleted",
        title=phrase("%(name)s is deleted", name=facts["name"]),
        body=phrase("It is gone from its server and is no longer billed."),
        link="/services",
        data=_only(facts, "service_id"),
        key=f"service.deleted:{facts['service_id']}",
    )


@on("invoice.paid", kind="notifications.invoice_paid", attempts=8)
def invoice_paid(job: Job) -> None:
    """Money arrived; the invoice is the receipt. An invoice over nothing is no news."""
    facts = job.event.payload
    if not facts["total"]:
        return
    amount = Amount(Money(facts["total"], facts["currency"]))
    notify(
        "invoice.paid",
        title=phrase("Your payment of %(amount)s arrived", amount=amount),
        body=phrase("Thank you. The invoice is your receipt."),
        action=phrase("See the invoice"),
        facts=((phrase("Paid"), amount),),
        link=f"/billing/invoices/{facts['invoice_id']}",
        data=_only(facts, "invoice_id", "total", "currency"),
        key=f"invoice.paid:{facts['invoice_id']}",
    )


@on("payment.failed", kind="notifications.payment_failed", attempts=8)
def payment_failed(job: Job) -> None:
    """A payment that nobody sat in front of was declined; who pays at the screen has seen it there.

    Of an unpaid invoice billing tells more, with the dates of its ladder.
    """
    facts = job.event.payload
    if facts.get("off_session") is False or facts.get("dunning"):
        return
    notify(
        "payment.failed",
        title=phrase("A payment failed"),
        body=phrase(
            "%(why)s\n\nWe will try again. To be sure, pay now or give another card; your services run on meanwhile.",
            why=str(facts.get("message") or "") or phrase("The bank declined it."),
        ),
        action=phrase("Pay now"),
        link=f"/billing/invoices/{facts['invoice_id']}",
        data=_only(facts, "invoice_id", "payment_id", "code"),
        key=f"payment.failed:{facts['payment_id']}",
    )


@on("subscription.ended", kind="notifications.subscription_ended", attempts=8)
def subscription_ended(job: Job) -> None:
    """A subscription is over; nothing is billed for it any more."""
    notify(
        "subscription.ended",
        title=phrase("A subscription ended"),
        body=phrase(
            "Nothing more is billed for it. What it included is off now; its data is kept for a while."
        ),
        link="/billing",
        data=_only(job.event.payload, "subscription_id"),
        key=f"subscription.ended:{job.event.payload['subscription_id']}",
    )


@on("subscription.change_upcoming", kind="notifications.change_upcoming", attempts=8)
def change_upcoming(job: Job) -> None:
    """A day before: a change can still be taken back."""
    facts = job.event.payload
    notify(
        "subscription.change_upcoming",
        title=phrase("Your plan changes tomorrow"),
        body=phrase(
            "What was scheduled happens then, and is charged to your card. Until then you can take it back."
        ),
        action=phrase("Look at it"),
        link=f"/billing/subscriptions/{facts['subscription_id']}",
        data=_only(facts, "subscription_id", "change_id", "plan", "at"),
        key=f"subscription.change_upcoming:{facts['change_id']}",
    )


@on("subscription.change_failed", kind="notifications.change_failed", attempts=8)
def change_failed(job: Job) -> None:
    """A change could not happen: the plan is as it was."""
    facts = job.event.payload
    notify(
        "subscription.change_failed",
        title=phrase("A change of your plan did not happen"),
        body=phrase(
            "%(why)s\n\nYour plan is as it was, and nothing was charged.", why=str(facts.get("why") or "")
        ),
        action=phrase("Try again"),
        link=f"/billing/subscriptions/{facts['subscription_id']}",
        data=_only(facts, "subscription_id", "change_id", "why"),
        key=f"subscription.change_failed:{facts['change_id']}",
    )


@on("member.joined", kind="notifications.member_joined", attempts=8)
def member_joined(job: Job) -> None:
    """Owners and admins hear of a new member; the new member does not hear of themselves."""
    facts = job.event.payload
    newcomer = UUID(facts["person_id"])
    person = session().get(Person, newcomer)
    if person is None:
        return
    roles = [Membership.role.in_(["owner", "admin"]), Membership.tenant_id == job.tenant_id]
    others = session().scalars(select(Membership.person_id).where(*roles, Membership.person_id != newcomer))
    notify(
        "member.joined",
        people=list(others),
        title=phrase("%(name)s joined as %(role)s", name=person.name, role=facts.get("role", "member")),
        link="/organisation/people",
        data=_only(facts, "person_id", "role"),
        key=f"member.joined:{job.event.id}",
    )


@on("feature.switched", kind="notifications.feature_switched", attempts=8)
def feature_switched(job: Job) -> None:
    """A feature was switched on or off, by whom and why. Payload: plugin, on, and optionally why."""
    facts = job.event.payload
    loaded = registry.loaded.get(facts["plugin"])
    name = str(loaded.plugin.title) if loaded else facts["plugin"]
    sentence = "%(name)s is on" if facts["on"] else "%(name)s is off"
    notify(
        "feature.switched",
        title=phrase(sentence, name=name),
        body=str(facts.get("why") or ""),
        link="/organisation/features",
        data=_only(facts, "plugin", "on"),
        key=f"feature.switched:{job.event.id}",
    )


@on("person.logged_in", kind="notifications.person_logged_in", attempts=8)
def person_logged_in(job: Job) -> None:
    """A log-in by a browser or from an address that this person never used before. Payload: person_id, session_id."""
    facts = job.event.payload
    here = session().get(LoginSession, UUID(facts["session_id"]))
    tenant_id = job.tenant_id or (here.tenant_id if here else None)
    if here is None or tenant_id is None:
        return
    earlier = select(LoginSession.ip, LoginSession.user_agent)
    earlier = earlier.where(LoginSession.person_id == here.person_id, LoginSession.id < here.id)
    seen = session().execute(earlier.order_by(LoginSession.id.desc()).limit(200)).all()
    if not seen or any(row[0] == here.ip or row[1] == here.user_agent for row in seen):
        return
    notify(
        "security.login",
        tenant_id=tenant_id,
        people=[here.person_id],
        title=phrase("You logged in from a new place"),
        body=phrase("Was it not you? Set a new password now, and end the other sessions."),
        facts=((phrase("Browser"), here.user_agent[:120] or "?"), (phrase("Address"), here.ip or "?")),
        action=phrase("See your sessions"),
        link="/me",
        data={"ip": here.ip},
        key=f"security.login:{here.id}",
    )


@job(DELIVER, timeout=60, attempts=6)
def deliver(job: Job) -> None:
    """Give one message to a plugin's channel. A channel that is gone by now is no error: the feature is off."""
    facts = job.args
    person = session().get(Person, UUID(facts["person_id"]))
    found = preferences.channels(UUID(facts["person_id"])).get(facts["channel"])
    if person is None or found is None:
        return
    channel, plugin = found
    message = Message(
        UUID(facts["id"]), facts["type"], facts["category"], job.tenant_id, person.id, person.name, person.email,
        facts["title"], facts["body"], facts["link"], person.locale, facts["data"],
    )  # fmt: skip

    def call() -> None:
        with acting_as(plugin, writes=False):
            channel.deliver(message)

    try:
        outside(call)
    except ChomError as error:
        raise GiveUp(f"{plugin}: {error.detail}") from error


def _only(facts: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: facts[name] for name in names if facts.get(name) is not None}
