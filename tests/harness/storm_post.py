"""The deliveries: every event ten times, forged ones between them, in an order that the seed decides."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chom_stripe.models import SandboxObject
from chom_stripe.sandbox import events
from flask import Flask
from sqlalchemy import select

from chom_core.database import acting_as, clock, transaction

URL = "/api/v1/stripe/webhook"
TIMES = 10
#: How a delivery may be false: another key, another body, an hour old, signed with nothing, or not at all.
FORGED = ("key", "body", "old", "empty", "none")


@dataclass(frozen=True, slots=True)
class Delivery:
    """`forged` is empty for a true one. `late`: only after everything else was heard."""

    number: int
    event: str
    forged: str
    late: bool


@dataclass(frozen=True, slots=True)
class Post:
    """What can be delivered: bodies by event, and the true signing secret."""

    bodies: dict[str, str]
    secret: str

    def signed(self, delivery: Delivery) -> tuple[bytes, str]:
        """Body and header, signed when it is sent, as Stripe does."""
        body, key = self.bodies[delivery.event], self.secret
        stamp = int(clock.machine().timestamp())
        if delivery.forged:  # says something that never happened
            body = json.dumps({**json.loads(body), "id": f"evt_{secrets.token_hex(12)}"})
        if delivery.forged == "key":
            key = "whsec_" + secrets.token_hex(16)
        if delivery.forged == "empty":
            key = ""
        if delivery.forged == "old":
            stamp -= 3600
        said = self.bodies[delivery.event] if delivery.forged == "body" else body
        digest = hmac.new(key.encode(), f"{stamp}.{said}".encode(), hashlib.sha256).hexdigest()
        return body.encode(), "" if delivery.forged == "none" else f"t={stamp},v1={digest}"


def post() -> Post:
    """Every event at Stripe."""
    with acting_as("stripe"), transaction() as here:
        rows = here.scalars(select(SandboxObject.body).where(SandboxObject.kind == "event")).all()
        return Post({row["id"]: json.dumps(row) for row in rows}, events.secret())


def plan(
    event_ids: Sequence[str], total: int, dice: random.Random, *, orderly: bool = False
) -> list[Delivery]:
    """About `total` deliveries: ten of each event, the rest forged. `orderly`: each once, in order, none forged."""
    if orderly:
        return [Delivery(n, event, "", False) for n, event in enumerate(event_ids)]
    late = {event for event in event_ids if dice.random() < 0.1}
    true = [(event, "") for event in event_ids for _ in range(TIMES)]
    false = [
        (dice.choice(event_ids), dice.choice(FORGED)) for _ in range(max(len(event_ids), total - len(true)))
    ]
    every = [*true, *false]
    dice.shuffle(every)
    return [Delivery(n, event, how, event in late and not how) for n, (event, how) in enumerate(every)]


def deliver(app: Flask, of: Post, deliveries: Sequence[Delivery], log: Path) -> None:
    """Post them, writing down each answer: what has none is delivered again by somebody else."""
    client = app.test_client()
    answers = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for delivery in deliveries:
        body, signature = of.signed(delivery)
        status = client.post(URL, data=body, headers={"Stripe-Signature": signature}).status_code
        if status < 500:
            os.write(answers, f"{delivery.number} {status}\n".encode())
