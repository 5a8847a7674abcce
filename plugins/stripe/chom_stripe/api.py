"""Where Stripe delivers its webhooks: POST /api/v1/stripe/webhook. Who is not Stripe has no valid signature."""

from __future__ import annotations

from typing import Any

from flask import request

from chom_sdk import ApiRoutes
from chom_stripe import webhooks

api = ApiRoutes("stripe", __name__, prefix="/stripe", access="public", tenant="none")
#: Stripe's largest events are far below this.
MOST_BYTES = 512 * 1024


@api.post("/webhook", status=200)
def webhook() -> dict[str, Any]:
    # 413; a body that does not say how long it is ends there, and so is not what was signed
    request.max_content_length = MOST_BYTES
    taken = webhooks.receive(request.get_data(), request.headers.get("Stripe-Signature", ""))
    return {"received": taken}
