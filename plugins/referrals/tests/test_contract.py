"""The contract of every plugin, with referrals' own things as samples."""

from chom_referrals import codes

from chom_sdk.testing import Organisation, contract


def a_code(organisation: Organisation, text: str) -> dict[str, object]:
    values = {"programme": "customer", "code": None, "alias": text[:60], "about": text[:500]}
    with organisation.acting():
        return {"code_id": codes.create(values).id}


TestContract = contract("referrals", a_code, settings={"customer_fixed": "40.00", "affiliate_first": "30"})
