"""Tests for authors of plugins: a real CHOM on a real Postgres, and the contract every plugin keeps.

The fixtures come with the pytest plugin that chom_sdk installs: `chom`, `organisation`, `other_organisation`,
`clock`, `ssh_host`. The contract is one line in a test module:

    from chom_sdk.testing import contract
    TestContract = contract("projects")
"""

from chom_sdk.testing.contract import contract
from chom_sdk.testing.world import Organisation, World

__all__ = ["Organisation", "World", "contract"]
