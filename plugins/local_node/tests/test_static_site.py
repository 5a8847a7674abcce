"""A static site's whole life, with real processes and real requests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from asking import ask
from chom_local_node import processes, sites, static
from chom_local_node.inventory import inventory
from chom_local_node.ports import listening
from chom_local_node.records import Node, SiteRecord, load, must_load, save
from chom_local_node.types import RunnerError, SiteSpec, run, silent


@pytest.fixture
def site(node: Node, spec: SiteSpec) -> SiteRecord:
    run(sites.steps_create(node, spec))
    return must_load(node, spec.name)


def test_shows_its_own_title_and_marker(site: SiteRecord) -> None:
    answer = ask(site)
    assert answer.status == 200 and answer.headers["X-Chom-Site"] == site.marker
    assert "<title>Bob&#x27;s “Bakery” &amp; &lt;Söhne&gt;</title>" in answer.text


def test_listens_on_loopback_only(node: Node, site: SiteRecord) -> None:
    assert listening(node)[site.port] == {"0100007F"}


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "127.0.0.1:22000", "other.localhost:22000", ""]
)
def test_other_hosts_are_misdirected(site: SiteRecord, host: str) -> None:
    assert ask(site, host=host).status == 421


def test_nothing_outside_the_folder_is_served(node: Node, site: SiteRecord) -> None:
    public = node.site(site.name) / "public"
    (public / "away").symlink_to("/etc")
    (public / "marker.txt").symlink_to("../private/marker")
    (public / ".env").write_text("SECRET=1")
    (public / "env.txt").symlink_to(".env")
    (public / "sub").mkdir(mode=0o755)
    paths = [
        "/../private/marker", "/%2e%2e/private/marker", "/..%2fprivate/marker", "/sub/..%5c..%5cprivate/marker",
        "/.env", "/away/passwd", "/marker.txt", "/env.txt", "//etc/passwd", "/index.html%00.png", "/missing", "/sub/",
    ]  # fmt: skip
    assert {path: ask(site, path).status for path in paths} == dict.fromkeys(paths, 404)
    assert ask(site, "/sub").headers["Location"] == "/sub/"
    assert ask(site, "/", method="POST").status == 501


def test_runs_unprivileged_and_cannot_write_what_is_ours(node: Node, site: SiteRecord) -> None:
    status = Path(f"/proc/{site.pid}/status").read_text()
    uids = set(next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:])
    assert uids == {str(site.uid or os.getuid())}
    assert os.geteuid() != 0 or site.uid > 1000
    if site.uid:
        folder = node.site(site.name)
        assert (folder / "public").stat().st_uid == site.uid
        assert (folder / "private").stat().st_uid == 0 and not (folder / "private").stat().st_mode & 0o022
        assert not node.state.stat().st_mode & 0o077


def test_create_again_changes_nothing(node: Node, spec: SiteSpec, site: SiteRecord) -> None:
    run(sites.steps_create(node, spec))
    assert load(node, spec.name) == site


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_create_resumes_after_any_step(node: Node, spec: SiteSpec, cut: int) -> None:
    for step in sites.steps_create(node, spec)[:cut]:
        step.apply(silent)
    run(sites.steps_create(node, spec))
    assert ask(must_load(node, spec.name)).status == 200
    assert [found.drifts for found in inventory(node)] == [()]
    assert inventory(node)[0].size > 100


def test_a_folder_cut_off_half_way_is_made_anew(node: Node, spec: SiteSpec) -> None:
    steps = sites.steps_create(node, spec)
    steps[0].apply(silent)
    (node.site(spec.name) / "public").mkdir(parents=True)
    run(steps)
    assert ask(must_load(node, spec.name)).status == 200


def test_undo_from_last_to_first_leaves_nothing(node: Node, spec: SiteSpec, site: SiteRecord) -> None:
    for step in reversed(sites.steps_create(node, spec)):
        step.undo()
        step.undo()
    assert inventory(node) == [] and site.port not in listening(node)


def test_stop_start_restart_keep_the_files(node: Node, site: SiteRecord) -> None:
    page = node.site(site.name) / "public/index.html"
    page.write_text(page.read_text().replace("Bakery", "Pastry"))
    run(sites.steps_stop(node, site.name))
    assert site.port not in listening(node) and must_load(node, site.name).pid == 0
    run(sites.steps_start(node, site.name))
    first = must_load(node, site.name)
    run(sites.steps_restart(node, site.name))
    second = must_load(node, site.name)
    assert "Pastry" in ask(second).text
    assert (first.pid, first.started) != (second.pid, second.started) and second.port == site.port


def test_delete_leaves_no_trace(node: Node, site: SiteRecord) -> None:
    run(sites.steps_delete(node, site.name))
    run(sites.steps_delete(node, site.name))
    assert inventory(node) == [] and processes.living(node) == [] and site.port not in listening(node)
    assert list(node.sites.iterdir()) == [] and [path.name for path in node.state.iterdir()] == [".lock"]


def test_outlives_the_process_that_made_it(node: Node, spec: SiteSpec) -> None:
    program = (
        "import pathlib; from chom_local_node import sites; from chom_local_node.records import Node;"
        "from chom_local_node.types import *;"
        f"n = Node(pathlib.Path({str(node.root)!r}), {node.first_port}, {node.last_port});"
        f"run(sites.steps_create(n, SiteSpec({spec.name!r}, Kind.STATIC, {spec.title!r})))"
    )
    subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=60, cwd=Path(sites.__file__).parents[1]
    )
    record = must_load(node, spec.name)
    assert processes.is_running(record) and ask(record).status == 200
    run(sites.steps_delete(node, spec.name))
    assert not Path(f"/proc/{record.pid}").exists() or not processes.is_running(record)


def test_a_start_cut_off_before_its_record_leaves_one_process(node: Node, site: SiteRecord) -> None:
    save(node, replace(site, pid=0, started=0))
    assert inventory(node)[0].drifts == ("process not the recorded one",)
    run(sites.steps_start(node, site.name))
    assert [process.pid for process in processes.living(node)] == [must_load(node, site.name).pid]
    assert inventory(node)[0].drifts == ()


def test_a_reused_pid_is_neither_believed_nor_killed(node: Node, site: SiteRecord) -> None:
    run(sites.steps_stop(node, site.name))
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as stranger:
        record = save(node, replace(must_load(node, site.name), pid=stranger.pid, started=1))
        assert not processes.is_running(record)
        run(sites.steps_stop(node, site.name))
        processes.stop(node, record)
        assert stranger.poll() is None
        stranger.communicate(b"\n", timeout=20)


def test_the_sweep_sees_each_drift(node: Node, site: SiteRecord) -> None:
    os.kill(site.pid, signal.SIGKILL)
    while processes.is_running(site):
        os.sched_yield()
    assert inventory(node)[0].drifts == ("process dead",)
    node.record_path(site.name).unlink()
    (node.sites / "stray").mkdir()
    assert [(found.name, found.drifts) for found in inventory(node)] == [
        ("bakery", ("folder without record",)), ("stray", ("folder without record",)),
    ]  # fmt: skip


def test_another_sites_answer_is_not_believed(node: Node, spec: SiteSpec, site: SiteRecord) -> None:
    (node.site(site.name) / "private/marker").write_text("somebody-else")
    processes.stop(node, site)
    command = [sys.executable, "-I", static.__file__, "--folder", str(node.site(site.name) / "public"), "--marker-file",
               str(node.site(site.name) / "private/marker"), "--host", site.host, "--port", str(site.port)]  # fmt: skip
    record = processes.start(node, must_load(node, site.name), command, {}, 512 * 1024**2)
    while site.port not in listening(node):
        os.sched_yield()
    assert ask(record).status == 200
    stopper = iter([True, False])
    with pytest.raises(RunnerError, match="ended"):
        sites.health.wait(record, spec.title, lambda: next(stopper), lambda: "", silent)


def test_a_port_in_use_is_left_to_its_owner(node: Node, spec: SiteSpec, site: SiteRecord) -> None:
    other = replace(spec, name="second", title="Second")
    run(sites.steps_create(node, other))
    assert must_load(node, "second").port == site.port + 1


def test_a_port_taken_by_a_stranger_is_said(node: Node, site: SiteRecord) -> None:
    run(sites.steps_stop(node, site.name))
    program = f"import socket; s=socket.create_server(('127.0.0.1', {site.port})); print(flush=True); input()"
    squatter = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with squatter:
        assert squatter.stdout is not None
        squatter.stdout.readline()
        with pytest.raises(RunnerError, match="in use by another program"):
            run(sites.steps_start(node, site.name))
        squatter.communicate(b"\n", timeout=20)


def test_the_log_is_kept_small(tmp_path: Path) -> None:
    log = tmp_path / "site.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, b"x" * 100)
    static.trim(descriptor, 100)
    assert log.stat().st_size == 100
    os.write(descriptor, b"y")
    static.trim(descriptor, 100)
    os.write(descriptor, b"z")
    os.close(descriptor)
    assert log.read_bytes() == b"z" and (tmp_path / "site.log.1").read_bytes() == b"x" * 100 + b"y"


@pytest.mark.parametrize("name", ["../etc", "a/b", "", "-a", "A", "a.b", "ä", "x" * 64, "a\n"])
def test_odd_names_are_refused_before_anything_exists(node: Node, spec: SiteSpec, name: str) -> None:
    with pytest.raises(RunnerError, match="cannot be a site's name"):
        run(sites.steps_create(node, replace(spec, name=name)))
    assert inventory(node) == []
