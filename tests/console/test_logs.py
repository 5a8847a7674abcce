"""Logs: one JSON object a line whoever logs, ids from the context, and never a secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from chom_core import config, logs
from chom_core.database import transaction
from chom_core.work import enqueue, handlers, job, run_all
from tests.conftest import KEY, Database
from tests.console.conftest import Desk
from tests.identity.conftest import Browser

CANARY = "canary-9f3b1c77"
#: Secrets of each sort, as they turn up in real life.
PLANTED = {
    "password": CANARY,
    "headers": {"Authorization": f"Bearer {CANARY}", "Cookie": f"chom={CANARY}"},
    "url": f"postgresql://chom_app:{CANARY}@db/chom",
    "said": f"login failed: password={CANARY}",
    "list": [{"api_key": CANARY}],
    "key": f"chom_1a2b3c4d_{'ab' * 24}",
    "gateway": f"sk_live{'_'}{CANARY.replace('-', '')}",
}


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Configures the logs onto the captured standard error; call it for the lines so far."""
    root, before = logging.getLogger(), structlog.get_config()
    level, handlers_before = root.level, list(root.handlers)

    def configure(log_format: str = "json", **more: str) -> None:
        url = more.get("database_url", "postgresql://x")
        logs.configure(config.Settings(url, "", (KEY,), log_format=log_format))

    configure()

    def lines() -> list[dict[str, Any]]:
        out = capsys.readouterr().err
        assert "Logging error" not in out, out
        return [json.loads(line) for line in out.splitlines() if line]

    lines.configure = configure  # type: ignore[attr-defined]
    lines.raw = lambda: capsys.readouterr().err  # type: ignore[attr-defined]
    yield lines
    root.handlers[:] = handlers_before
    root.setLevel(level)
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()


def test_structlog_and_the_library_logger_speak_alike(written: Any) -> None:
    with structlog.contextvars.bound_contextvars(job_id="J", tenant_id="T", plugin="glow", request="R"):
        structlog.get_logger("chom.work").warning("job failed", attempt=2)
        logging.getLogger("somebody.else").warning("cannot %s", "reach")
    first, second = written()
    for line, event, logger in (
        (first, "job failed", "chom.work"),
        (second, "cannot reach", "somebody.else"),
    ):
        assert (line["event"], line["logger"], line["level"]) == (event, logger, "warning")
        assert (line["job"], line["tenant"], line["plugin"], line["request"]) == ("J", "T", "glow", "R")
        assert line["time"].endswith("Z")
    assert first["attempt"] == 2


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("log_format", ["json", "human"])
def test_a_planted_secret_does_not_get_out(written: Any, name: str, log_format: str) -> None:
    written.configure(log_format)
    structlog.get_logger("chom.x").warning("about it", **{name: PLANTED[name]})
    logging.getLogger("y").error("about it too", extra={name: PLANTED[name]})
    if name not in ("password", "list"):  # a bare word says nothing of what it is
        logging.getLogger("y").error("about %s", PLANTED[name])
    out = written.raw()
    assert "about" in out
    for secret in (CANARY, CANARY.replace("-", ""), "ab" * 24):
        assert secret not in out, out


def test_the_settings_own_secrets_are_known_by_heart(written: Any) -> None:
    written.configure(database_url="postgresql://u:hunter22-canary@db/x")
    structlog.get_logger("x").warning(f"odd: hunter22-canary and {KEY}")
    out = written.raw()
    assert "odd" in out and "hunter22-canary" not in out and KEY not in out


def test_an_error_of_a_statement_is_told_without_its_values(written: Any, database: Database) -> None:
    with transaction() as work:
        try:
            work.execute(text("select cast(:word as integer)"), {"word": CANARY})
        except Exception:
            logging.getLogger("x").exception("it broke")
    (line,) = written()
    assert "Traceback" in line["exception"] and "cast(" in line["exception"]
    assert "[parameters" not in line["exception"]


def test_the_quiet_format_is_for_people(written: Any) -> None:
    written.configure("human")
    logging.getLogger("x").info("chatter")
    structlog.get_logger("x").warning("look here", seconds=3)
    assert written.raw().split()[1:] == ["warning", "look", "here", "seconds=3"]


def test_a_request_leaves_one_line_without_its_query(written: Any, desk: Desk) -> None:
    browser = desk.browser("mara")
    written()
    browser.get(f"/organisation/features/glow?token={CANARY}")
    Browser(desk.app).get(f"/verify/{CANARY}?next={CANARY}")
    out = written.raw()
    assert CANARY not in out
    first, second = [line for line in map(json.loads, out.splitlines()) if line["event"] == "request"]
    assert (first["method"], first["path"], first["status"]) == ("GET", "/organisation/features/<name>", 200)
    assert first["ms"] > 0 and len(first["request"]) == 32
    assert (first["tenant"], first["person"]) == (str(desk.north), str(desk.people["mara"]))
    assert second["path"].startswith("/verify/<") and "person" not in second


def test_a_job_carries_its_ids_into_its_lines(written: Any, desk: Desk) -> None:
    kinds = dict(handlers.KINDS)

    @job("test.speaks")
    def speaks(current: Any) -> None:
        logging.getLogger("deep.library").warning("working")

    with transaction(desk.north):
        made = enqueue("test.speaks")
    written()
    run_all(desk.north)
    handlers.KINDS.clear()
    handlers.KINDS.update(kinds)
    (line,) = [line for line in written() if line["event"] == "working"]
    assert (line["job"], line["tenant"], line["kind"]) == (str(made), str(desk.north), "test.speaks")


@given(
    st.from_regex(logs._ORDINARY, fullmatch=True) | st.sampled_from(["bearer", "sk-live", "gAAAAA", "token"])
)
def test_what_skips_the_search_holds_nothing_it_would_find(word: str) -> None:
    assert logs.clean(logs._SECRET_PAIR.sub("***", logs._SECRET_TEXT.sub("***", word))) == word
