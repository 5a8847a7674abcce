"""A real WordPress: made, seen, entered, stopped, started, deleted. Fetched once into a folder all tests share."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from asking import Answer, ask
from chom_local_node import fetch, processes, sites
from chom_local_node.inventory import inventory
from chom_local_node.nodejs import find_node
from chom_local_node.ports import listening
from chom_local_node.records import Node, SiteRecord, must_load
from chom_local_node.types import Kind, RunnerError, SiteSpec, run

pytestmark = pytest.mark.playground
TITLE = "Bob's “Café” & Söhne <Kiel> 4x3"


@pytest.fixture(autouse=True)
def runtime() -> None:
    try:
        find_node()
        fetch.fetch(fetch.default_folder())
    except RunnerError as error:
        if os.environ.get("CHOM_REQUIRE_PLAYGROUND") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture
def site(node: Node) -> SiteRecord:
    spec = SiteSpec("cafe", Kind.WORDPRESS, TITLE, admin_user="maria", admin_password="geheim-123")
    run(sites.steps_create(node, spec))
    return must_load(node, "cafe")


def test_the_whole_life(node: Node, site: SiteRecord) -> None:
    front = ask(site)
    assert front.status == 200 and front.headers["X-Chom-Site"] == site.marker and "wp-content" in front.text
    assert "Café" in front.text and listening(node)[site.port] == {"0100007F"}
    assert ask(site, host="evil.example").status == ask(site, host=f"127.0.0.1:{site.port}").status == 421
    for hidden in (
        "/wp-content/database/.ht.sqlite",
        "/wp-content/database/%2eht.sqlite",
        "/..%2fprivate/secret",
    ):
        assert ask(site, hidden).status == 404, hidden
    only_ours(node, site)

    enter(node, site)

    page = node.site("cafe") / "public/wp-content/mu-plugins/chom-site.php"
    page.unlink()
    run(sites.steps_restart(node, "cafe"))
    again = must_load(node, "cafe")
    assert (
        again.pid != site.pid
        and "Café" in ask(again).text
        and [found.drifts for found in inventory(node)] == [()]
    )

    run(sites.steps_delete(node, "cafe"))
    assert inventory(node) == [] and processes.living(node) == [] and site.port not in listening(node)
    assert list(node.sites.iterdir()) == []


def only_ours(node: Node, site: SiteRecord) -> None:
    """Who it runs as; its keys; and the password, which is nowhere to be found."""
    folder = node.site("cafe")
    status = Path(f"/proc/{site.pid}/status").read_text()
    uids = set(next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:])
    assert uids == {str(site.uid or os.getuid())}
    config = (folder / "public/wp-config.php").read_text()
    assert "put your unique phrase here" not in config
    assert not list((folder / "private").glob("install.*"))
    for path in [
        node.record_path("cafe"),
        *folder.glob("private/*"),
        *folder.glob("log/*"),
        *folder.glob("tmp/*"),
    ]:
        assert path.is_dir() or "geheim-123" not in path.read_text(errors="replace"), path
    assert b"CHOM_DATABASE_URL" not in Path(f"/proc/{site.pid}/environ").read_bytes()


def enter(node: Node, site: SiteRecord) -> None:
    """The login link lets its first visitor in, once, in time, unaltered, here."""
    parts = urlsplit(sites.admin_link(node, "cafe"))
    link = f"{parts.path}?{parts.query}"
    forged = link[:-1] + ("0" if link[-1] != "0" else "1")
    late = urlsplit(sites.admin_link(node, "cafe", seconds=-1))
    assert ask(site, forged).status == 403 and ask(site, f"/?{late.query}").status == 403
    entered = ask(site, link)
    assert entered.status == 302 and entered.headers["Location"] == f"{site.url}/wp-admin/"
    assert ask(site, link).status == 403
    desk = ask(site, "/wp-admin/profile.php", cookie=cookies(entered))
    assert desk.status == 200 and 'value="maria"' in desk.text
    assert ask(site, "/wp-admin/profile.php").status == 302


def cookies(answer: Answer) -> str:
    return "; ".join(line.split(";")[0] for line in answer.headers.get_all("Set-Cookie") or [])


def test_an_installation_that_was_cut_off_is_done_anew(node: Node) -> None:
    spec = SiteSpec("cut", Kind.WORDPRESS, "Cut")
    steps = sites.steps_create(node, spec)
    run(steps[:3])
    database = node.site("cut") / "public/wp-content/database"
    database.mkdir()
    (database / ".ht.sqlite").write_text("half a database")
    run(sites.steps_create(node, spec))
    assert "<title>Cut" in ask(must_load(node, "cut")).text
