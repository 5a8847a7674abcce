"""A site whose program ends at once says so, with its log."""

from __future__ import annotations

import pytest
from chom_local_node import sites
from chom_local_node.records import Node
from chom_local_node.types import RunnerError, SiteSpec, run


def test_a_program_that_ends_is_reported_with_its_last_words(
    node: Node, spec: SiteSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["/bin/sh", "-c", "echo no such luck >&2; exit 3"]
    monkeypatch.setattr(sites, "_static_command", lambda node, record: command)
    with pytest.raises(RunnerError, match="no such luck"):
        run(sites.steps_create(node, spec))
