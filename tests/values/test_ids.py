"""Ids: version 7, unique, in the order they were made, whatever the clock of the machine does."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import RFC_4122, UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chom_core.values import ids
from chom_core.values.ids import parse_uuid, uuid7

MILLIS = st.integers(1, 2**48 - 2)


def at(monkeypatch: pytest.MonkeyPatch, *millis: int) -> list[UUID]:
    """One id per reading of the machine's clock, in a process that has made none before."""
    monkeypatch.setattr(ids, "_last", 0)
    made = []
    for now in millis:
        monkeypatch.setattr(time, "time_ns", lambda now=now: now * 1_000_000 + 999_999)
        made.append(uuid7())
    return made


@given(MILLIS)
def test_the_layout_of_rfc_9562(millis: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        (made,) = at(patch, millis)
    assert made.version == 7
    assert made.variant == RFC_4122
    assert made.int >> 80 == millis


def test_it_says_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


@given(st.lists(MILLIS, min_size=2, max_size=30, unique=True))
def test_they_sort_by_time(millis: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        made = at(patch, *sorted(millis))
    assert made == sorted(made)
    assert [one.int >> 80 for one in made] == sorted(millis)
    assert [str(one) for one in made] == sorted(str(one) for one in made), "as text too"


@given(st.lists(st.integers(10**12, 10**12 + 3), min_size=2, max_size=30))
def test_they_sort_as_made_within_a_millisecond_and_where_the_clock_goes_back(millis: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        made = at(patch, *millis)
    assert all(first < second for first, second in pairwise(made))
    assert all((one.version, one.variant) == (7, RFC_4122) for one in made)
    assert max(one.int >> 80 for one in made) <= max(millis) + 1


def test_a_full_millisecond_runs_over_into_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last", (1000 << 74) + 2**74 - 1)
    monkeypatch.setattr(time, "time_ns", lambda: 1000 * 1_000_000)
    made = uuid7()
    assert (made.int >> 80, made.version, made.variant) == (1001, 7, RFC_4122)


def test_the_next_one_cannot_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {b.int - a.int for a, b in pairwise(at(monkeypatch, *[10**12] * 200))}
    assert len(steps) == 199
    assert max(steps) > 2**55
    fresh = {at(monkeypatch, 10**12)[0].int & 2**62 - 1 for _ in range(200)}
    assert len(fresh) == 200


def test_threads_never_share_one_and_each_sees_its_own_in_order() -> None:
    made: list[list[UUID]] = [[] for _ in range(4)]
    together = threading.Barrier(4)

    def make(mine: list[UUID]) -> None:
        together.wait()
        mine.extend(uuid7() for _ in range(3000))

    threads = [threading.Thread(target=make, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for mine in made for one in mine}) == 12000
    assert all(mine == sorted(mine) for mine in made)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 warns of just this
def test_a_forked_process_makes_others_and_is_not_stuck() -> None:
    """Another thread of the parent is in the midst of making an id when the fork is asked for."""
    inside = threading.Event()

    def make() -> None:
        with ids._lock:
            inside.set()
            threading.Event().wait(
                0.1
            )  # the fork waits for this; without its hook it would not, and be stuck

    busy = threading.Thread(target=make)
    busy.start()
    inside.wait()
    theirs, ours = forked()
    assert theirs not in ours
    busy.join()


def forked() -> tuple[UUID, set[UUID]]:
    """The first id of a child, and what the parent made meanwhile."""
    out, into = os.pipe()
    pid = os.fork()
    if not pid:
        import signal

        signal.alarm(5)  # a child that waits for ever is ended, and the pipe is empty
        os.write(into, uuid7().bytes)
        os._exit(0)
    os.close(into)
    ours = {uuid7() for _ in range(50)}
    with os.fdopen(out, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    assert len(answer) == 16, "the child made no id"
    return UUID(bytes=answer), ours


@given(st.uuids())
def test_an_id_in_an_address_is_read(one: UUID) -> None:
    assert parse_uuid(str(one)) == one
    assert parse_uuid(one.hex.upper()) == one


@given(st.text(max_size=31) | st.sampled_from(["", f"{uuid4()}0", str(uuid4())[1:], "g" * 32]))
def test_what_is_no_id_is_none(text: str) -> None:
    assert parse_uuid(text) is None


@pytest.mark.parametrize("thing", [None, 5, b"x", [], datetime(2026, 1, 1, tzinfo=UTC)])
def test_what_is_no_text_is_none(thing: Any) -> None:
    assert parse_uuid(thing) is None
