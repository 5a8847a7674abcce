"""Which Stripe account: the keys in the settings, or the sandbox; and the client to talk to it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from chom_sdk import settings

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe._v1_services import V1Services

NAME = "stripe"
#: Of one call, in seconds: a person may be waiting for it.
PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one account. `mode` is sandbox without a secret key, else what the key says of itself."""

    secret: str = field(default="", repr=False)
    webhook: str = field(default="", repr=False)

    @property
    def mode(self) -> str:
        if not self.secret:
            return "sandbox"
        return "live" if "_live_" in self.secret else "test"


def read() -> Keys:
    """The keys in force."""
    stored = settings.read(NAME)
    return Keys(stored.get("secret_key", ""), stored.get("webhook_secret", ""))


def api(keys: Keys) -> V1Services:
    """Stripe's v1 API through the SDK's client; the sandbox stands behind the same client."""
    return _client(keys.secret).v1


@lru_cache(maxsize=4)
def _client(secret: str) -> StripeClient:
    import stripe

    logging.getLogger("stripe").setLevel(logging.WARNING)  # else two lines for every call
    if secret:
        http = stripe.RequestsClient(timeout=PATIENCE)
        return stripe.StripeClient(secret, http_client=http, max_network_retries=2)
    from chom_stripe.sandbox.transport import Transport

    return stripe.StripeClient("sk_test_sandbox", http_client=Transport(), max_network_retries=2)
