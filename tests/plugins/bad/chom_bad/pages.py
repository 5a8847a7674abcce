"""A page of its own, which needs the template folder, and writes where it may not."""

from __future__ import annotations

from chom_sdk import Pages

from . import behaviour

pages = Pages("bad", __name__, prefix="/bad", access="viewer")


@pages.get("/")
def index() -> str:
    return str(behaviour.misbehave())
