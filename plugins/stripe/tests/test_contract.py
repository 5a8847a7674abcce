"""The contract of every plugin, with a session that waits for a card, a payment at the bank and a payee as samples."""

from chom_stripe.keys import Keys
from chom_stripe.payouts import StripePayouts
from stripe_world import bank_reference, session_reference

from chom_sdk.billing import Onboarding, Payee
from chom_sdk.testing import Organisation, contract


def samples(organisation: Organisation, text: str) -> dict[str, object]:
    with organisation.acting():
        payee = Payee(text[:80], organisation.id)
        url = StripePayouts(Keys()).onboard(Onboarding(payee, "https://chom.test/stripe/account"))
        return {
            "stripe_sandbox.checkout.reference": session_reference(organisation.id),
            "stripe_sandbox.bank.reference": bank_reference(organisation.id, text[:300]),
            "stripe_sandbox.onboarding.reference": url.rsplit("/", 1)[1],
        }


TestContract = contract(
    "stripe",
    samples,
    settings={
        "secret_key": "sk_test_abcdefgh12345678",
        "publishable_key": "pk_test_abcdefgh12345678",
        "webhook_secret": "whsec_abcdefgh12345678",
    },
)
