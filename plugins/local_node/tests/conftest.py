"""A node of the test's own, in a folder that the sites' users can enter; nothing of it survives the test."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from chom_local_node import processes
from chom_local_node.fetch import default_folder
from chom_local_node.records import Node, SiteRecord
from chom_local_node.types import Kind, SiteSpec

sys.path.insert(0, str(Path(__file__).parent))  # asking.py stands beside the tests


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "playground: a real WordPress; needs Node.js and, once, the network")


@pytest.fixture
def node() -> Iterator[Node]:
    root = Path(tempfile.mkdtemp(prefix="chom-node-"))
    root.chmod(0o711)
    node = Node(root, first_port=22000, last_port=22099, runtime_folder=default_folder())
    yield node
    for process in processes.living(node):
        processes.stop(node, SiteRecord(process.site, Kind.STATIC, "", 0, 0, "", ""))
    shutil.rmtree(root)


@pytest.fixture
def spec() -> SiteSpec:
    return SiteSpec("bakery", Kind.STATIC, "Bob's “Bakery” & <Söhne>")
