"""The demo's history: shown while it is played, gone from the page when it is whole, gone on with after a stop."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from flask import Flask

from chom_core.demo import history
from chom_core.demo.place import Place
from chom_core.embedded import Process
from tests.demo.test_pages import demo

__all__ = ["demo"]


def test_how_far_it_is_stands_on_the_page(demo: Flask, tmp_path: Path) -> None:
    place, client = Place(tmp_path), demo.test_client()
    assert history.told(place).state == "waiting" and "being played" not in client.get("/demo/").text
    history.tell(place, history.Told("2026-11-23", 230, 921, 125, "running"))
    page = client.get("/demo/").text
    assert 'value="230" max="921"' in page and "about 2 min 5 sec left" in page
    history.tell(place, history.Told("2026-11-23", 921, 921, 0, "done"))
    assert "being played" not in client.get("/demo/history").text
    history.tell(place, history.Told("2026-11-23", 3, 921, 0, "failed", "The disk is full. Make room."))
    assert "The disk is full. Make room." in client.get("/demo/").text


def test_what_is_whole_is_not_played_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(tmp_path)
    place.logs.mkdir()
    history.tell(place, history.Told("2026-11-23", 921, 921, 0, "done"))
    behind = history.Background(place, {})
    behind.start()
    behind.look()
    assert not behind.process.alive() and not capsys.readouterr().out


def test_an_end_before_the_last_month_is_said_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path)
    place.logs.mkdir()
    behind = history.Background(place, {})
    behind.process = Process("history", [sys.executable, "-c", ""], log=place.logs / "history.log")
    behind.start()
    behind.process.wait(30)
    history.tell(place, history.Told("2026-11-23", 3, 921, 0, "failed", "The disk is full."))
    behind.look()
    behind.look()
    assert capsys.readouterr().out.count("it ended early: The disk is full.") == 1
