"""The contract of every plugin, with a charge that waits at the bank as the sample."""

from chom_sandbox_gateway.gateway import Sandbox

from chom_sdk import Money, uuid7
from chom_sdk.billing import CardSubmission, PaymentRequest
from chom_sdk.testing import Organisation, contract


def a_charge(organisation: Organisation, text: str) -> dict[str, object]:
    sandbox, key = Sandbox(), uuid7().hex
    with organisation.acting():
        card = sandbox.save_method(CardSubmission(organisation.id, {"test_card": "4000002760003184"}))
        asked = PaymentRequest(key, Money(7900, "USD"), card.reference, organisation.id, text[:300])
        return {"reference": sandbox.charge(asked).reference}


TestContract = contract("sandbox_gateway", a_charge)
