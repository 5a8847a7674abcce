"""Northlight sends people; referrals are on."""

from __future__ import annotations

import pytest

from chom_sdk.testing import Organisation


@pytest.fixture
def northlight(organisation: Organisation) -> Organisation:
    organisation.enable("referrals")
    return organisation
