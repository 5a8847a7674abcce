"""The contract of every plugin."""

from chom_sdk.testing import contract

TestContract = contract("usage_billing")
